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

/** The highest value that a majority of the voters has reached; `values`: one of each voter, none below 0. */
export function majorityValue(values: readonly number[]): number {
  const needed = majorityOf(values.length);
  let highest = 0;
  for (const value of values) {
    if (value > highest && countAtLeast(values, value) >= needed) highest = value;
  }
  return highest;
}

/** Voters are few: counting costs less than putting them in order, and is the definition itself. */
function countAtLeast(values: readonly number[], least: number): number {
  let count = 0;
  for (const value of values) if (value >= least) count++;
  return count;
}

/** How many voters a cluster should have: odd, because an even number survives no more failures. */
export function votersWanted(members: number, votersMax: number): number {
  const most = Math.min(members, votersMax);
  return most % 2 === 1 ? most : Math.max(0, most - 1);
}
