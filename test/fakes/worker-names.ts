/** Names of workers in tests: of the one node that most of them have, unless they say another. */
import { type Seat, seatOf, type WorkerAddress, workerAddress } from '../../src/base/index.ts';

/** The node that tests are about when they say nothing else. */
export const NODE = 'node-01@127.0.0.1';

/** The seat of a slot of the one node. */
export function seatAt(slot: number): Seat {
  return seatOf(NODE, slot);
}

/** A worker of the one node. */
export function workerAt(slot: number, run = 1): WorkerAddress {
  return workerAddress({ node: NODE, epoch: 0, slot, run });
}
