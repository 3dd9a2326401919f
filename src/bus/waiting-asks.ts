/**
 * Questions to a worker that is being replaced, kept until its next run can be asked.
 *
 * They were never sent, so whoever waited in vain may ask again without harm. Bounded in number
 * and in bytes over all seats. Driven by `MeshBus`.
 */
import { failed, LIMITS, type Seat } from '../base/index.ts';
import type { AskDone } from './ask-table.ts';
import type { BusMessage } from './bus.ts';

/** One question and its patience. */
export interface WaitingAsk {
  readonly message: BusMessage;
  readonly deadlineMs: number;
  readonly done: AskDone;
}

/** The waiting questions of one worker, first come, first served. */
export class WaitingAsks {
  #bySeat = new Map<Seat, WaitingAsk[]>();
  #count = 0;
  #bytes = 0;

  get size(): number {
    return this.#count;
  }

  /** Keeps a question; false when too many wait already. */
  add(seat: Seat, ask: WaitingAsk): boolean {
    const bytes = this.#bytes + ask.message.bytes.length;
    if (this.#count >= LIMITS.linkAsksWaitingMax || bytes > LIMITS.linkOutboxBytesMax) return false;
    const waiting = this.#bySeat.get(seat);
    if (waiting === undefined) this.#bySeat.set(seat, [ask]);
    else waiting.push(ask);
    this.#count++;
    this.#bytes = bytes;
    return true;
  }

  /** Takes all questions to `seat`, oldest first. */
  take(seat: Seat): WaitingAsk[] {
    const waiting = this.#bySeat.get(seat) ?? [];
    this.#bySeat.delete(seat);
    for (const ask of waiting) this.#release(ask);
    return waiting;
  }

  /** Gives up on questions that waited long enough: there was nobody to reach. */
  sweep(nowMs: number): void {
    const overdue: WaitingAsk[] = [];
    for (const [seat, waiting] of this.#bySeat) {
      const patient = waiting.filter((ask) => ask.deadlineMs > nowMs);
      if (patient.length === waiting.length) continue;
      overdue.push(...waiting.filter((ask) => ask.deadlineMs <= nowMs));
      if (patient.length === 0) this.#bySeat.delete(seat);
      else this.#bySeat.set(seat, patient);
    }
    for (const ask of overdue) this.#release(ask);
    for (const { done } of overdue) done(failed('unreachable'));
  }

  #release(ask: WaitingAsk): void {
    this.#count--;
    this.#bytes -= ask.message.bytes.length;
  }
}
