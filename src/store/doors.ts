/**
 * The doors of the driver that no other room describes: a replica, the applied state, the answers.
 *
 * Interfaces only, and only as much of each as the driver uses, so that tests and the simulator can
 * stand behind them. The disk's door is `log-store.ts`, the network's is that of `peer/`.
 */
import type { Result } from '../base/index.ts';
import type {
  Entry,
  Index,
  MemberChange,
  MemberName,
  Message,
  Output,
  Payload,
  Reading,
  Settlement,
  Snapshot,
} from '../consensus/index.ts';

/** One submission as the log holds it. */
export type Submission = Extract<Payload, { readonly type: 'changes' }>;

/** What the driver needs of a replica: inputs that only note, and one `take` a turn. */
export interface ReplicaDoor {
  tick(nowMs: number): void;
  receive(from: MemberName, message: Message): void;
  propose(id: number, payload: Submission): void;
  changeMember(id: number, change: MemberChange): void;
  transfer(id: number, to: MemberName | null): void;
  read(id: number): void;
  persisted(token: number): void;
  compacted(snapshot: Snapshot): void;
  /** What a snapshot at the applied index needs beside the state. */
  describe(index: Index): Omit<Snapshot, 'state'>;
  take(): Output;
}

/** What the driver needs of the network: a message may be lost, nothing is reported. */
export interface MessageSender {
  send(to: MemberName, message: Message): void;
}

/** The applied state, as the driver sees it: entries in, bytes in and out. */
export interface AppliedState {
  /** Replaces everything by a snapshot. A failure means that this node cannot go on. */
  install(snapshot: Snapshot): Result<void, Error>;
  /** The next entry of the log; each comes once, in order. */
  apply(entry: Entry): Result<void, Error>;
  snapshot(): Uint8Array;
}

type WithoutId<Each> = Each extends { readonly id: number } ? Omit<Each, 'id'> : never;

/** The driver's own no: the disk takes nothing at present, or this node has stopped. */
export interface DriverRefusal {
  readonly type: 'refused';
  readonly reason: 'disk' | 'stopped';
  readonly master: MemberName | null;
  readonly detail: string;
}

/** What became of something proposed. */
export type Outcome = WithoutId<Settlement> | DriverRefusal;

/** What became of a read: `ready` once everything up to `index` is applied here. */
export type ReadOutcome = WithoutId<Reading>;

/** Called once. */
export type Settled = (outcome: Outcome) => void;
