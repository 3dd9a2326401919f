/**
 * One node of a replicated log, as applications hold it: submit, read, members, events.
 *
 * Promises and checks over `LogNode`, which does the work. `main/library.ts` gives it the host's
 * clock, disk and sockets and is what packages import.
 */
import { ArrokothError, LOG_LIMITS, PEER_LIMITS } from '../base/index.ts';
import type { Index, Member, MemberName } from '../consensus/index.ts';
import type { MasterRequest } from '../peer/index.ts';
import type { Outcome } from './doors.ts';
import type { LogDoors } from './log-doors.ts';
import { type LogEventName, type LogEvents, LogListeners } from './log-events.ts';
import { LogNode } from './log-node.ts';
import { checkOptions, type LogOptions } from './log-options.ts';
import type { LogStatus, Silence } from './log-status.ts';

/** How one submission is made. */
export interface SubmitOptions {
  /** The same for each repetition of one submission, which is then applied once. Absent: drawn. */
  readonly requestId?: string;
  /** Absent: 15 s, in which a lost master is replaced. */
  readonly timeoutMs?: number;
}

/** How long to wait. */
export interface WaitOptions {
  readonly timeoutMs?: number;
}

/** A node of a replicated log. Every rejection is an `ArrokothError` with a code of `LOG_…`. */
export class ReplicatedLog<Change> {
  readonly #options: LogOptions<Change>;
  readonly #doors: LogDoors;
  readonly #listeners: LogListeners<Change>;
  readonly #node: LogNode<Change>;
  #started: Promise<void> | null = null;
  #closed: Promise<void> | null = null;

  /** Opens nothing yet: listeners that are added before `start` miss nothing. */
  constructor(options: LogOptions<Change>, doors: LogDoors) {
    checkOptions(options);
    this.#options = options;
    this.#doors = doors;
    this.#listeners = new LogListeners(doors.timers);
    this.#node = new LogNode(options, doors, this.#listeners);
  }

  /** Listens to an event; see `LogEvents`. */
  on<Name extends LogEventName>(name: Name, listener: (...facts: LogEvents<Change>[Name]) => void): this {
    this.#listeners.add(name, listener);
    return this;
  }

  /** Opens the disk and the port. A master may not be known yet when this resolves. */
  start(): Promise<void> {
    this.#started ??= this.#node.start();
    return this.#started;
  }

  /**
   * Has changes applied by all members, in one place of the log and in their order. Resolves when a
   * majority has them on disk; the state of this member may take them over a little later (`read`).
   * `LOG_TIMEOUT`: they may be committed or not; submit again with the same request id.
   */
  async submit(changes: readonly Change[], options: SubmitOptions = {}): Promise<{ readonly index: Index }> {
    const { codec } = this.#options;
    const encoded = changes.map((change) => codec.encode(change));
    if (encoded.length === 0) throw new ArrokothError('LOG_OPTIONS_INVALID', 'There is no change to submit.');
    const bytes = encoded.reduce((sum, each) => sum + each.byteLength, 0);
    if (bytes > LOG_LIMITS.entryBytesMax) {
      throw new ArrokothError('LOG_TOO_LARGE', `${bytes} bytes are more than ${LOG_LIMITS.entryBytesMax}.`);
    }
    if (encoded.length > PEER_LIMITS.changesMax) {
      const detail = `${encoded.length} changes are more than ${PEER_LIMITS.changesMax} in one submission.`;
      throw new ArrokothError('LOG_TOO_LARGE', detail);
    }
    const { kind, version } = codec;
    const { requestId = this.#node.drawRequestId(), timeoutMs = LOG_LIMITS.submitTimeoutMs } = options;
    if (requestId.length > PEER_LIMITS.idCharactersMax) {
      const detail = `A request id has at most ${PEER_LIMITS.idCharactersMax} characters.`;
      throw new ArrokothError('LOG_OPTIONS_INVALID', detail);
    }
    return await this.#request({ type: 'submit', kind, version, requestId, changes: encoded }, timeoutMs);
  }

  /**
   * Resolves when the state of this member holds everything that was acknowledged to anybody before
   * the call: what is read from it then is current. `LOG_NOT_CONFIRMED` where no majority is reached.
   */
  async read({ timeoutMs = LOG_LIMITS.readTimeoutMs }: WaitOptions = {}): Promise<{ readonly index: Index }> {
    return await new Promise((resolve, reject) => {
      this.#node.read(timeoutMs, (confirmed) => {
        if (confirmed.ok) resolve({ index: confirmed.index });
        else reject(confirmed.error);
      });
    });
  }

  /** The members as this node knows them. */
  members(): readonly Member[] {
    return this.#node.configuration.members;
  }

  /** Lets a node join: as a learner, that is promoted when a voter is wanted and it has caught up. */
  async addMember(member: MemberName, { timeoutMs = LOG_LIMITS.submitTimeoutMs }: WaitOptions = {}) {
    await this.#request({ type: 'add', member }, timeoutMs);
  }

  /** Removes a member, which is told so. */
  async removeMember(member: MemberName, { timeoutMs = LOG_LIMITS.submitTimeoutMs }: WaitOptions = {}) {
    await this.#request({ type: 'remove', member }, timeoutMs);
  }

  /** Hands the mastership to `to`, or to the voter that is furthest. Only the master can. */
  async transferMastership(to: MemberName | null = null, options: WaitOptions = {}): Promise<void> {
    const { timeoutMs = LOG_LIMITS.transferMs } = options;
    const outcome = await new Promise<Outcome | null>((resolve) => {
      this.#doors.timers.after(timeoutMs, () => resolve(null));
      this.#node.transfer(to, resolve);
    });
    if (outcome?.type === 'committed') return;
    if (outcome === null) throw new ArrokothError('LOG_TIMEOUT', `${timeoutMs} ms have passed.`);
    throw new ArrokothError('LOG_NOT_MASTER', `${outcome.detail}.`);
  }

  /** What this node knows of itself and its cluster. */
  status(): LogStatus {
    return this.#node.status();
  }

  /** Of a confirmed master: for how long each member was not heard of. Empty on other nodes. */
  silences(): ReadonlyMap<MemberName, Silence> {
    return this.#node.silences();
  }

  /** Hands the mastership over if this node has it, within a bound, then ends it. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    // A start that failed has nothing to close, and its error was given to whoever started it.
    await this.#started?.catch(() => {});
    const { isMaster, members } = this.#node.status();
    const hasHeir = members.filter(({ role }) => role === 'voter').length > 1;
    if (isMaster && hasHeir) await this.transferMastership().catch(() => {});
    await this.#node.close();
  }

  #request(request: MasterRequest, timeoutMs: number): Promise<{ readonly index: Index }> {
    return new Promise((resolve, reject) => {
      this.#node.submit(request, timeoutMs, (submitted) => {
        if (submitted.ok) resolve({ index: submitted.index });
        else reject(submitted.error);
      });
    });
  }
}
