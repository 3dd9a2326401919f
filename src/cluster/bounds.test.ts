/** What happens at the bounds of the cluster's state. */
import { expect, it } from 'vitest';
import { CLUSTER_LIMITS } from '../base/index.ts';
import { ClusterState } from './index.ts';
import { claim, down, purge, release, up } from './testdata/changes.ts';

const { channelsMax, channelsPerChangeMax, channelNameCharactersMax, nodesMax } = CLUSTER_LIMITS;
const A = 'a@h';
const B = 'b@h';

/** Two nodes that are up, the first of which owns as many channels as there may be. */
function fullState(): ClusterState {
  const state = new ClusterState();
  state.apply(up(A, 'one'), 1);
  state.apply(up(B, 'one'), 2);
  for (let first = 0; first < channelsMax; first += channelsPerChangeMax) {
    const channels = Array.from({ length: channelsPerChangeMax }, (_, at) => `room-${first + at}`);
    state.apply(claim(A, 1, ...channels), first + 3);
  }
  return state;
}

it('refuses channels when there are as many as there may be, and takes them again when there is room', () => {
  const state = fullState();
  const index = channelsMax + 3;
  expect(state.apply(claim(B, 1, 'sora', 'room-0'), index)).toEqual([
    { type: 'channels_refused', node: B, epoch: 1, channels: ['sora'] },
  ]);
  state.apply(release(A, 1, { name: 'room-0', fencing: 3 }), index + 1);
  expect(state.apply(claim(B, 1, 'sora', 'lemon'), index + 2)).toMatchObject([
    { type: 'channels_claimed', channels: ['sora'] },
    { type: 'channels_refused', channels: ['lemon'] },
  ]);
});

it('forgets claims whose epochs are over before it refuses one', () => {
  const state = fullState();
  state.apply(claim(B, 1, 'sora'), channelsMax + 3);
  state.apply(down(A, 1), channelsMax + 4);
  expect(state.channels()).toHaveLength(channelsMax);
  const events = state.apply(claim(B, 1, 'sora', 'room-0'), channelsMax + 5);
  expect(events).toMatchObject([{ type: 'channels_claimed', channels: ['sora', 'room-0'] }]);
  expect(state.channels()).toHaveLength(2);
});

it('bounds names, each by itself and all together', () => {
  const state = new ClusterState();
  state.apply(up(A, 'one'), 1);
  const longest = 'x'.repeat(channelNameCharactersMax);
  const refused = state.apply(claim(A, 1, longest, `${longest}x`, ''), 2);
  expect(refused).toMatchObject([{ channels: [longest] }, { channels: [`${longest}x`, ''] }]);
  const most = Math.floor(CLUSTER_LIMITS.channelNamesCharactersMax / channelNameCharactersMax);
  for (let number = 1; number <= most; number++) {
    state.apply(claim(A, 1, String(number).padStart(channelNameCharactersMax, '0')), number + 2);
  }
  expect(state.channels()).toHaveLength(most);
  expect(state.owner(String(most).padStart(channelNameCharactersMax, '0'))).toBeNull();
  state.apply(release(A, 1, { name: longest, fencing: 2 }), most + 3);
  expect(state.apply(claim(A, 1, 'sora'), most + 4)).toMatchObject([{ type: 'channels_claimed' }]);
});

it('refuses a node when there are as many as there may be, until one is purged', () => {
  const state = new ClusterState();
  for (let number = 0; number < nodesMax; number++) state.apply(up(`n${number}@h`, 'one'), number + 1);
  expect(state.apply(up(A, 'one'), nodesMax + 1)).toEqual([{ type: 'node_refused', node: A }]);
  expect(state.apply(up('n0@h', 'two'), nodesMax + 2)[1]).toMatchObject({ type: 'node_up', epoch: 2 });
  state.apply(down('n0@h', 2), nodesMax + 3);
  state.apply(purge('n0@h'), nodesMax + 4);
  expect(state.apply(up(A, 'one'), nodesMax + 5)[0]).toEqual({ type: 'node_up', node: A, epoch: 1 });
});

it('remembers the epochs of purged names, the newest of them', () => {
  const state = new ClusterState();
  let index = 0;
  const live = (node: string) => {
    state.apply(up(node, 'one'), ++index);
    state.apply(down(node, 1), ++index);
    state.apply(purge(node), ++index);
  };
  for (let number = 0; number <= CLUSTER_LIMITS.purgedNodesMax; number++) live(`n${number}@h`);
  expect(state.apply(up('n1@h', 'two'), ++index)[0]).toMatchObject({ epoch: 2 });
  expect(state.apply(up('n0@h', 'two'), ++index)[0]).toMatchObject({ epoch: 1 });
});
