/** How a node comes to its mode: each row of the table that `docs/reference/cluster-state.md` shows. */
import { describe, expect, it } from 'vitest';
import type { Mode } from '../base/index.ts';
import { acceptOrder, modeOf, type NodeStanding, type OrderedMode } from './index.ts';

const ALONE: NodeStanding = {
  ...{ ordered: null, clustered: false, joined: false },
  ...{ isolated: false, impaired: false },
};
const STARTED: NodeStanding = { ...ALONE, clustered: true };
const JOINED: NodeStanding = { ...STARTED, joined: true };
const ISOLATED: NodeStanding = { ...JOINED, isolated: true };

const ORDERS = [null, 'normal', 'block_new_session', 'block_new_connection'] as const;

describe('a mode', () => {
  it.each<[string, NodeStanding, Mode[]]>([
    ['alone', ALONE, ['normal', 'normal', 'block_new_session', 'block_new_connection']],
    ['before it joined', STARTED, ['initial', 'initial', 'block_new_session', 'block_new_connection']],
    ['joined', JOINED, ['normal', 'normal', 'block_new_session', 'block_new_connection']],
    ['cut off', ISOLATED, ['initial', 'initial', 'block_new_session', 'block_new_connection']],
  ])('of a node that is %s follows from the order', (_, standing, modes) => {
    expect(ORDERS.map((ordered) => modeOf({ ...standing, ordered }))).toEqual(modes);
  });

  it('of a node whose disk fails is the strictest block, whatever else holds', () => {
    for (const standing of [ALONE, STARTED, JOINED, ISOLATED]) {
      for (const ordered of ORDERS) {
        expect(modeOf({ ...standing, ordered, impaired: true })).toBe('block_new_connection');
      }
    }
  });
});

describe('an order', () => {
  const orders: OrderedMode[] = ['normal', 'block_new_session', 'block_new_connection'];

  it('to be normal is refused before the node has joined', () => {
    const accepted = orders.filter((mode) => acceptOrder(mode, STARTED).ok);
    expect(accepted).toEqual(['block_new_session', 'block_new_connection']);
    expect(acceptOrder('normal', STARTED)).toEqual({ ok: false, error: 'not_joined' });
  });

  it('is taken otherwise, by a node that is cut off too', () => {
    for (const standing of [ALONE, JOINED, ISOLATED]) {
      for (const mode of orders) expect(acceptOrder(mode, standing)).toEqual({ ok: true, value: mode });
    }
  });
});
