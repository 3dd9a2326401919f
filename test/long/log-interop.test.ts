/**
 * Three real nodes in `interop` and one peer of the original, 100 times without their master.
 *
 * The long form of `test/integration/log-interop.test.ts`.
 */
import { expect, it } from 'vitest';
import { failOversWithForeignPeer, startWithForeignPeer } from '../legacy/foreign-cluster.ts';

it('keeps a peer of the original equal through 100 fail-overs', { timeout: 1_800_000 }, async () => {
  const { cluster, foreign } = await startWithForeignPeer();
  await failOversWithForeignPeer(cluster, foreign, 100);
  expect(cluster.missingIn(foreign.values)).toEqual([]);
});
