/**
 * What a `Retry-After` of this node's own says: a moment drawn from a span, in whole seconds.
 *
 * Clients that are sent away at one moment should not come back at one. The span is as long as it
 * takes to let in whoever came before, so that each finds room; it is bounded, because nobody knows
 * how many of them will come back at all. What an application answers is never changed.
 */
import { LIMITS } from '../../base/index.ts';

/** How long a client should stay away: `leastMs`, and up to `spreadMs` more by chance. */
export interface RetryWait {
  readonly leastMs: number;
  readonly spreadMs: number;
}

/**
 * The wait of somebody who comes after `ahead` others, of whom `perSecond` are let in: the second
 * half of the time that those take. Waits of growing halves add up to a steady stream, where draws
 * from the whole of it would crowd the first seconds.
 */
export function waitBehind(ahead: number, perSecond: number): RetryWait {
  const halfMs = Math.min(LIMITS.retryAfterSpreadMaxMs, (ahead / perSecond) * 1_000) / 2;
  return { leastMs: halfMs, spreadMs: halfMs };
}

/** The value of the header, at least 1. `fraction`: chance, in [0, 1). */
export function retryAfterSeconds({ leastMs, spreadMs }: RetryWait, fraction: number): number {
  return Math.max(1, Math.ceil((leastMs + fraction * spreadMs) / 1_000));
}
