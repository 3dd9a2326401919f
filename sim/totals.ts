/**
 * What a run has seen: sums over its seeds, and whether everything that has to be tried was tried.
 *
 * A fault that never happens proves nothing; so a run in which one of these is zero has failed.
 */

/** Counts; each has to be more than nothing in a run of many seeds. */
export interface Totals {
  elections: number;
  crashes: number;
  powerLosses: number;
  blackouts: number;
  tornWrites: number;
  snapshotsSaved: number;
  snapshotsInstalled: number;
  membershipChanges: number;
  partitionsHealed: number;
  swizzles: number;
  pauses: number;
  fullDisks: number;
  slowDisks: number;
  flippedBits: number;
  refusedJournals: number;
  lostTails: number;
  emptiedDirectories: number;
  mutedStarts: number;
  readmissions: number;
  transfers: number;
  removals: number;
  replacements: number;
  proposals: number;
  retries: number;
  acknowledged: number;
  linearizableReads: number;
  messages: number;
  lostMessages: number;
  repeatedMessages: number;
}

/** Counts at the start of a run. */
export function noTotals(): Totals {
  return {
    ...{ elections: 0, crashes: 0, powerLosses: 0, blackouts: 0, tornWrites: 0, snapshotsSaved: 0 },
    ...{ snapshotsInstalled: 0, membershipChanges: 0, partitionsHealed: 0, swizzles: 0, pauses: 0 },
    ...{ fullDisks: 0, slowDisks: 0, flippedBits: 0, refusedJournals: 0, lostTails: 0 },
    ...{ emptiedDirectories: 0, mutedStarts: 0, readmissions: 0, transfers: 0, removals: 0 },
    ...{ replacements: 0, proposals: 0, retries: 0, acknowledged: 0, linearizableReads: 0 },
    ...{ messages: 0, lostMessages: 0, repeatedMessages: 0 },
  };
}

/** Adds one seed's counts to a run's. */
export function addTotals(sum: Totals, seed: Readonly<Totals>): void {
  for (const name of Object.keys(sum) as (keyof Totals)[]) sum[name] += seed[name];
}

/** What a run has not tried. */
export function missingFrom(totals: Readonly<Totals>): string[] {
  return Object.entries(totals)
    .filter(([, count]) => count === 0)
    .map(([name]) => name);
}
