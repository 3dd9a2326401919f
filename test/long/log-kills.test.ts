/**
 * Three and five real nodes: `kill -9` of the master right after it acknowledged a write, 200 times.
 *
 * The long form of `test/integration/log-kills.test.ts`.
 */
import { expect, it } from 'vitest';
import { KvCluster, killMasters, stopAndCompareLogs } from '../support/index.ts';

const CASES = [
  { nodes: 3, kills: 150 },
  { nodes: 5, kills: 50 },
];

it.each(CASES)(
  'loses nothing acknowledged in $kills kills of $nodes nodes',
  {
    timeout: 1_800_000,
  },
  async ({ nodes, kills }) => {
    const cluster = await KvCluster.start({ nodes });
    const report = await killMasters(cluster, kills);
    expect(report.lost).toEqual([]);
    expect(report.acknowledged).toBeGreaterThan(kills);
    await stopAndCompareLogs(cluster);
    console.log(`${nodes} nodes, ${report.kills} kills, ${report.acknowledged} acknowledged writes`);
  },
);
