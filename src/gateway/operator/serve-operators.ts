/**
 * Makes this worker answer what operators ask of it over the bus.
 */
import { type OperatorListDoors, OperatorLists } from './operator-lists.ts';
import { type OperatorOrderDoors, OperatorOrders } from './operator-orders.ts';

/** From now on lists, disconnects, pushes and counters of this worker are answered. */
export function serveOperators(doors: OperatorListDoors & OperatorOrderDoors): void {
  new OperatorLists(doors);
  new OperatorOrders(doors);
}
