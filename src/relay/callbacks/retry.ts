/**
 * Close callbacks that were not answered: whether and when to try again.
 *
 * The delay doubles to a maximum, and half of it is chance, so that an application which comes
 * back after an outage is not met by all events at the same moment.
 */
import { assert, type Result } from '../../base/index.ts';

/** Where an event stands. */
export interface RetryFacts {
  /** Attempts made so far, the one that just failed included. */
  readonly attempt: number;
  readonly attemptsMax: number;
  readonly backoffMs: number;
  readonly backoffMaxMs: number;
  /** Chance, in [0, 1). */
  readonly fraction: number;
}

/** What to do after an attempt that failed. */
export type RetryVerdict =
  | { readonly type: 'again'; readonly delayMs: number }
  | { readonly type: 'give_up' };

/** `refused`: the application answered and does not want it; it is logged and never sent again. */
export type CloseAnswerVerdict = 'delivered' | 'again' | 'refused';

/** Statuses below 500 that say "later": timeout, too early, too many requests. */
const LATER = new Set([408, 425, 429]);

/** The delay before the next attempt, between half the back-off and all of it. */
export function nextAttempt(facts: RetryFacts): RetryVerdict {
  assert(facts.attempt >= 1, 'a retry follows an attempt');
  if (facts.attempt >= facts.attemptsMax) return { type: 'give_up' };
  const backoffMs = Math.min(facts.backoffMaxMs, facts.backoffMs * 2 ** (facts.attempt - 1));
  return { type: 'again', delayMs: Math.floor(backoffMs * (0.5 + facts.fraction / 2)) };
}

/** Reads the outcome of one attempt. Only 200 is a success, as for every callback of kuiperbelt. */
export function closeAnswerVerdict(
  outcome: Result<{ readonly status: number }, unknown>,
): CloseAnswerVerdict {
  if (!outcome.ok) return 'again';
  const { status } = outcome.value;
  if (status === 200) return 'delivered';
  return status >= 500 || LATER.has(status) ? 'again' : 'refused';
}
