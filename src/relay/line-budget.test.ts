import { expect, it } from 'vitest';
import { LineBudget } from './line-budget.ts';

it('lets so many lines a second through, and says afterwards how many were left out', () => {
  const budget = new LineBudget(2);
  const taken = [0, 1, 2, 500, 999, 1_000, 1_001, 1_002, 5_000, 5_001].map((nowMs) => budget.take(nowMs));
  expect(taken).toEqual([0, 0, null, null, null, 3, 0, null, 1, 0]);
});
