/**
 * What this node may hold and what it has counted.
 */
import { OPERATOR_KINDS } from '../../bus/index.ts';
import type { Bulletin, StatsCounters } from '../../process/index.ts';
import { answered, type Handler, refused } from '../front/operation-answer.ts';
import type { GatewayWorkers } from './gateway-workers.ts';

/** How much a node may hold, in the shape of a licence. */
export interface Capacity {
  readonly maxConnections: number;
  readonly maxNodes: number;
}

/** What the figures are read from. */
export interface NodeFigureDoors {
  readonly version: string;
  readonly capacity: () => Capacity;
  readonly workers: GatewayWorkers;
  /** What the node tells of itself; null before the supervisor has said anything. */
  readonly own: () => Bulletin | null;
}

/** The licence of the program itself; nothing has to be bought. */
export const LICENCE_TYPE = 'MIT';

/** The capacity in the shape of a serial code. */
export function serialCode({ maxConnections, maxNodes }: Capacity): string {
  return `ARROKOTH-N${maxNodes}-${maxConnections}`;
}

/** The handlers of both. */
export function nodeFigures(doors: NodeFigureDoors): Record<string, Handler> {
  return {
    GetLicense: async () => {
      const capacity = doors.capacity();
      return answered({
        expired_at: '9999-12',
        max_connections: capacity.maxConnections,
        max_nodes: capacity.maxNodes,
        product_name: 'Arrokoth',
        serial_code: serialCode(capacity),
        type: LICENCE_TYPE,
      });
    },
    GetStatsReport: async () => {
      const stats = await nodeStats(doors.workers);
      if (stats === null) return refused('WORKER-UNAVAILABLE');
      const own = doors.own();
      const cluster = own === null ? {} : { cluster: logFigures(own) };
      return answered({ version: doors.version, ...figuresOf(stats), ...cluster });
    },
  };
}

/** Any worker knows the sum; the first one that answers says it. */
async function nodeStats(workers: GatewayWorkers): Promise<StatsCounters | null> {
  for (const slot of workers.slots) {
    const { answer } = await workers.ask(slot, OPERATOR_KINDS.stats, null);
    if (answer.ok) return answer.value.facts as unknown as StatsCounters;
  }
  return null;
}

function logFigures({ master, voter, ballot, commitIndex }: Bulletin): Record<string, unknown> {
  const follows = voter ? 'follower' : 'learner';
  return {
    raft_state: master ? 'leader' : follows,
    raft_term: ballot,
    raft_commit_index: commitIndex,
  };
}

function figuresOf(stats: StatsCounters): Record<string, number> {
  return {
    total_connection_created: stats.totalConnections,
    total_connection_destroyed: stats.totalConnections - stats.connections,
    total_ongoing_connections: stats.connections,
    total_successful_connections: stats.totalConnections - stats.connectErrors,
    total_failed_connections: stats.connectErrors,
    total_sent_messages: stats.totalMessages,
    total_failed_messages: stats.messageErrors,
  };
}
