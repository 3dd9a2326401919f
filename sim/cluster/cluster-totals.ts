/** What runs of simulated clusters have seen: each has to be more than nothing, or the runs prove little. */

/** Counts over one seed, or many. */
export interface ClusterTotals {
  boots: number;
  proposals: number;
  publishes: number;
  isolatedTurns: number;
  /** Channels that changed hands because an epoch had ended. */
  takeovers: number;
}

/** Counts at the start of a run. */
export function noClusterTotals(): ClusterTotals {
  return { boots: 0, proposals: 0, publishes: 0, isolatedTurns: 0, takeovers: 0 };
}

/** Adds one seed's counts to a run's. */
export function addClusterTotals(sum: ClusterTotals, seed: Readonly<ClusterTotals>): void {
  for (const name of Object.keys(sum) as (keyof ClusterTotals)[]) sum[name] += seed[name];
}
