/**
 * Percentiles of the histogram against those of a sorted list.
 */
import { describe, expect, it } from 'vitest';
import { LatencyHistogram } from './latency-histogram.ts';

function filled(values: readonly number[]): LatencyHistogram {
  const histogram = new LatencyHistogram();
  for (const value of values) histogram.add(value);
  return histogram;
}

describe('LatencyHistogram', () => {
  it('says 0 when it holds nothing', () => {
    expect(new LatencyHistogram().percentileUs(0.5)).toBe(0);
  });
  it('is exact for small values', () => {
    const histogram = filled([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(histogram.percentileUs(0.5)).toBe(5);
    expect(histogram.percentileUs(0.99)).toBe(10);
    expect(histogram.total).toBe(10);
  });
  it('is within 3 % anywhere in its range', () => {
    for (let value = 1; value < 4e9; value = Math.ceil(value * 1.37)) {
      const read = filled([value]).percentileUs(0.5);
      expect(Math.abs(read - value) / value).toBeLessThanOrEqual(0.03);
    }
  });
  it('finds the percentiles of a mixed load', () => {
    const values = Array.from({ length: 10_000 }, (_, index) =>
      index < 9_900 ? 2_000 + index / 10 : 90_000,
    );
    const histogram = filled(values);
    expect(Math.abs(histogram.percentileUs(0.5) / 2_495 - 1)).toBeLessThan(0.03);
    expect(Math.abs(histogram.percentileUs(0.995) / 90_000 - 1)).toBeLessThan(0.03);
  });
  it('takes what a clock that went back or stood for hours yields', () => {
    const histogram = filled([-5, 1e12]);
    expect(histogram.percentileUs(0.5)).toBe(0);
    expect(histogram.percentileUs(1)).toBeGreaterThan(4e9);
  });
});
