/** The cluster's state in the simulator: seeds in which all holds, and planted bugs that are found. */
import { describe, expect, it } from 'vitest';
import { runClusterSeed } from './cluster-simulation.ts';
import { addClusterTotals, noClusterTotals } from './cluster-totals.ts';
import type { ClusterRules } from './simulated-supervisor.ts';

const SEEDS = 12;

function seeds(count: number): number[] {
  return Array.from({ length: count }, (_, at) => at + 1);
}

describe('a simulated cluster', () => {
  it('keeps every promise, and tries everything', { timeout: 300_000 }, () => {
    const sum = noClusterTotals();
    for (const seed of seeds(SEEDS)) {
      const { failure, totals } = runClusterSeed(seed);
      expect(failure, `seed ${seed}`).toBeNull();
      addClusterTotals(sum, totals);
    }
    for (const [name, count] of Object.entries(sum)) expect(count, name).toBeGreaterThan(0);
  });

  it('repeats a seed exactly', { timeout: 60_000 }, () => {
    expect(runClusterSeed(7)).toEqual(runClusterSeed(7));
  });
});

describe('a planted bug is found:', () => {
  it.each<[string, Partial<ClusterRules>]>([
    ['an isolated node goes on ordering', { isolationMs: 1_000_000 }],
    ['a master ends epochs before they have gone quiet', { downAfterMs: 300 }],
    ['a node that came back goes on in its last life', { ignoresBoot: true }],
  ])('%s', { timeout: 300_000 }, (_, planted) => {
    const found = seeds(SEEDS).find((seed) => runClusterSeed(seed, planted).failure !== null);
    expect(found).toBeDefined();
  });
});
