/**
 * How one worker names another, on its own node and on others.
 *
 * A *seat* is a worker's place in the whole cluster and outlives the processes that take it; an
 * address names one life of one worker in it. Seats are strings that are put together once, so that
 * they are compared, used as keys and sent as JSON without any further thought.
 */
import type { Branded, WorkerSlot } from './ids.ts';

/** The place of a worker in the cluster: its slot and its node. Replacements take the same seat. */
export type Seat = Branded<'Seat'>;

/** What an address is made of. */
export interface WorkerName {
  /** `name@host` of its node. */
  readonly node: string;
  /** How often that node had joined; 0 among the workers of one node, who need no epoch. */
  readonly epoch: number;
  readonly slot: WorkerSlot;
  /** Counts the processes that had that slot since the node was started. */
  readonly run: number;
}

/** One worker process, of which a seat has one at a time. */
export interface WorkerAddress extends WorkerName {
  readonly seat: Seat;
}

/** The seat of a slot of `node`. */
export function seatOf(node: string, slot: WorkerSlot): Seat {
  return `${slot}/${node}` as Seat;
}

/** The seats of all workers of a node, by slot. */
export function seatsOf(node: string, workers: number): readonly Seat[] {
  return Array.from({ length: workers }, (_, slot) => seatOf(node, slot));
}

/** The address with these parts. */
export function workerAddress({ node, epoch, slot, run }: WorkerName): WorkerAddress {
  return { node, epoch, slot, run, seat: seatOf(node, slot) };
}

/** Whether both name the same process. */
export function isSameWorker(left: WorkerAddress, right: WorkerAddress): boolean {
  return left.seat === right.seat && left.run === right.run && left.epoch === right.epoch;
}

/** Whether `later` took the seat after `earlier`; both are of one seat. */
export function isLaterRun(later: WorkerAddress, earlier: WorkerAddress): boolean {
  return later.epoch > earlier.epoch || (later.epoch === earlier.epoch && later.run > earlier.run);
}
