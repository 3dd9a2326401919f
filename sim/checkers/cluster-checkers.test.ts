/** Each checker of the cluster's state objects to a history that breaks its promise. */
import { describe, expect, it } from 'vitest';
import type { ClusterEvent } from '../../src/cluster/index.ts';
import { FencedPublishes } from './fenced-publishes.ts';
import { OneOwner } from './one-owner.ts';

const up = (node: string, epoch: number): ClusterEvent => ({ type: 'node_up', node, epoch });
const down = (node: string, epoch: number): ClusterEvent => ({
  ...{ type: 'node_down', node, epoch },
  reason: 'silent',
});
const claimed = (node: string, epoch: number, fencing: number): ClusterEvent => ({
  ...{ type: 'channels_claimed', node, epoch, fencing },
  channels: ['sora'],
});

function follow(...events: ClusterEvent[]): OneOwner {
  const checker = new OneOwner();
  for (const event of events) checker.happened(event);
  return checker;
}

describe('one owner', () => {
  it('lets a channel change hands when its epoch is over', () => {
    const events = [up('a', 1), claimed('a', 1, 2), down('a', 1), up('b', 1), claimed('b', 1, 5)];
    expect(follow(...events).takeovers).toBe(1);
  });

  it.each<[string, ClusterEvent[], string]>([
    ['a node that is up twice', [up('a', 1), up('a', 2)], 'a is up twice'],
    ['an epoch that comes again', [up('a', 1), down('a', 1), up('a', 1)], 'a begins epoch 1'],
    ['an epoch that ends twice', [up('a', 1), down('a', 1), down('a', 1)], 'does not last'],
    ['an owner that is down', [up('a', 1), claimed('a', 2, 1)], 'does not last'],
    ['two owners', [up('a', 1), up('b', 1), claimed('a', 1, 3), claimed('b', 1, 4)], 'which a owns'],
    [
      'a fencing number that goes back',
      [up('a', 1), claimed('a', 1, 3), down('a', 1), up('a', 2), claimed('a', 2, 3)],
      'goes to 3',
    ],
  ])('objects to %s', (_, events, text) => {
    expect(() => follow(...events)).toThrow(text);
  });
});

describe('fenced publishes', () => {
  it('object to an older owner after a later one, and to two owners of one number', () => {
    const checker = new FencedPublishes();
    for (const fencing of [3, 3, 5]) checker.published('a', 'sora', fencing);
    checker.published('b', 'lemon', 1);
    expect(() => checker.published('b', 'sora', 3)).toThrow('b orders sora under 3, after a did under 5');
    expect(() => checker.published('b', 'sora', 5)).toThrow('after a did under 5');
  });
});
