/**
 * Three real nodes in `interop` and one peer of the original: its state follows ours through
 * fail-overs, and what it submits is committed. `test/long/log-interop.test.ts` has 100.
 */
import { expect, it } from 'vitest';
import { failOversWithForeignPeer, startWithForeignPeer } from '../legacy/foreign-cluster.ts';

it('keeps a peer of the original equal through 3 fail-overs', { timeout: 180_000 }, async () => {
  const { cluster, foreign } = await startWithForeignPeer();
  await failOversWithForeignPeer(cluster, foreign, 3);
  expect(cluster.missingIn(foreign.values)).toEqual([]);
});
