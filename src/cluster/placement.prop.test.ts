/** Where new channels go: single cases, and a second version that is slow and plain. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Candidate, placeChannel } from './index.ts';

const IDLE: Omit<Candidate, 'node'> = {
  ...{ mode: 'normal', connected: true },
  ...{ connections: 0, connectionsMax: 500, claimsUnfilled: 0 },
};

function nodes(given: Record<string, Partial<Candidate>>): Candidate[] {
  return Object.entries(given).map(([node, facts]) => ({ ...IDLE, node, ...facts }));
}

describe('a new channel', () => {
  it('stays at the contacted node of an idle cluster', () => {
    expect(placeChannel(nodes({ a: {}, b: {}, c: {} }), 'b')).toBe('b');
  });

  it('goes to the node that is least full for its size', () => {
    const candidates = nodes({ a: { connections: 2 }, b: { connections: 3, connectionsMax: 1_000 } });
    expect(placeChannel(candidates, 'a')).toBe('b');
  });

  it('counts channels that were given away and have no connection yet', () => {
    const candidates = nodes({ a: { connections: 2 }, b: { connections: 1, claimsUnfilled: 2 } });
    expect(placeChannel(candidates, 'b')).toBe('a');
  });

  it('goes to the lowest name of those that are equally empty, where the contacted one is not', () => {
    expect(placeChannel(nodes({ a: { connections: 1 }, c: {}, b: {} }), 'a')).toBe('b');
  });

  it('goes to no node that blocks, is silent, is full, or is unknown', () => {
    const closed = nodes({
      a: { mode: 'block_new_session' },
      b: { mode: 'block_new_connection' },
      c: { mode: 'initial' },
      d: { connected: false },
      e: { connections: 499, claimsUnfilled: 1 },
      f: { connectionsMax: 0 },
    });
    expect(placeChannel(closed, 'a')).toBeNull();
    expect(placeChannel([...closed, ...nodes({ g: { connections: 499 } })], 'a')).toBe('g');
    expect(placeChannel([], 'a')).toBeNull();
  });
});

it('chooses as one would by hand', () => {
  const candidate = fc.record({
    node: fc.constantFrom<string[]>('a', 'b', 'c', 'd', 'e'),
    mode: fc.constantFrom('normal' as const, 'normal' as const, 'block_new_session' as const),
    connected: fc.constantFrom(true, true, true, false),
    connections: fc.nat(6),
    connectionsMax: fc.nat(12),
    claimsUnfilled: fc.nat(2),
  });
  const candidates = fc.uniqueArray(candidate, { selector: ({ node }) => node, maxLength: 5 });
  fc.assert(
    fc.property(candidates, fc.constantFrom<string[]>('a', 'b', 'z'), (given, contacted) => {
      const fullness = ({ connections, claimsUnfilled, connectionsMax }: Candidate) =>
        connectionsMax === 0 ? 1 : (connections + claimsUnfilled) / connectionsMax;
      const able = given.filter((each) => each.mode === 'normal' && each.connected && fullness(each) < 1);
      const order = able.sort((left, right) => {
        if (fullness(left) !== fullness(right)) return fullness(left) - fullness(right);
        if ([left.node, right.node].includes(contacted)) return left.node === contacted ? -1 : 1;
        return left.node < right.node ? -1 : 1;
      });
      expect(placeChannel(given, contacted)).toBe(order[0]?.node ?? null);
    }),
    { numRuns: 500 },
  );
});
