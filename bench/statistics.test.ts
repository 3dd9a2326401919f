/**
 * The figures of a report, checked by hand.
 */
import { describe, expect, it } from 'vitest';
import { median, ratios, reaches, spread } from './statistics.ts';

describe('median', () => {
  it('is the middle of an odd number of values, whatever their order', () => {
    expect(median([9, 1, 5])).toBe(5);
  });
  it('is the mean of the middle two of an even number', () => {
    expect(median([10, 1, 2, 4])).toBe(3);
  });
  it('orders numbers as numbers', () => {
    expect(median([100, 20, 3])).toBe(20);
  });
  it('is no number when there are no values', () => {
    expect(median([])).toBeNaN();
  });
  it('leaves its argument as it was', () => {
    const values = [3, 1, 2];
    median(values);
    expect(values).toEqual([3, 1, 2]);
  });
});

describe('spread', () => {
  it('shows the extremes beside the median', () => {
    expect(spread([4, 2, 8])).toEqual({ median: 4, min: 2, max: 8 });
  });
});

describe('ratios', () => {
  it('compares each round with itself', () => {
    expect(ratios([10, 30], [20, 10])).toEqual([0.5, 3]);
  });
  it('is not the ratio of medians', () => {
    const ours = [1, 10, 100];
    const yardstick = [1, 100, 10];
    expect(median(ratios(ours, yardstick))).toBe(1);
    expect(ratios(ours, yardstick)).toEqual([1, 0.1, 10]);
  });
  it('ignores a round that only one side finished', () => {
    expect(ratios([10, 20, 30], [10, 10])).toEqual([1, 2]);
  });
});

describe('reaches', () => {
  it('wants at least the bar for speed and at most the bar for memory', () => {
    expect(reaches(1, { ratio: 1, direction: 'at_least' })).toBe(true);
    expect(reaches(0.99, { ratio: 1, direction: 'at_least' })).toBe(false);
    expect(reaches(2, { ratio: 2, direction: 'at_most' })).toBe(true);
    expect(reaches(2.01, { ratio: 2, direction: 'at_most' })).toBe(false);
  });
});
