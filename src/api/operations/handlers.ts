/**
 * Which function carries out which operation of the contract: a handler for each, and none besides.
 */
import { assert } from '../../base/index.ts';
import { operations } from '../../contract/index.ts';
import type { Handler } from '../front/operation-answer.ts';
import { type ClusterListDoors, clusterLists } from './cluster-lists.ts';
import { type ClusterOrderDoors, clusterOrders } from './cluster-orders.ts';
import { connectionLists } from './connection-lists.ts';
import { connectionOrders } from './connection-orders.ts';
import { type NodeFigureDoors, nodeFigures } from './node-figures.ts';

/** What the handlers need, all together. */
export type HandlerDoors = ClusterListDoors & ClusterOrderDoors & NodeFigureDoors;

/** The handlers by the names of their operations. */
export function handlersWith(doors: HandlerDoors): ReadonlyMap<string, Handler> {
  const handlers: Record<string, Handler> = {
    ...clusterLists(doors),
    ...clusterOrders(doors),
    ...nodeFigures(doors),
    ...connectionLists(doors.workers),
    ...connectionOrders(doors.workers),
  };
  const names = operations.map(({ name }) => name).sort();
  assert(String(Object.keys(handlers).sort()) === String(names), 'each operation has its handler');
  return new Map(Object.entries(handlers));
}
