/** The arithmetic of majorities against a second version that is slow and plain. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { majorityOf, majorityValue, votersWanted } from './quorum.ts';

/** Puts the values in order: more than half of them are the middle one or stand before it. */
function slowMajorityValue(values: readonly number[]): number {
  const falling = values.toSorted((left, right) => right - left);
  return falling[Math.floor(values.length / 2)] ?? 0;
}

it('finds the highest value that more than half have reached', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(20), { maxLength: 9 }), (values) => {
      expect(majorityValue(values)).toBe(slowMajorityValue(values));
    }),
  );
});

it('takes half of an even number for no majority', () => {
  expect([1, 2, 3, 4, 5, 6, 7].map(majorityOf)).toEqual([1, 2, 2, 3, 3, 4, 4]);
});

it('makes any two majorities of the same voters share one', () => {
  fc.assert(fc.property(fc.integer({ min: 1, max: 1_000 }), (voters) => majorityOf(voters) * 2 > voters));
});

it('wants an odd number of voters, as large as members and bound allow', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 1, max: 9 }), (members, votersMax) => {
      const wanted = votersWanted(members, votersMax);
      expect(wanted % 2).toBe(1);
      expect(wanted).toBeLessThanOrEqual(Math.min(members, votersMax));
      expect(wanted + 2).toBeGreaterThan(Math.min(members, votersMax));
    }),
  );
  expect(votersWanted(0, 5)).toBe(0);
});
