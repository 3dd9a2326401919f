/**
 * H1 to H5: what a change of master costs. Each scenario is shown to go wrong with the original's
 * rules, in its model, and to hold with ours.
 */
import { describe, expect, it } from 'vitest';
import { LegacyNetwork } from './legacy-network.ts';
import { STATE } from './legacy-receiver.ts';
import { SafeCluster } from './safe-cluster.ts';

const THREE = ['a', 'b', 'c'];
const FIVE = ['a', 'b', 'c', 'd', 'e'];

describe('H1: an acknowledged commit and the death of the master right after it', () => {
  it('is lost with the original on every fail-over, without any partition', () => {
    const network = LegacyNetwork.cluster(...THREE);
    expect(network.submit('a', 'x', '1')).toBeNull();
    network.kill('a');
    expect(network.elect('b')).toBeNull();
    expect(network.submit('b', 'y', '2')).toBeNull();
    for (const name of ['b', 'c']) expect(network.values(name)).not.toHaveProperty('x');
    expect(network.values('a')).toHaveProperty('x');
  });

  it('stays here', () => {
    const cluster = SafeCluster.of(THREE);
    cluster.submit('x');
    cluster.crash('a');
    cluster.submit('y', cluster.elected());
    for (const name of ['b', 'c']) {
      cluster.until(() => cluster.node(name).applied.includes('y'));
      expect(cluster.node(name).applied).toEqual(['base', 'x', 'y']);
    }
    cluster.settle();
  });
});

describe('H2: a voter that hears of the old master after it has voted for another', () => {
  it('still serves the old one with the original, whose client is told a lie', () => {
    const network = LegacyNetwork.cluster(...THREE);
    network.hold((flight) => flight.from === 'a' && flight.call.method === 'accept');
    let told: unknown = 'open';
    network.node('a').submit([Buffer.from('ADD×x×late')], (failure) => {
      told = failure;
    });
    network.lose((flight) => flight.to === 'a');
    expect(network.elect('c')).toBeNull();
    expect(network.node('b').masters.get(2n)).toBe('c');
    network.release();
    expect(told).toBeNull();
    expect(network.submit('c', 'y', '1')).toBeNull();
    expect(network.submit('a', 'z', '1')).not.toBeNull();
    for (const name of ['b', 'c']) expect(network.values(name)).not.toHaveProperty('x');
  });

  it('refuses it here', () => {
    const cluster = SafeCluster.of(THREE);
    const watch = cluster.events.message;
    const late: (() => void)[] = [];
    cluster.events = {
      message: (from, to, message) => {
        watch?.(from, to, message);
        const isEntry = message.type === 'append' && message.entries.length > 0;
        if (from === 'a' && to === 'b' && isEntry) late.push(() => cluster.deliver(from, to, message));
      },
    };
    cluster.cut('b', 'a');
    cluster.cut('c', 'a');
    cluster.cut('a', 'c');
    cluster.offer('x', 'a');
    cluster.run(20);
    cluster.isolate('a');
    cluster.submit('y', cluster.elected('a'));
    const before = cluster.node('b').running.lastIndex;
    cluster.heal();
    for (const again of late) again();
    cluster.run(5);
    expect(cluster.node('b').running.lastIndex).toBe(before);
    cluster.settle();
  });
});

describe('H3: two that campaign at once', () => {
  it('both become master of one instance with the original, and give one slot to two values', () => {
    const network = LegacyNetwork.cluster(...FIVE);
    network.kill('a');
    for (const name of ['b', 'c']) network.node(name).startElection(() => {});
    network.run();
    for (const name of ['b', 'c']) {
      expect([network.node(name).state, network.node(name).instance]).toEqual([STATE.master, 2n]);
    }
    network.partition(['b', 'd', 'e'], ['a'], ['c']);
    expect(network.submit('b', 'x', '1')).toBeNull();
    expect(network.node('d').stagedChanges.get(1n)?.map(String)).toEqual([String(Buffer.from('ADD×x×1'))]);
    network.partition(['c', 'd', 'e'], ['a'], ['b']);
    expect(network.submit('c', 'y', '1')).toBeNull();
    expect(network.node('d').stagedChanges.get(1n)?.map(String)).toEqual([String(Buffer.from('ADD×y×1'))]);
    expect(network.values('b')).toHaveProperty('x');
    expect(network.values('c')).not.toHaveProperty('x');
  });

  it('never share a ballot here, in thirty orders of events', () => {
    for (let seed = 1; seed <= 30; seed++) {
      const cluster = SafeCluster.of(FIVE, seed);
      cluster.submit('x');
      cluster.crash('a');
      // All of them wake at the same moment, having heard of nobody for long.
      for (const name of FIVE.slice(1)) cluster.node(name).isPaused = true;
      cluster.run(5_000);
      for (const name of FIVE.slice(1)) {
        cluster.node(name).isPaused = false;
        cluster.turn(cluster.node(name));
      }
      cluster.settle();
    }
  });
});

describe('H3b: a candidate that is overtaken while it asks for votes', () => {
  it('crowns itself in an instance that nobody voted for, with the original', () => {
    const network = LegacyNetwork.cluster(...THREE);
    network.kill('a');
    network.hold((flight) => flight.from === 'c');
    network.node('c').startElection(() => {});
    expect(network.elect('b')).toBeNull();
    expect(network.submit('b', 'x', '1')).toBeNull();
    network.release();
    expect([network.node('c').state, network.node('c').instance]).toEqual([STATE.master, 3n]);
    expect(network.node('b').masters.get(3n)).toBeUndefined();
    expect(network.submit('c', 'y', '1')).toBeNull();
    expect(network.values('b')).toHaveProperty('x');
    expect(network.values('c')).not.toHaveProperty('x');
  });

  it('is master of the ballot that it was elected in, or not at all, here', () => {
    for (let seed = 1; seed <= 30; seed++) {
      const cluster = SafeCluster.of(THREE, seed);
      cluster.crash('a');
      cluster.cut('b', 'c');
      cluster.run(4_000);
      cluster.heal();
      cluster.cut('c', 'b');
      cluster.run(4_000);
      cluster.settle();
    }
  });
});

describe('H4: a voter that has given its vote in this epoch already', () => {
  it('elects a second master of the same instance by refusing, with the original', () => {
    const network = LegacyNetwork.cluster(...FIVE);
    network.kill('a');
    network.lose((flight) => flight.to === 'e');
    expect(network.elect('b')).toBeNull();
    expect(network.submit('b', 'x', '1')).toBeNull();
    network.lose(() => false);
    expect(network.elect('e')).toBeNull();
    expect([network.node('e').state, network.node('e').instance]).toEqual([STATE.master, 2n]);
    expect(network.submit('e', 'y', '1')).toBeNull();
    expect(network.node('c').stagedChanges.get(1n)?.map(String)).toEqual([String(Buffer.from('ADD×y×1'))]);
  });

  it('elects nobody by refusing, here', () => {
    const cluster = SafeCluster.of(FIVE);
    cluster.crash('a');
    cluster.isolate('e');
    const master = cluster.elected('a');
    cluster.submit('x', master);
    const { ballot } = cluster.node(master).running;
    const sender = { incarnation: 'cluster', storage: 'e1', run: 1, knows: { put: 1 }, muted: false };
    for (const name of ['b', 'c', 'd']) {
      const facts = { call: 1_000_000, ballot, sender, lastIndex: 1_000, lastBallot: ballot };
      cluster.heal();
      cluster.deliver('e', name, { type: 'vote', ...facts, transfer: true });
    }
    cluster.run(5_000);
    expect(cluster.node('e').running.isMaster).toBe(false);
    cluster.settle();
  });
});

describe('H5: a voter that has forgotten everything', () => {
  it('makes a master by its error, with the original, and what was acknowledged is overwritten', () => {
    const network = LegacyNetwork.cluster(...THREE);
    network.lose((flight) => flight.from === 'a' && flight.to === 'c');
    expect(network.submit('a', 'x', '1')).toBeNull();
    network.kill('a');
    network.restart('b');
    network.lose(() => false);
    expect(network.elect('c')).toBeNull();
    expect(network.node('c').isMaster).toBe(true);
    // Three submissions fail, then the empty member gets a snapshot of a state that never had x.
    for (let number = 0; number < 3; number++) network.submit('c', 'y', String(number));
    expect(network.node('b').state).toBe(STATE.pending);
    for (const name of ['b', 'c']) expect(network.values(name)).not.toHaveProperty('x');
  });

  it('is no voter any more here, so that nobody is elected until one who knows is back', () => {
    const cluster = SafeCluster.of(THREE);
    cluster.cut('a', 'c');
    cluster.submit('x', 'a');
    cluster.crash('a');
    cluster.crash('b');
    cluster.empty('b');
    cluster.heal();
    cluster.start('b');
    cluster.run(20_000);
    expect(cluster.master).toBeNull();
    cluster.start('a');
    cluster.elected();
    cluster.settle();
    expect(cluster.node('b').applied).toContain('x');
  });
});
