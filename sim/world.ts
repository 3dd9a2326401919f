/**
 * The simulated world's time: a clock that jumps from event to event, and the heap of what is to come.
 *
 * Knows nothing of nodes, networks or disks. Events of one moment happen in the order in which they
 * were asked for, so a run depends on its seed alone.
 */
import { assert } from '../src/base/index.ts';

/** Something that will happen; `run` becomes null when it was called off. */
export interface Appointment {
  readonly atMs: number;
  readonly order: number;
  run: (() => void) | null;
}

/** Virtual time and the events in it. */
export class World {
  #nowMs = 0;
  #made = 0;
  #done = 0;
  #heap: Appointment[] = [];

  /** Milliseconds since the beginning of the world; what no node can know exactly. */
  get nowMs(): number {
    return this.#nowMs;
  }

  /** Events that have happened. */
  get events(): number {
    return this.#done;
  }

  /** Events to come, those called off included. */
  get pending(): number {
    return this.#heap.length;
  }

  /** Lets `run` happen `delayMs` from now; at once means after everything else that is due now. */
  after(delayMs: number, run: () => void): Appointment {
    assert(delayMs >= 0, 'nothing happens in the past');
    const appointment = { atMs: this.#nowMs + delayMs, order: this.#made++, run };
    this.#push(appointment);
    return appointment;
  }

  /** Lets the next event happen; false when there is none until `untilMs`. */
  step(untilMs: number): boolean {
    for (;;) {
      const next = this.#heap[0];
      if (next === undefined || next.atMs > untilMs) return false;
      this.#pop();
      if (next.run === null) continue;
      this.#nowMs = next.atMs;
      this.#done++;
      next.run();
      return true;
    }
  }

  /** Lets everything happen until `untilMs`, or until `enough` says so. */
  runUntil(untilMs: number, enough: () => boolean = never): void {
    while (!enough()) {
      if (this.step(untilMs)) continue;
      this.#nowMs = untilMs;
      return;
    }
  }

  #push(appointment: Appointment): void {
    const heap = this.#heap;
    let place = heap.length;
    heap.push(appointment);
    while (place > 0) {
      const parent = (place - 1) >> 1;
      const above = heap[parent] as Appointment;
      if (!isBefore(appointment, above)) break;
      heap[place] = above;
      place = parent;
    }
    heap[place] = appointment;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop() as Appointment;
    if (heap.length === 0) return;
    let place = 0;
    for (;;) {
      let child = 2 * place + 1;
      if (child >= heap.length) break;
      const right = child + 1;
      if (right < heap.length && isBefore(heap[right] as Appointment, heap[child] as Appointment))
        child = right;
      if (!isBefore(heap[child] as Appointment, last)) break;
      heap[place] = heap[child] as Appointment;
      place = child;
    }
    heap[place] = last;
  }
}

function isBefore(left: Appointment, right: Appointment): boolean {
  return left.atMs === right.atMs ? left.order < right.order : left.atMs < right.atMs;
}

function never(): boolean {
  return false;
}
