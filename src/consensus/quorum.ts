/**
 * The arithmetic of majorities.
 *
 * Numbers in, numbers out; who is a voter and whose word counts is decided elsewhere. Two majorities
 * of the same voters share a voter: all safety of the log hangs on this one sentence.
 */

/** The smallest number of `voters` that is more than half of them. */
export function majorityOf(voters: number): number {
  return Math.floor(voters / 2) + 1;
}

/** The highest value that a majority of the voters has reached; `values` holds one of each voter. */
export function majorityValue(values: readonly number[]): number {
  if (values.length === 0) return 0;
  const sorted = [...values].sort((left, right) => right - left);
  return sorted[majorityOf(values.length) - 1] as number;
}

/** How many voters a cluster should have: odd, because an even number survives no more failures. */
export function votersWanted(members: number, votersMax: number): number {
  const most = Math.min(members, votersMax);
  return most % 2 === 1 ? most : Math.max(0, most - 1);
}
