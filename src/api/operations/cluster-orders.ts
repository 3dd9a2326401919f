/**
 * What changes the cluster or the mode of this node: handed to the supervisor, which decides.
 */
import type { Mode } from '../../base/index.ts';
import type { OperationName } from '../../process/index.ts';
import type { SupervisorCalls } from '../cluster/supervisor-calls.ts';
import { answered, type Handler } from '../front/operation-answer.ts';

/** Whom they are handed to. */
export interface ClusterOrderDoors {
  readonly supervisor: SupervisorCalls;
  /** What this node admits, as its workers know it. */
  readonly mode: () => Mode;
}

/** The handlers of all. */
export function clusterOrders({ supervisor, mode }: ClusterOrderDoors): Record<string, Handler> {
  const handOn =
    (operation: OperationName): Handler =>
    (values) =>
      supervisor.perform(operation, values);
  return {
    GetMode: async () => answered({ mode: mode() }),
    ChangeMode: handOn('ChangeMode'),
    InitCluster: handOn('InitCluster'),
    JoinCluster: handOn('JoinCluster'),
    RegisterClusterNode: handOn('JoinCluster'),
    PurgeClusterNode: handOn('PurgeClusterNode'),
  };
}
