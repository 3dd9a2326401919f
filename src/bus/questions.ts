/**
 * The questions of one worker, from the moment they are asked until their one answer.
 *
 * Some were sent and some wait for somebody to be asked; one sweep ends those whose time is up, and
 * runs only while there are any. Never calls back while the asker's own code is still running.
 * Driven by `MeshBus`, which knows the links.
 */
import { type Cancellable, type Clock, failed, LIMITS, ok, type Seat, type Timers } from '../base/index.ts';
import { type AskDone, AskTable } from './ask-table.ts';
import { type BusFailure, type BusMessage, NO_BYTES, type Reply, type Sister } from './bus.ts';
import type { BusHandlers } from './bus-handlers.ts';
import type { LinkFrame } from './frame-codec.ts';
import type { SisterLink } from './sister-link.ts';
import { type WaitingAsk, WaitingAsks } from './waiting-asks.ts';

const FAILURES: readonly string[] = ['unreachable', 'timeout', 'overloaded'] satisfies BusFailure[];

/** What one worker asked and has no answer to. */
export class Questions {
  readonly #clock: Clock;
  readonly #timers: Timers;
  readonly #asks = new AskTable();
  readonly #waiting = new WaitingAsks();
  #sweep: Cancellable | null = null;
  #closed = false;

  constructor(doors: { readonly clock: Clock; readonly timers: Timers }) {
    this.#clock = doors.clock;
    this.#timers = doors.timers;
  }

  get size(): number {
    return this.#asks.size + this.#waiting.size;
  }

  /** A question with its patience, which begins now. */
  make(message: BusMessage, timeoutMs: number, done: AskDone): WaitingAsk {
    this.#sweep ??= this.#timers.every(LIMITS.linkSweepMs, () => this.#sweepOverdue());
    return { message, deadlineMs: this.#clock.monotonicMs() + timeoutMs, done };
  }

  /** Sends a question over a link that is up. */
  over(link: SisterLink, { message, deadlineMs, done }: WaitingAsk): void {
    const id = this.#asks.add({ owner: link, deadlineMs, done });
    if (id === null) return this.failLater(done, 'overloaded');
    if (link.send({ type: 'ask', id, ...message })) return;
    this.#asks.withdraw(id);
    this.failLater(done, 'overloaded');
  }

  /** A microtask is the soonest that is not now: it runs when the asker's own code has returned. */
  toSelf(self: Sister, handlers: BusHandlers, { message, deadlineMs, done }: WaitingAsk): void {
    const id = this.#asks.add({ owner: this, deadlineMs, done });
    if (id === null) return this.failLater(done, 'overloaded');
    queueMicrotask(() => {
      const reply: Reply = (facts, bytes = NO_BYTES) => this.#asks.settle(id, this, ok({ facts, bytes }));
      if (!this.#closed && handlers.ask(self, message, reply)) return;
      this.#asks.withdraw(id);
      this.failLater(done, 'unreachable');
    });
  }

  /** Keeps a question until somebody has that seat. */
  wait(seat: Seat, ask: WaitingAsk): void {
    if (!this.#waiting.add(seat, ask)) this.failLater(ask.done, 'overloaded');
  }

  /** Somebody has that seat: what waited is sent, in the order of asking. */
  sendWaiting(link: SisterLink): void {
    for (const ask of this.#waiting.take(link.sister.seat)) this.over(link, ask);
  }

  /** Nobody will have that seat any more. */
  refuseWaiting(seat: Seat): void {
    for (const { done } of this.#waiting.take(seat)) this.failLater(done, 'gone');
  }

  /** Takes an answer that came over a link; false when it is none. */
  answered(link: SisterLink, { type, id, facts, bytes }: LinkFrame): boolean {
    if (type === 'answer') {
      this.#asks.settle(id, link, ok({ facts, bytes }));
      return true;
    }
    if (type !== 'refused' || !FAILURES.includes(facts as string)) return false;
    this.#asks.settle(id, link, failed(facts as BusFailure));
    return true;
  }

  /** Whoever was asked over that link will not answer. */
  linkEnded(link: SisterLink): void {
    this.#asks.failOwner(link, 'unreachable');
  }

  /** At the end of the turn and not sooner: an asker that tries again at once must not starve the rest. */
  failLater(done: AskDone, failure: BusFailure): void {
    this.#timers.endOfTurn(() => done(failed(failure)));
  }

  /** Ends all that are open, at the end of the turn. */
  close(): void {
    this.#closed = true;
    this.#sweep?.cancel();
    this.#timers.endOfTurn(() => {
      this.#asks.sweep(Number.POSITIVE_INFINITY, 'unreachable');
      this.#waiting.sweep(Number.POSITIVE_INFINITY);
    });
  }

  #sweepOverdue(): void {
    const nowMs = this.#clock.monotonicMs();
    this.#asks.sweep(nowMs, 'timeout');
    this.#waiting.sweep(nowMs);
    if (this.size > 0) return;
    this.#sweep?.cancel();
    this.#sweep = null;
  }
}
