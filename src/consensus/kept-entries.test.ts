/** What a disk still has of before its snapshot serves slow followers after a restart, too. */
import { expect, it } from 'vitest';
import { Log } from './log.ts';
import { Cluster } from './testdata/cluster.ts';
import type { Entry, Snapshot } from './types.ts';

function snapshotAt(index: number, ballot: number): Snapshot {
  return { index, ballot, configuration: { members: [] }, requests: [], state: new Uint8Array() };
}

/** Entries 1 to `count`, two of each ballot. */
function entries(count: number): Entry[] {
  return Array.from({ length: count }, (_, at) => {
    return { index: at + 1, ballot: Math.ceil((at + 1) / 2), payload: { type: 'noop' } };
  });
}

it('stands before the window, as far as the bound goes', () => {
  const all = entries(6);
  const log = new Log(snapshotAt(4, 2), all.slice(4));
  log.precede(all.slice(0, 4), 1_000_000);
  expect([log.baseIndex, log.lastIndex, log.snapshot?.index]).toEqual([1, 6, 4]);
  expect(log.batch(2, 1_000_000).entries).toEqual(all.slice(1));
  expect([1, 2, 3, 4, 5, 6].map((index) => log.ballotAt(index))).toEqual([1, 1, 2, 2, 3, 3]);
  const bounded = new Log(snapshotAt(4, 2), all.slice(4));
  bounded.precede(all.slice(0, 4), 300);
  expect(bounded.from(4)).toEqual(all.slice(3));
  expect(bounded.baseIndex).toBe(3);
});

it('is left out when it does not lead up to the snapshot', () => {
  for (const earlier of [[], entries(3), entries(5)]) {
    const log = new Log(snapshotAt(4, 2), []);
    log.precede(earlier, 1_000_000);
    expect([log.baseIndex, log.lastIndex, log.lastBallot]).toEqual([4, 4, 2]);
  }
});

it('brings a follower up to date without a snapshot, after its master was restarted', () => {
  const cluster = new Cluster({ keptBytesMax: 100_000 });
  cluster.found('a');
  cluster.run(10);
  for (const name of ['b', 'c']) {
    cluster.start(name);
    cluster.ask('a', (replica, id) => replica.changeMember(id, { type: 'add', name }));
  }
  cluster.run(1_500);
  cluster.crash('c');
  for (const text of ['x', 'y', 'z']) cluster.propose('a', text);
  cluster.run(100);
  for (const name of ['a', 'b']) {
    const { disk } = cluster.node(name);
    const { entries: earlier } = disk.synced;
    cluster.snapshot(name);
    cluster.crash(name);
    disk.synced = {
      ...disk.synced,
      earlier: earlier.filter(({ index }) => index <= (disk.synced.snapshot?.index ?? 0)),
    };
  }
  const types = new Set<string>();
  cluster.events = { message: (_, to, { type }) => void (to === 'c' && types.add(type)) };
  for (const name of ['a', 'b', 'c']) cluster.start(name);
  cluster.until(() => cluster.node('c').applied.length === 3);
  expect(cluster.node('c').applied).toEqual(['x', 'y', 'z']);
  expect(types).toContain('append');
  expect(types).not.toContain('snapshot');
});
