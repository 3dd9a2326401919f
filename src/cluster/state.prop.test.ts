/** The promises of the cluster state, over any history; which rule keeps which is told by `state.test.ts`. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { decodeUtf8 } from '../base/index.ts';
import { type ClusterEvent, ClusterState } from './index.ts';
import { histories, type Wish } from './testdata/histories.ts';
import { Ledger } from './testdata/ledger.ts';

/** Applies an entry to a copy; what its changes want to know they ask `state` for. */
function applyAll(copies: readonly ClusterState[], entry: readonly Wish[], index: number): ClusterEvent[][] {
  const [first] = copies as [ClusterState];
  const told = copies.map((): ClusterEvent[] => []);
  for (const wish of entry) {
    const change = wish(first);
    copies.forEach((copy, at) => {
      told[at]?.push(...copy.apply(change, index));
    });
  }
  return told;
}

function textOf(state: ClusterState): string {
  return decodeUtf8(state.snapshot());
}

it('ends each epoch before the next, gives a channel one owner at a time, and tells all of it', () => {
  fc.assert(
    fc.property(histories, (entries) => {
      const state = new ClusterState();
      const ledger = new Ledger();
      entries.forEach((entry, at) => {
        for (const wish of entry) ledger.enter(state.apply(wish(state), at + 1), at + 1);
        ledger.compare(state);
      });
    }),
    { numRuns: 500 },
  );
});

it('is the same on all copies, from wherever they have it', () => {
  fc.assert(
    fc.property(histories, fc.infiniteStream(fc.boolean()), (entries, isSnapshotted) => {
      const first = new ClusterState();
      let second = new ClusterState();
      entries.forEach((entry, at) => {
        if (isSnapshotted.next().value) second = ClusterState.restore(second.snapshot());
        const [told, toldAgain] = applyAll([first, second], entry, at + 1);
        expect(toldAgain).toEqual(told);
        expect(textOf(second)).toBe(textOf(first));
      });
    }),
    { numRuns: 300 },
  );
});
