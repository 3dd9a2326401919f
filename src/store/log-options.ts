/**
 * What users of the replicated log hand over: their codec, their state, and where the node lives.
 *
 * Types, and the check of what can be checked before anything is opened. `main/library.ts` adds the
 * host's clock, disk and sockets.
 */
import { ArrokothError, LOG_LIMITS, PEER_LIMITS } from '../base/index.ts';
import type { Index, MemberName } from '../consensus/index.ts';

/** Turns changes into bytes and back. */
export interface ChangeCodec<Change> {
  /** Names what the changes are about; recorded with each, so that others can tell. */
  readonly kind: string;
  /** Of the bytes. Raise it when members of the previous release could not read what is written. */
  readonly version: number;
  encode(change: Change): Uint8Array;
  /** Throws when `bytes` are no change; such a change is skipped by every member. */
  decode(bytes: Uint8Array, version: number): Change;
}

/** The state that changes are applied to: the same on every member that has applied the same index. */
export interface ReplicatedState<Change> {
  snapshot(): Uint8Array;
  /** Replaces everything. */
  install(bytes: Uint8Array): void;
  /** Depends on nothing but the state and the change, and does not throw. */
  apply(change: Change, index: Index): void;
}

/** What a log does with peers that speak the original protocol only. */
export type LogMode = 'strict' | 'interop';

/** One node of a replicated log. */
export interface LogOptions<Change> {
  /** Name of the cluster: part of the path of every call. */
  readonly cluster: string;
  /** The URL at which the other members reach this one, without a slash at its end. */
  readonly address: MemberName;
  /** Where the log lies. Emptied, the node comes back as a learner. */
  readonly dataDir: string;
  readonly codec: ChangeCodec<Change>;
  readonly state: ReplicatedState<Change>;
  /** Founds the cluster; ignored once `dataDir` holds a log. Absent: false. */
  readonly initMaster?: boolean;
  /** Addresses of those who are to join the founded cluster; ignored like `initMaster`. */
  readonly participants?: readonly MemberName[];
  /** Absent: `strict`, which refuses peers without the safe protocol. */
  readonly mode?: LogMode;
  /** Bytes of log after which a snapshot takes its place; absent: 16 MiB. */
  readonly snapshotLogBytes?: number;
  /** How long a founder with an empty directory listens for a cluster that knows it; absent: 2.5 s. */
  readonly foundingPauseMs?: number;
}

/** An address as the cluster compares it: exact text, and no slash at the end. */
function isAddress(address: string): boolean {
  if (address.endsWith('/') || !URL.canParse(address)) return false;
  const { protocol, search, hash } = new URL(address);
  return (protocol === 'http:' || protocol === 'https:') && search === '' && hash === '';
}

/** Throws `LOG_OPTIONS_INVALID` when something cannot be meant. */
export function checkOptions<Change>(options: LogOptions<Change>): void {
  const { cluster, address, dataDir, codec, participants = [], mode = 'strict' } = options;
  const refuse = (details: string): never => {
    throw new ArrokothError('LOG_OPTIONS_INVALID', details);
  };
  if (!/^[^/?#\s]+$/.test(cluster)) refuse('`cluster` is a name without slashes and spaces.');
  for (const each of [address, ...participants]) {
    if (!isAddress(each)) refuse(`\`${each}\` is no address such as http://10.0.0.1:9000.`);
  }
  if (dataDir === '') refuse('`dataDir` names a directory.');
  if (codec.kind === '') refuse('`codec.kind` is not empty.');
  const { version } = codec;
  if (!Number.isSafeInteger(version) || version < 1 || version > PEER_LIMITS.versionMax) {
    refuse('`codec.version` counts from 1, to 2^32 - 1 at the most.');
  }
  if (mode !== 'strict' && mode !== 'interop') refuse('`mode` is `strict` or `interop`.');
  if (participants.length >= LOG_LIMITS.membersMax) {
    refuse(`A cluster has at most ${LOG_LIMITS.membersMax} members.`);
  }
}
