/** How long clients that are sent away are told to stay away, and that they come back spread out. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../base/index.ts';
import { retryAfterSeconds, waitBehind } from './retry-after.ts';

describe('the wait behind others', () => {
  it('is the second half of the time that they take', () => {
    expect(waitBehind(0, 10)).toEqual({ leastMs: 0, spreadMs: 0 });
    expect(waitBehind(100, 10)).toEqual({ leastMs: 5_000, spreadMs: 5_000 });
  });

  it('has a bound', () => {
    const halfMs = LIMITS.retryAfterSpreadMaxMs / 2;
    expect(waitBehind(1e9, 1)).toEqual({ leastMs: halfMs, spreadMs: halfMs });
  });
});

describe('Retry-After', () => {
  it.each([
    [0, 0, 0, 1],
    [0, 1_000, 0.99, 1],
    [0, 4_000, 0, 1],
    [0, 4_000, 0.26, 2],
    [0, 4_000, 0.99, 4],
    [400, 1_000, 0.7, 2],
    [90_000, 0, 0, 90],
  ])('of %i ms and up to %i more, by chance %d, is %i s', (leastMs, spreadMs, fraction, seconds) => {
    expect(retryAfterSeconds({ leastMs, spreadMs }, fraction)).toBe(seconds);
  });

  it('is never shorter than the wait, and at most a second longer than the longest', () => {
    const span = fc.integer({ min: 0, max: 100_000 });
    const chance = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
    fc.assert(
      fc.property(span, span, chance, (leastMs, spreadMs, fraction) => {
        const seconds = retryAfterSeconds({ leastMs, spreadMs }, fraction);
        expect(Number.isInteger(seconds)).toBe(true);
        expect(seconds * 1_000).toBeGreaterThanOrEqual(Math.max(1_000, leastMs));
        expect(seconds * 1_000).toBeLessThan(leastMs + spreadMs + 1_000 + 1);
      }),
    );
  });
});
