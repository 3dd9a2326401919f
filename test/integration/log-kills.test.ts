/**
 * Three real nodes: `kill -9` of the master right after it acknowledged a write, 25 times.
 *
 * Nothing that was acknowledged is ever missing, and at the end the nodes' states and logs are equal.
 * `test/long/log-kills.test.ts` has 200.
 */
import { expect, it } from 'vitest';
import { KvCluster, killMasters, stopAndCompareLogs } from '../support/index.ts';

const KILLS = 25;
/** Half of the default times and less, so that the test is not mostly waiting. */
const FASTER = ['-heartbeat', '40', '-election', '400'];

it(`loses nothing acknowledged in ${KILLS} kills of the master`, { timeout: 400_000 }, async () => {
  const cluster = await KvCluster.start({ flags: FASTER });
  const report = await killMasters(cluster, KILLS);
  expect(report.lost).toEqual([]);
  expect(report.acknowledged).toBeGreaterThan(KILLS);
  await stopAndCompareLogs(cluster);
  console.log(`${report.kills} kills, ${report.acknowledged} acknowledged writes`);
});
