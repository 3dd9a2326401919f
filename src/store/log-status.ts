/**
 * What a node tells of itself: for status pages, metrics and tests.
 *
 * Plain data, as the replica and its driver see things at this moment; nothing secret.
 */
import type { Ballot, Configuration, Index, Member, MemberName } from '../consensus/index.ts';
import type { ReplicaDoor } from './doors.ts';
import type { EmbeddedLog } from './embedded.ts';
import type { FeedStatus } from './foreign-cursor.ts';
import type { LogMode } from './log-options.ts';

/** What a replica lets others see. */
export interface ReplicaViews {
  readonly master: MemberName | null;
  readonly ballot: Ballot;
  readonly role: 'voter' | 'learner' | 'removed' | 'unjoined';
  readonly isMaster: boolean;
  readonly isConfirmedMaster: boolean;
  readonly commitIndex: Index;
  readonly lastIndex: Index;
  readonly durableIndex: Index;
  readonly configuration: Configuration;
  /** Infinite: no majority was ever heard of. */
  contactAgeMs(nowMs: number): number;
  /** Of a master: whom it sends to, and when each was heard of last; before that, when it began to listen. */
  readonly progress: Iterable<{
    readonly name: MemberName;
    readonly heardMs: number;
    readonly hasAnswered: boolean;
  }>;
}

/** What a master knows of a member's silence. */
export interface Silence {
  readonly silentMs: number;
  /** False: this master has never heard of it, and counts from the beginning of its mastership. */
  readonly isHeard: boolean;
}

/** A replica as the library uses it. */
export type LogReplica = ReplicaDoor & ReplicaViews;

/** One node's view of itself and its cluster. */
export interface LogStatus {
  readonly cluster: string;
  readonly address: MemberName;
  readonly mode: LogMode;
  /** `founding`: it waits whether its cluster exists already. */
  readonly condition: 'founding' | 'running' | 'disk_full' | 'stopped';
  readonly role: ReplicaViews['role'];
  /** The confirmed master: its mastership was acknowledged by a majority, and its state is complete. */
  readonly isMaster: boolean;
  readonly master: MemberName | null;
  readonly ballot: Ballot;
  readonly commitIndex: Index;
  readonly appliedIndex: Index;
  readonly lastIndex: Index;
  readonly durableIndex: Index;
  /** How long ago a majority is known to have been in contact with the master; null: never. */
  readonly contactAgeMs: number | null;
  readonly members: readonly Pick<Member, 'name' | 'role'>[];
  /** Members that speak the original protocol, as far as this node feeds them. */
  readonly fed: readonly { readonly member: MemberName; readonly phase: string; readonly index: Index }[];
}

/** What a status is made of. */
export interface StatusSource {
  readonly cluster: string;
  readonly address: MemberName;
  readonly mode: LogMode;
  readonly nowMs: number;
  /** Null: the replica does not exist yet. */
  readonly running: { readonly replica: ReplicaViews; readonly driver: EmbeddedLog } | null;
  readonly isStopped: boolean;
  readonly fed: readonly FeedStatus[];
}

/** Puts a status together. */
export function statusOf({
  cluster,
  address,
  mode,
  nowMs,
  running,
  isStopped,
  fed,
}: StatusSource): LogStatus {
  const { replica = null, driver = null } = running ?? {};
  const contactAgeMs = replica?.contactAgeMs(nowMs) ?? Number.POSITIVE_INFINITY;
  const condition = driver === null ? (isStopped ? 'stopped' : 'founding') : (driver.impaired ?? 'running');
  return {
    ...{ cluster, address, mode, condition },
    role: replica?.role ?? 'unjoined',
    isMaster: condition === 'running' && replica?.isConfirmedMaster === true,
    master: replica?.master ?? null,
    ballot: replica?.ballot ?? 0,
    commitIndex: replica?.commitIndex ?? 0,
    appliedIndex: driver?.appliedIndex ?? 0,
    lastIndex: replica?.lastIndex ?? 0,
    durableIndex: replica?.durableIndex ?? 0,
    contactAgeMs: Number.isFinite(contactAgeMs) ? Math.ceil(contactAgeMs) : null,
    members: (replica?.configuration.members ?? []).map(({ name, role }) => ({ name, role })),
    fed: fed.map(({ member, phase, index }) => ({ member, phase, index })),
  };
}
