/**
 * Calls that wait for an answer of this node: bounded in number and in time.
 *
 * All of one list may wait equally long, so that the oldest is always the first that is overdue. A
 * full list takes no more; the caller is told at once.
 */
import type { Clock } from '../base/index.ts';
import type { IncomingCall } from './incoming-call.ts';

interface Waiting {
  readonly call: IncomingCall;
  readonly deadlineMs: number;
}

/** The waiting calls of one kind. */
export class PendingCalls {
  readonly #waiting = new Map<string, Waiting>();
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  readonly #max: number;

  constructor(clock: Clock, bounds: { readonly timeoutMs: number; readonly max: number }) {
    this.#clock = clock;
    this.#timeoutMs = bounds.timeoutMs;
    this.#max = bounds.max;
  }

  get size(): number {
    return this.#waiting.size;
  }

  /** False: the list is full. A call under a key that is waited for already takes its place. */
  add(key: string, call: IncomingCall): boolean {
    this.#expire(key, this.#waiting.get(key));
    if (this.#waiting.size >= this.#max) return false;
    this.#waiting.set(key, { call, deadlineMs: this.#clock.monotonicMs() + this.#timeoutMs });
    return true;
  }

  /** Takes the call under a key out of the list; null: it is not there any more. */
  take(key: string): IncomingCall | null {
    const waiting = this.#waiting.get(key);
    this.#waiting.delete(key);
    return waiting?.call ?? null;
  }

  /** Answers those that have waited too long. */
  sweep(): void {
    const nowMs = this.#clock.monotonicMs();
    for (const [key, waiting] of this.#waiting) {
      if (waiting.deadlineMs > nowMs) return;
      this.#expire(key, waiting);
    }
  }

  /** Answers all whose key begins so; nobody else will. */
  abandon(prefix: string): void {
    for (const [key, waiting] of this.#waiting) if (key.startsWith(prefix)) this.#expire(key, waiting);
  }

  #expire(key: string, waiting: Waiting | undefined): void {
    if (waiting === undefined) return;
    this.#waiting.delete(key);
    waiting.call.error(503, 'ERR_CALL', 'No answer in time');
  }
}
