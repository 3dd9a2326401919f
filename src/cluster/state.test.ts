/** The rules of the cluster's state, one by one. */
import { describe, expect, it } from 'vitest';
import { type ClusterChange, type ClusterEvent, ClusterState } from './index.ts';
import { claim, down, factsOf, purge, release, up } from './testdata/changes.ts';

const A = 'a@127.0.0.1';
const B = 'b@127.0.0.2';

/** A state, and what the last of the changes that led to it has done. Entries count from 1. */
function reached(...changes: ClusterChange[]): { state: ClusterState; events: ClusterEvent[] } {
  const state = new ClusterState();
  let events: ClusterEvent[] = [];
  changes.forEach((change, at) => {
    events = state.apply(change, at + 1);
  });
  return { state, events };
}

describe('nodes', () => {
  it('come up with epoch 1, and with the next one at each new boot', () => {
    const { state, events } = reached(up(A, 'one'), down(A, 1), up(A, 'two', {}, 77));
    expect(events[0]).toEqual({ type: 'node_up', node: A, epoch: 2 });
    expect(state.node(A)).toMatchObject({ epoch: 2, up: true, memberSinceMs: 0, upSinceMs: 77 });
  });

  it('end the epoch before when they come up again without having been missed', () => {
    const { state, events } = reached(up(A, 'one'), claim(A, 1, 'sora'), up(A, 'two'));
    expect(events.map(({ type }) => type)).toEqual(['node_down', 'node_up', 'view_changed']);
    expect(events[0]).toEqual({ type: 'node_down', node: A, epoch: 1, reason: 'restarted' });
    expect(state.owner('sora')).toMatchObject({ node: A, epoch: 1, live: false });
  });

  it('change their facts within an epoch', () => {
    const { state, events } = reached(up(A, 'one'), up(A, 'one', { version: '0.2.0' }));
    expect(events).toEqual([{ type: 'facts_changed', node: A, epoch: 1 }]);
    expect(state.node(A)).toMatchObject({ epoch: 1, facts: factsOf({ version: '0.2.0' }) });
    expect(state.apply(up(A, 'one', { version: '0.2.0' }), 3)).toEqual([]);
  });

  it('do not come up with a boot whose epoch was ended: that was a late repetition', () => {
    const { state, events } = reached(up(A, 'one'), down(A, 1), up(A, 'one'));
    expect(events).toEqual([]);
    expect(state.node(A)).toMatchObject({ up: false, downReason: 'silent' });
  });

  it('go down once, in the present epoch', () => {
    const { state } = reached(up(A, 'one'), up(A, 'two'));
    expect(state.apply(down(A, 1), 3)).toEqual([]);
    expect(state.apply(down(A, 2, 'stopped'), 4)[0]).toMatchObject({ reason: 'stopped', epoch: 2 });
    expect(state.apply(down(A, 2), 5)).toEqual([]);
    expect(state.node(A)).toMatchObject({ up: false, downReason: 'stopped', downSinceMs: 0 });
  });

  it('stay known when they are down, until they are purged', () => {
    const { state } = reached(up(A, 'one'), up(B, 'one'), down(A, 1));
    expect(state.nodes().map(({ node }) => node)).toEqual([A, B]);
    expect(state.apply(purge(B), 4)).toEqual([]);
    expect(state.apply(purge(A), 5)).toEqual([{ type: 'node_purged', node: A }]);
    expect(state.apply(purge(A), 6)).toEqual([]);
    expect(state.nodes().map(({ node }) => node)).toEqual([B]);
  });

  it('have no epoch for the second time, not even after a purge', () => {
    const { state } = reached(up(A, 'one'), down(A, 1), purge(A), up(A, 'two', {}, 99));
    expect(state.node(A)).toMatchObject({ epoch: 2, memberSinceMs: 99 });
    const restored = ClusterState.restore(reached(up(A, 'one'), down(A, 1), purge(A)).state.snapshot());
    restored.apply(up(A, 'two'), 4);
    expect(restored.node(A)).toMatchObject({ epoch: 2 });
  });
});

describe('the view', () => {
  it('has the live nodes by name, and the index of its newest change', () => {
    const { state } = reached(up(B, 'one', { workers: 2, meshPorts: [7401, 7402] }), up(A, 'one'));
    expect(state.view()).toEqual({
      number: 2,
      nodes: [
        { node: A, epoch: 1, workers: 1, meshPorts: [7401] },
        { node: B, epoch: 1, workers: 2, meshPorts: [7401, 7402] },
      ],
    });
  });

  it('keeps its number through changes that are not of it', () => {
    const { state } = reached(up(A, 'one'), up(B, 'one'), claim(A, 1, 'sora'), up(A, 'one', { maxNodes: 3 }));
    expect(state.view().number).toBe(2);
  });

  it('is told where it changed: an end, another mesh port', () => {
    const { state } = reached(up(A, 'one'), up(B, 'one'));
    expect(state.apply(up(A, 'one', { meshPorts: [7402] }), 3)[1]).toMatchObject({ view: { number: 3 } });
    expect(state.apply(down(B, 1), 4)[1]).toMatchObject({ view: { number: 4, nodes: [{ node: A }] } });
  });
});

describe('channels', () => {
  it('belong to the first claim in the log', () => {
    const { state, events } = reached(up(A, 'one'), up(B, 'one'), claim(A, 1, 'sora'), claim(B, 1, 'sora'));
    expect(events).toEqual([]);
    expect(state.owner('sora')).toEqual({ node: A, epoch: 1, fencing: 3, live: true });
  });

  it('are claimed by nodes that are up, in their present epoch', () => {
    const { state } = reached(up(A, 'one'), up(B, 'one'), up(A, 'two'), down(B, 1));
    for (const late of [claim(A, 1, 'sora'), claim(B, 1, 'sora'), claim('c@h', 1, 'sora')]) {
      expect(state.apply(late, 5)).toEqual([]);
    }
    expect(state.owner('sora')).toBeNull();
  });

  it('can be claimed when the epoch of their owner is over, and stay listed until then', () => {
    const { state } = reached(up(A, 'one'), up(B, 'one'), claim(A, 1, 'sora', 'lemon'), down(A, 1));
    expect(state.owner('sora')).toEqual({ node: A, epoch: 1, fencing: 3, live: false });
    const events = state.apply(claim(B, 1, 'sora', 'hisui'), 5);
    expect(events).toEqual([
      { type: 'channels_claimed', node: B, epoch: 1, fencing: 5, channels: ['sora', 'hisui'] },
    ]);
    expect(state.channels()).toEqual([
      { channel: 'lemon', node: A, epoch: 1, fencing: 3, live: false },
      { channel: 'sora', node: B, epoch: 1, fencing: 5, live: true },
      { channel: 'hisui', node: B, epoch: 1, fencing: 5, live: true },
    ]);
  });

  it('are released by the owner, for the claim that it means', () => {
    const { state } = reached(up(A, 'one'), up(B, 'one'), claim(A, 1, 'sora'));
    const sora = { name: 'sora', fencing: 3 };
    expect(state.apply(release(B, 1, sora), 4)).toEqual([]);
    expect(state.apply(release(A, 1, { name: 'sora', fencing: 2 }), 5)).toEqual([]);
    expect(state.apply(release(A, 1, sora, { name: 'lemon', fencing: 3 }), 6)).toEqual([
      { type: 'channels_released', node: A, epoch: 1, channels: [sora] },
    ]);
    expect(state.owner('sora')).toBeNull();
  });

  it('are released by anybody who is up once the epoch of their owner is over', () => {
    const { state } = reached(up(A, 'one'), up(B, 'one'), claim(A, 1, 'sora', 'lemon'), claim(B, 1, 'hisui'));
    expect(state.abandonedChannels(10)).toEqual([]);
    state.apply(down(A, 1), 5);
    expect(state.abandonedChannels(1)).toEqual([{ name: 'sora', fencing: 3 }]);
    const all = state.abandonedChannels(10);
    expect(all).toEqual([
      { name: 'sora', fencing: 3 },
      { name: 'lemon', fencing: 3 },
    ]);
    expect(state.apply(release(A, 1, ...all), 6)).toEqual([]);
    expect(state.apply(release(B, 1, ...all), 7)).toMatchObject([{ channels: all }]);
    expect(state.channels()).toMatchObject([{ channel: 'hisui' }]);
    expect(state.abandonedChannels(10)).toEqual([]);
  });

  it('go with a node that is purged', () => {
    const { state } = reached(
      up(A, 'one'),
      up(B, 'one'),
      claim(A, 1, 'sora'),
      claim(B, 1, 'lemon'),
      down(A, 1),
    );
    state.apply(purge(A), 6);
    expect(state.channels()).toMatchObject([{ channel: 'lemon', node: B }]);
  });

  it('get a higher fencing number with each claim, also when one entry holds several', () => {
    const state = new ClusterState();
    for (const change of [up(A, 'one'), claim(A, 1, 'sora'), release(A, 1, { name: 'sora', fencing: 1 })]) {
      state.apply(change, 1);
    }
    expect(state.owner('sora')).toBeNull();
    expect(state.apply(claim(A, 1, 'sora'), 1)).toMatchObject([{ fencing: 2 }]);
    expect(state.apply(claim(A, 1, 'lemon'), 2)).toMatchObject([{ fencing: 3 }]);
    expect(state.apply(claim(A, 1, 'hisui'), 9)).toMatchObject([{ fencing: 9 }]);
  });
});

describe('a snapshot', () => {
  it('holds everything', () => {
    const { state } = reached(up(A, 'one'), up(B, 'one'), claim(A, 1, 'sora', '\ud800', 'é'), down(A, 1));
    const copy = ClusterState.restore(state.snapshot());
    expect(copy.nodes()).toEqual(state.nodes());
    expect(copy.view()).toEqual(state.view());
    expect(copy.channels()).toEqual(state.channels());
    expect(copy.abandonedChannels(9)).toEqual(state.abandonedChannels(9));
  });

  it('goes on with the fencing numbers, which may be ahead of the index', () => {
    const { state } = reached(up(A, 'one'));
    for (const channel of ['sora', 'lemon', 'hisui']) state.apply(claim(A, 1, channel), 2);
    const copy = ClusterState.restore(state.snapshot());
    for (const each of [state, copy]) {
      expect(each.apply(claim(A, 1, 'zakuro'), 3)).toMatchObject([{ fencing: 5 }]);
    }
  });

  it('replaces what was there', () => {
    const { state } = reached(up(A, 'one'), claim(A, 1, 'sora'));
    state.install(reached(up(B, 'one')).state.snapshot());
    expect(state.nodes()).toMatchObject([{ node: B }]);
    expect(state.owner('sora')).toBeNull();
    expect(state.apply(claim(A, 1, 'lemon'), 3)).toEqual([]);
  });

  it('of an unknown form is refused, because nobody may guess at it', () => {
    const bytes = new TextEncoder().encode('{"form":2}');
    expect(() => new ClusterState().install(bytes)).toThrow('unknown form 2');
  });
});
