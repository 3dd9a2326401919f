/**
 * The few figures a report is made of: medians, and ratios taken within a round.
 *
 * Rounds are compared with themselves because a shared machine drifts by tens of percent between
 * rounds, while two servers measured within seconds of each other see the same machine.
 */

/** Middle value; the mean of the two middle ones when their number is even. NaN for none. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((left, right) => left - right);
  const middle = sorted.length >> 1;
  const upper = sorted[middle];
  if (upper === undefined) return Number.NaN;
  if (sorted.length % 2 === 1) return upper;
  return ((sorted[middle - 1] as number) + upper) / 2;
}

/** A figure over the rounds. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** Median, least and largest of the rounds. */
export function spread(values: readonly number[]): Spread {
  return { median: median(values), min: Math.min(...values), max: Math.max(...values) };
}

/** The ratio of each round that both sides finished. */
export function ratios(ours: readonly number[], yardstick: readonly number[]): number[] {
  const rounds = Math.min(ours.length, yardstick.length);
  const result: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    result.push((ours[round] as number) / (yardstick[round] as number));
  }
  return result;
}

/** What a figure has to reach; memory has an upper bar, everything else a lower one. */
export interface Bar {
  readonly ratio: number;
  readonly direction: 'at_least' | 'at_most';
}

/** Whether the ratio reaches the bar. */
export function reaches(ratio: number, bar: Bar): boolean {
  return bar.direction === 'at_least' ? ratio >= bar.ratio : ratio <= bar.ratio;
}
