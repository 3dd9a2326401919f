/**
 * What a node's part in its cluster stands on, as `main/` gives it. Types only.
 */
import type { Clock, Logger, Random, Result, Timers } from '../../base/index.ts';
import type { ClusterChange, NodeFacts } from '../../cluster/index.ts';
import type { ClusterConfig } from '../../config/index.ts';
import type { MemberName } from '../../consensus/index.ts';
import type { NodeCallHandler, NodeCalls } from '../../peer/index.ts';
import type { ReplicatedLog, ReplicatedState } from '../../store/index.ts';

/** The log, as far as a supervisor uses it. */
export type ClusterLog = Pick<
  ReplicatedLog<ClusterChange>,
  | 'on'
  | 'start'
  | 'submit'
  | 'read'
  | 'addMember'
  | 'removeMember'
  | 'members'
  | 'status'
  | 'silences'
  | 'close'
>;

/** How a log is opened. */
export interface LogOrder {
  readonly state: ReplicatedState<ClusterChange>;
  /** Addresses of those whom a new cluster is founded with; null: it is founded by others, or was. */
  readonly founding: readonly MemberName[] | null;
}

/** The port between supervisors. */
export interface ClusterPort {
  call: NodeCalls['call'];
  serve(path: string, handler: NodeCallHandler): void;
  close(): Promise<void>;
}

/** The world of a node's part in its cluster. */
export interface ClusterDoors {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly logger: Logger;
  readonly nodeName: string;
  /** Null: the node is by itself, without a port. */
  readonly cluster: ClusterConfig | null;
  readonly isolationTimeoutMs: () => number;
  /** What the node says of itself when it comes up. */
  readonly facts: NodeFacts;
  /** Draws the name of one life of the node. */
  readonly drawBoot: () => string;
  /** Opens nothing yet. */
  readonly createLog: (order: LogOrder) => ClusterLog;
  /** Listens before it resolves. Only called where there is a cluster. */
  readonly openPort: () => Promise<ClusterPort>;
}

/** What became of a request to another node, or of an operation. */
export type Answered<Value> = Result<Value, OperationFailure>;

/** Why an operation did not come to pass; `error` in UPPER-KEBAB. */
export interface OperationFailure {
  readonly error: string;
  readonly reason?: Readonly<Record<string, unknown>>;
}
