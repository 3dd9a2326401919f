/**
 * The gateway workers of this node, as operations ask them.
 *
 * All are asked at once and waited for within a bound. Who does not answer is named, because a
 * worker's silence is not the same as having nothing to say.
 */
import { OPERATOR_LIMITS, type Result, seatOf, type WorkerSlot } from '../../base/index.ts';
import { type Bus, type BusAnswer, type BusFailure, type Json, NO_BYTES } from '../../bus/index.ts';

/** What they are asked with. */
export interface GatewayWorkersDoors {
  readonly bus: Bus;
  readonly workers: number;
}

/** What one worker said. */
export interface Told {
  readonly slot: WorkerSlot;
  readonly answer: Result<BusAnswer, BusFailure>;
}

/** Asks gateway workers of this node. */
export class GatewayWorkers {
  readonly #doors: GatewayWorkersDoors;
  readonly slots: readonly WorkerSlot[];

  constructor(doors: GatewayWorkersDoors) {
    this.#doors = doors;
    this.slots = Array.from({ length: doors.workers }, (_, slot) => slot);
  }

  /** Asks one. */
  ask(slot: WorkerSlot, kind: string, facts: Json, bytes: Uint8Array = NO_BYTES): Promise<Told> {
    const { bus } = this.#doors;
    return new Promise((resolve) => {
      const message = { kind, facts, bytes };
      const seat = seatOf(bus.self.node, slot);
      bus.ask(seat, message, OPERATOR_LIMITS.workerWaitMs, (answer) => resolve({ slot, answer }));
    });
  }

  /** Asks all of them the same. */
  askAll(kind: string, facts: Json, bytes: Uint8Array = NO_BYTES): Promise<Told[]> {
    return Promise.all(this.slots.map((slot) => this.ask(slot, kind, facts, bytes)));
  }
}
