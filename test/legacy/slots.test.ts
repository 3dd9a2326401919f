/**
 * H6 to H11: what nodes remember, how many are a majority, and what a place in the log holds. Each
 * scenario is shown to go wrong with the original's rules, in its model, and to hold with ours.
 */
import { describe, expect, it } from 'vitest';
import { KeyValues } from './key-values.ts';
import { LegacyNetwork } from './legacy-network.ts';
import { SafeCluster } from './safe-cluster.ts';

const THREE = ['a', 'b', 'c'];
const FOUR = ['a', 'b', 'c', 'd'];
const FIVE = ['a', 'b', 'c', 'd', 'e'];

describe('H6: a restart', () => {
  it('makes a second cluster of the same name with the original', () => {
    const network = LegacyNetwork.cluster(...THREE);
    network.restart('a');
    const again = network.node('a');
    again.initMaster('a');
    expect(network.outcome((done) => again.addParticipant('b', done))).toMatchObject({
      code: 'ERR_SEQUENCE',
    });
    expect(again.members).toEqual(['a', 'b']);
    expect(network.submit('a', 'x', '1')).toBeNull();
    network.partition(['b', 'c'], ['a']);
    expect(network.elect('b')).toBeNull();
    expect(network.submit('b', 'y', '1')).toBeNull();
    expect(network.submit('a', 'z', '1')).toBeNull();
    expect(network.values('a')).not.toHaveProperty('y');
    expect(network.values('b')).not.toHaveProperty('z');
  });

  it('of one or of all nodes forgets nothing here', () => {
    const cluster = SafeCluster.of(THREE);
    cluster.submit('x');
    const { ballot } = cluster.node('a').running;
    for (const name of THREE) cluster.crash(name);
    for (const name of THREE) cluster.start(name);
    for (const name of THREE) expect(cluster.node(name).running.ballot).toBeGreaterThanOrEqual(ballot);
    cluster.elected();
    for (const name of THREE) {
      cluster.until(() => cluster.node(name).applied.includes('x'));
      expect(cluster.node(name).running.configuration.members).toHaveLength(3);
    }
    cluster.settle();
  });
});

describe('H7: an even number of nodes, cut into halves', () => {
  it('goes on in both halves with the original: two nodes, then four', () => {
    const two = LegacyNetwork.cluster('a', 'b');
    two.partition(['a'], ['b']);
    expect(two.submit('a', 'x', 'a')).toBeNull();
    expect(two.elect('b')).toBeNull();
    expect(two.submit('b', 'x', 'b')).toBeNull();
    expect([two.values('a').x, two.values('b').x]).toEqual(['a', 'b']);

    const four = LegacyNetwork.cluster(...FOUR);
    four.partition(['a', 'b'], ['c', 'd']);
    expect(four.submit('a', 'x', 'a')).toBeNull();
    expect(four.elect('c')).toBeNull();
    expect(four.submit('c', 'x', 'c')).toBeNull();
    expect([four.values('a').x, four.values('c').x]).toEqual(['a', 'c']);
  });

  it('goes on in one half at most here, and both are one again afterwards', () => {
    for (const [left, right] of [
      [['a'], ['b']],
      [
        ['a', 'b'],
        ['c', 'd'],
      ],
      [
        ['a', 'c'],
        ['b', 'd'],
      ],
    ] as [string[], string[]][]) {
      const cluster = SafeCluster.of([...left, ...right].sort());
      for (const from of left) {
        for (const to of right) {
          cluster.cut(from, to);
          cluster.cut(to, from);
        }
      }
      const ids = [cluster.offer('left', 'a')];
      cluster.run(10_000);
      for (const name of right) {
        if (cluster.node(name).running.isMaster) ids.push(cluster.offer('right', name));
      }
      cluster.run(10_000);
      expect(ids.filter((id) => cluster.isCommitted(id)).length).toBeLessThanOrEqual(1);
      cluster.settle();
    }
  });
});

describe('H8: a place in the log that was offered before', () => {
  it('holds one value here and another there with the original, for ever', () => {
    const network = LegacyNetwork.cluster(...FIVE);
    network.lose(({ from, to }) => from === 'a' && to !== 'b');
    expect(network.submit('a', 'x', '1')).toMatchObject({ code: 'ERR_MAJORITY' });
    network.lose(({ from, to }) => from === 'a' && to === 'b');
    expect(network.submit('a', 'y', '1')).toBeNull();
    network.lose(() => false);
    expect(network.submit('a', 'z', '1')).toBeNull();
    expect(network.values('b')).toMatchObject({ x: '1' });
    expect(network.values('b')).not.toHaveProperty('y');
    expect(network.values('c')).toMatchObject({ y: '1' });
    expect(network.values('c')).not.toHaveProperty('x');
  });

  it('holds what it held, or what a later master puts there for everybody, here', () => {
    const cluster = SafeCluster.of(FIVE);
    for (const name of ['c', 'd', 'e']) cluster.cut('a', name);
    cluster.offer('x', 'a');
    cluster.run(50);
    cluster.heal();
    cluster.cut('a', 'b');
    const y = cluster.offer('y', 'a');
    cluster.until(() => cluster.isCommitted(y));
    cluster.settle();
    expect(cluster.node('b').applied).toEqual(['base', 'x', 'y', 'the end']);

    // The same with the master dead in between: x was acknowledged to nobody, and gives way everywhere.
    const second = SafeCluster.of(FIVE);
    for (const name of ['b', 'c', 'd', 'e']) second.cut('a', name);
    second.offer('x', 'a');
    second.run(50);
    second.crash('a');
    second.heal();
    second.submit('y', second.elected('a'));
    second.settle();
    expect(second.node('a').applied).toEqual(['base', 'y', 'the end']);
  });
});

describe('H9: the submissions that follow a fail-over', () => {
  it('are refused twice with the original: its first entry leaves a gap behind it', () => {
    const network = LegacyNetwork.cluster(...THREE);
    network.kill('a');
    network.elect('b');
    const outcomes = ['1', '2', '3', '4'].map((value) => network.submit('b', 'y', value));
    expect(outcomes.map((outcome) => (outcome === 'open' ? outcome : (outcome?.code ?? 'ok')))).toEqual([
      'ok',
      'ERR_MAJORITY',
      'ERR_MAJORITY',
      'ok',
    ]);
  });

  it('are all committed here', () => {
    const cluster = SafeCluster.of(THREE);
    cluster.crash('a');
    const master = cluster.elected('a');
    for (const text of ['1', '2', '3', '4']) cluster.submit(text, master);
    cluster.settle();
  });
});

describe('H10: a snapshot for a follower that holds some of it already', () => {
  it('makes it apply a change twice with the original', () => {
    const network = LegacyNetwork.cluster(...THREE);
    network.kill('a');
    network.elect('b');
    const count = (): unknown =>
      network.outcome((done) => network.node('b').submit([KeyValues.count('n')], done));
    expect(count()).toBeNull();
    for (let number = 0; number < 3; number++) network.submit('b', 'y', String(number));
    expect(network.values('b').n).toBe('1');
    expect(network.values('c').n).toBe('2');
  });

  it('makes it apply everything once here', () => {
    const cluster = SafeCluster.of(THREE);
    cluster.submit('before');
    cluster.isolate('c');
    for (let number = 0; number < 20; number++) cluster.submit(`n${number}`, 'a');
    cluster.snapshot('a');
    cluster.heal();
    cluster.submit('after', 'a');
    cluster.until(() => cluster.node('c').applied.includes('after'));
    expect(cluster.node('c').applied).toEqual(cluster.node('a').applied);
    cluster.settle();
  });
});

describe('H11: a follower that missed entries, and then a change of master', () => {
  it('is told nothing of them with the original, wins an election, and takes them from the others', () => {
    const network = LegacyNetwork.cluster(...THREE);
    network.lose(({ to }) => to === 'c');
    for (const key of ['k', 'l', 'm']) expect(network.submit('a', key, '1')).toBeNull();
    network.lose(() => false);
    network.kill('a');
    expect(network.elect('b')).toBeNull();
    expect(network.values('b')).toHaveProperty('k');
    expect(network.submit('b', 'y', '1')).toBeNull();
    // It said yes to the entry (2,1), as if it had all before it.
    expect(network.node('c').instance).toBe(2n);
    expect(network.elect('c')).toBeNull();
    for (let number = 0; number < 4; number++) network.submit('c', 'z', String(number));
    for (const name of ['b', 'c']) expect(network.values(name)).not.toHaveProperty('k');
  });

  it('gets them first here, and is elected by nobody before', () => {
    const cluster = SafeCluster.of(THREE);
    cluster.isolate('c');
    for (const key of ['k', 'l', 'm']) cluster.submit(key, 'a');
    cluster.crash('a');
    cluster.heal();
    // The one who missed them asks first, and with the old master's leave.
    const [voter, asker] = [cluster.node('b'), cluster.node('c')];
    const ballot = voter.running.ballot + 1;
    cluster.deliver('c', 'b', {
      ...{ type: 'vote', call: 1_000_000, ballot, transfer: true },
      sender: { incarnation: 'cluster', storage: 'c1', run: 1, knows: { put: 1 }, muted: false },
      lastIndex: asker.running.lastIndex,
      lastBallot: asker.disk.synced.entries.at(-1)?.ballot ?? 0,
    });
    cluster.run(10);
    expect(voter.disk.synced.promise).toEqual({ ballot, votedFor: null });
    expect(cluster.elected()).toBe('b');
    cluster.submit('y', 'b');
    cluster.until(() => asker.applied.includes('y'));
    expect(asker.applied).toEqual(['base', 'k', 'l', 'm', 'y']);
    cluster.settle();
  });
});
