/**
 * What the supervisor and its workers say to each other, one union for each direction.
 *
 * Plain JSON over the channel that Node gives a forked process; a listening handle may ride along.
 * Nothing here carries client bytes (law 1): messages between workers travel over `bus/`.
 */
import type { Mode, WorkerSlot } from '../base/index.ts';
import type { Config, TlsMaterial } from '../config/index.ts';

/** What a worker process does. There are `workers` gateways and at most one api worker. */
export type WorkerKind = 'gateway' | 'api';

/** The listening sockets of a node. */
export type ListenerName = 'public' | 'app' | 'api';

/** kuiperbelt's six counters; of one worker, or summed. */
export interface StatsCounters {
  readonly connections: number;
  readonly totalConnections: number;
  readonly totalMessages: number;
  readonly connectErrors: number;
  readonly messageErrors: number;
  readonly closingConnections: number;
}

/** A grant carries it. */
export type { Mode };

/** What the supervisor of a node tells the others every few seconds, outside the log. */
export interface Bulletin {
  readonly node: string;
  readonly epoch: number;
  readonly mode: Mode;
  readonly connections: number;
  readonly connectionsMax: number;
  /** Heard of lately; always true for the node that tells. */
  readonly connected: boolean;
  /** As the log knows it: its word counts, or it only follows. */
  readonly voter: boolean;
  readonly master: boolean;
  readonly ballot: number;
  readonly commitIndex: number;
  /** The release that runs there. */
  readonly version: string;
}

/** What the supervisor does for operators; the lists they read come from the workers' copies. */
export type OperationName =
  | 'InitCluster'
  | 'JoinCluster'
  | 'PurgeClusterNode'
  | 'ChangeMode'
  | 'GetMode'
  | 'RaftStatus';

/** What became of an operation. `error` is UPPER-KEBAB; `reason` says more about it. */
export type OperationOutcome =
  | { readonly ok: true; readonly answer: unknown }
  | { readonly ok: false; readonly error: string; readonly reason?: unknown };

/** A worker process that the node counts on. `run` grows by one with each replacement of a slot. */
export interface WorkerPlace {
  readonly kind: WorkerKind;
  readonly slot: WorkerSlot;
  readonly run: number;
  /** Path of the unix socket on which this run's mesh listens. */
  readonly meshPath: string;
}

/** What a worker speaks TLS with, before it has read a file itself. Secret. */
export interface WorkerTls {
  readonly material: TlsMaterial;
  /** Base64 of 48 random bytes, the same for all workers: a session resumes at any of them. */
  readonly ticketKeys: string;
}

/** Everything a worker has to know before it can do anything. */
export interface WorkerInit {
  readonly type: 'init';
  readonly kind: WorkerKind;
  readonly slot: WorkerSlot;
  readonly run: number;
  readonly config: Config;
  /** Name of the node, given or derived; for logs, metrics and callbacks. */
  readonly nodeName: string;
  /** Drawn at each start of the node; tells `worker_lost` from `node_restarted`. */
  readonly bootId: string;
  /** Number of gateway workers of this node. */
  readonly workers: number;
  /** Resolved value of `X-Kuiperbelt-Endpoint`. */
  readonly endpoint: string;
  readonly dataDir: string;
  readonly meshPath: string;
  /** Journals of earlier runs that this worker answers for. */
  readonly adoptJournals: readonly string[];
  /** Null: no listener speaks TLS. */
  readonly tls: WorkerTls | null;
}

/** How often the configuration was read again since the node started, and what came of it. */
export interface ReloadCounts {
  readonly type: 'reloads';
  readonly applied: number;
  /** Read, and nothing of it could be applied: there was no change, or none but in keys that wait. */
  readonly unchanged: number;
  readonly refused: number;
  /** Unix time at which the configuration in force was read. */
  readonly readAtMs: number;
}

/** Permission to admit, renewed with each heartbeat; see law 4. */
export interface Grant {
  readonly type: 'grant';
  readonly mode: Mode;
  /** Out of contact with the majority for too long, whatever the mode: nothing is ordered or claimed. */
  readonly isolated: boolean;
  /** Age of the contact with the majority when this was sent; 0 for a node by itself. */
  readonly contactAgeMs: number;
}

/** Supervisor to worker. */
export type ToWorker =
  | WorkerInit
  /** A bound handle rides along: accept on it. */
  | { readonly type: 'listen'; readonly listener: ListenerName }
  /** Stop accepting on that listener; its handle is closed. Open connections live on. */
  | { readonly type: 'unlisten'; readonly listener: ListenerName }
  /** All workers that are ready, and the counters of runs that ended. Sent on every change. */
  | { readonly type: 'peers'; readonly peers: readonly WorkerPlace[]; readonly ended: StatsCounters }
  | Grant
  /** The state that the cluster agreed on, up to `index`. First, and again where changes were skipped. */
  | { readonly type: 'cluster'; readonly index: number; readonly snapshot: string }
  /** Committed changes, for the copy of that state. Opaque here: the room of the rules reads them. */
  | { readonly type: 'changes'; readonly index: number; readonly changes: readonly unknown[] }
  /** What the nodes tell of themselves; `self` is this one. On change, not oftener than twice a second. */
  | { readonly type: 'bulletins'; readonly self: string; readonly nodes: readonly Bulletin[] }
  /** The epoch of this node is over: what is held for it is closed with 1012, and nothing is owed for it. */
  | { readonly type: 'epoch_ended'; readonly epoch: number }
  /** To the api worker: what became of the operation with this number. */
  | { readonly type: 'operated'; readonly id: number; readonly outcome: OperationOutcome }
  /** To the api worker: gateways that admit nobody because of their load, and how many workers hung. */
  | { readonly type: 'health'; readonly overloaded: readonly WorkerSlot[]; readonly hung: number }
  /** Act on this configuration from now on, and answer `reloaded`. Nobody is disconnected by it. */
  | {
      readonly type: 'reload';
      /** Counts the reloads of this node that changed something. */
      readonly generation: number;
      readonly config: Config;
      readonly endpoint: string;
    }
  /** For the operator's figures: to the api worker only, at its start and after each reload. */
  | ReloadCounts
  /** Other keys for tickets from now on. */
  | { readonly type: 'ticket_keys'; readonly ticketKeys: string }
  /** To gateways: the session keys whose steps are logged from now on, and for how long. */
  | { readonly type: 'watch'; readonly keys: readonly { readonly key: string; readonly forMs: number }[] }
  /** Close everything within `timeoutMs`, answer `drained`, then exit with 0. */
  | { readonly type: 'drain'; readonly timeoutMs: number };

/** Worker to supervisor. */
export type FromWorker =
  /** Journals are adopted and the mesh listens; listeners may be handed over now. */
  | { readonly type: 'ready' }
  /** The answer to each grant: the event loop turns. */
  | { readonly type: 'alive' }
  /** The kernel accepts on that listener for this worker. `WorkerChannel` says it by itself. */
  | { readonly type: 'listening'; readonly listener: ListenerName }
  | {
      readonly type: 'load';
      readonly stats: StatsCounters;
    }
  /** The worker begins or ends to refuse clients because of its load. */
  | { readonly type: 'overload'; readonly overloaded: boolean }
  /** It had stopped listening there for want of descriptors, and has some again: give it anew. */
  | { readonly type: 'gave_back'; readonly listener: ListenerName }
  | {
      readonly type: 'drained';
      readonly connectionsClosed: number;
      /** Close callbacks that were not answered in time; they stay in the journal. */
      readonly closeCallbacksGivenUp: number;
    }
  /** All that this worker does from now on follows the configuration of that generation. */
  | { readonly type: 'reloaded'; readonly generation: number }
  /** From the api worker: what an operator wants done. Exactly one `operated` follows. */
  | {
      readonly type: 'operate';
      readonly id: number;
      readonly operation: OperationName;
      readonly request: unknown;
    }
  /** The worker cannot go on and says why before it exits with 1. */
  | { readonly type: 'fatal'; readonly message: string };

/** No counts at all; the start of every sum. */
export const NO_STATS: StatsCounters = {
  connections: 0,
  totalConnections: 0,
  totalMessages: 0,
  connectErrors: 0,
  messageErrors: 0,
  closingConnections: 0,
};

/** Adds two sets of counters. */
export function addStats(left: StatsCounters, right: StatsCounters): StatsCounters {
  return {
    connections: left.connections + right.connections,
    totalConnections: left.totalConnections + right.totalConnections,
    totalMessages: left.totalMessages + right.totalMessages,
    connectErrors: left.connectErrors + right.connectErrors,
    messageErrors: left.messageErrors + right.messageErrors,
    closingConnections: left.closingConnections + right.closingConnections,
  };
}
