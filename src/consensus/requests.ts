/**
 * Which request ids the log holds, so that a repeated submission is not applied again.
 *
 * What was applied is a function of the log alone: each replica keeps the same ids, and forgets the
 * oldest at the same index, or their states would part. That part goes into snapshots. What stands
 * in the log and is not applied yet is kept beside it, for the master to find a repeat early.
 */
import { BoundedQueue, LOG_LIMITS } from '../base/index.ts';
import type { Entry, Index, Snapshot } from './types.ts';

/** The request ids of one log. */
export class RequestWindow {
  /** In the order of application. */
  readonly #applied = new Map<string, Index>();
  /** The same order once more: to look for the oldest key of a map costs more the more were deleted. */
  #order = new BoundedQueue<string>(LOG_LIMITS.requestsMax);
  readonly #waiting = new Map<string, Index>();

  /** Where the request stands in the log; undefined: nowhere, or so long ago that it is forgotten. */
  find(requestId: string): Index | undefined {
    return this.#applied.get(requestId) ?? this.#waiting.get(requestId);
  }

  /** `entry` was appended to the log. */
  appended({ index, payload }: Entry): void {
    if (payload.type !== 'changes' || payload.requestId === null) return;
    if (!this.#waiting.has(payload.requestId)) this.#waiting.set(payload.requestId, index);
  }

  /** The log lost `from` and everything after it. */
  truncated(from: Index): void {
    for (const [requestId, index] of this.#waiting) if (index >= from) this.#waiting.delete(requestId);
  }

  /** `entry` is next to be applied; false when its request was applied before, and must not be again. */
  applies({ index, payload }: Entry): boolean {
    if (payload.type !== 'changes' || payload.requestId === null) return true;
    const { requestId } = payload;
    if (this.#waiting.get(requestId) === index) this.#waiting.delete(requestId);
    if (this.#applied.has(requestId)) return false;
    this.#remember(requestId, index);
    return true;
  }

  /** What was applied, oldest first, as a snapshot keeps it. */
  list(): Snapshot['requests'] {
    return [...this.#applied];
  }

  /** Starts over from a snapshot. */
  reset(requests: Snapshot['requests']): void {
    this.#waiting.clear();
    this.#applied.clear();
    this.#order = new BoundedQueue(LOG_LIMITS.requestsMax);
    for (const [requestId, index] of requests) this.#remember(requestId, index);
  }

  #remember(requestId: string, index: Index): void {
    this.#applied.set(requestId, index);
    if (this.#order.push(requestId)) return;
    this.#applied.delete(this.#order.shift() as string);
    this.#order.push(requestId);
  }
}
