/** Whether and when a close callback is tried again. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { failed, ok } from '../../base/index.ts';
import { closeAnswerVerdict, nextAttempt } from './retry.ts';

const facts = { attempt: 1, attemptsMax: 10, backoffMs: 500, backoffMaxMs: 60_000, fraction: 0 };

describe('nextAttempt', () => {
  it('doubles the delay to a maximum, half of it being chance', () => {
    const delays = [1, 2, 3, 8, 9].map((attempt) => nextAttempt({ ...facts, attempt }));
    expect(delays).toEqual([250, 500, 1_000, 30_000, 30_000].map((delayMs) => ({ type: 'again', delayMs })));
    expect(nextAttempt({ ...facts, fraction: 0.5 })).toEqual({ type: 'again', delayMs: 375 });
  });

  it('gives up after the last attempt', () => {
    expect(nextAttempt({ ...facts, attempt: 10 })).toEqual({ type: 'give_up' });
    expect(nextAttempt({ ...facts, attemptsMax: 1 })).toEqual({ type: 'give_up' });
  });

  it('stays within half the back-off and all of it, however many attempts there were', () => {
    const fraction = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5_000 }), fraction, (attempt, chance) => {
        const verdict = nextAttempt({ ...facts, attempt, attemptsMax: 10_000, fraction: chance });
        const backoffMs = Math.min(60_000, 500 * 2 ** (attempt - 1));
        expect(verdict.type === 'again' && verdict.delayMs >= Math.floor(backoffMs / 2)).toBe(true);
        expect(verdict.type === 'again' && verdict.delayMs <= backoffMs).toBe(true);
      }),
    );
  });
});

describe('closeAnswerVerdict', () => {
  it.each([
    [200, 'delivered'],
    [201, 'refused'],
    [204, 'refused'],
    [302, 'refused'],
    [400, 'refused'],
    [404, 'refused'],
    [408, 'again'],
    [425, 'again'],
    [429, 'again'],
    [500, 'again'],
    [503, 'again'],
  ] as const)('%i -> %s', (status, verdict) => {
    expect(closeAnswerVerdict(ok({ status }))).toBe(verdict);
  });

  it('tries again when there was no answer', () => {
    expect(closeAnswerVerdict(failed({ kind: 'unreachable' }))).toBe('again');
  });
});
