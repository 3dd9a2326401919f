/**
 * The package `arrokoth` as applications import it: a replicated log on the clock, the disk and the
 * sockets of this host.
 *
 * Everything that users see is exported here and nowhere else. What a log does is in `store/`; here
 * it gets its world.
 */
import { ReplicatedLog as Log } from '../store/index.ts';
import { type LibraryOptions, openLibraryDoors } from './library-doors.ts';

export { ArrokothError, type ErrorCode } from '../base/index.ts';
export type { Index, Member, MemberName } from '../consensus/index.ts';
export type {
  ChangeCodec,
  LogEventName,
  LogEvents,
  LogMode,
  LogStatus,
  ReplicatedState,
  SubmitOptions,
  WaitOptions,
} from '../store/index.ts';
export type { LogTls, PageAnswer, PageHandler, PageRequest } from './library-doors.ts';

/** How a node of a replicated log is made. */
export type ReplicatedLogOptions<Change> = LibraryOptions<Change>;

/**
 * One node of a replicated log. Members that run the same codec and state agree on every change, in
 * one order, as long as a majority of the voters can talk to each other.
 */
export class ReplicatedLog<Change> extends Log<Change> {
  readonly #metrics: () => Promise<string>;
  readonly #replaceSecrets: (secrets: readonly string[]) => void;

  /** Opens nothing yet: add listeners, then `start`. */
  constructor(options: ReplicatedLogOptions<Change>) {
    const { doors, metrics, replaceSecrets } = openLibraryDoors(options);
    super(options, doors);
    this.#metrics = metrics;
    this.#replaceSecrets = replaceSecrets;
  }

  /**
   * Takes other secrets while the node runs: the first signs from now on, all are believed. Throws
   * `CLUSTER_PORT_OPEN`, and changes nothing, when everybody who reaches the port would be believed.
   */
  replaceSecrets(secrets: readonly string[]): void {
    this.#replaceSecrets(secrets);
  }

  /** The figures of this node as Prometheus reads them. */
  metrics(): Promise<string> {
    return this.#metrics();
  }
}
