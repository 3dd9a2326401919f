/** What a drain would mean: the quorum above all. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type DrainCandidate, type DrainPlan, planDrain } from './index.ts';

const PACE = { waitMs: 60_000, closesPerSecond: 100 };

function nodes(given: Record<string, Partial<DrainCandidate>>): DrainCandidate[] {
  const usual = { connected: true, voter: true, draining: false, connections: 0, connectionsMax: 500 };
  return Object.entries(given).map(([node, facts]) => ({ node, ...usual, ...facts }));
}

function plan(node: string, given: DrainCandidate[], channels = 0): DrainPlan {
  return planDrain(node, { nodes: given, channels, pace: PACE }) as DrainPlan;
}

describe('a plan', () => {
  it('says what has to move, how much room there is, and how long it takes at the most', () => {
    const given = nodes({
      a: { connections: 250 },
      b: { connections: 400 },
      c: { connections: 600 },
      d: { connected: false },
      e: { draining: true },
    });
    expect(plan('a', given, 7)).toMatchObject({
      connections: 250,
      channels: 7,
      room: 100,
      longestMs: 62_500,
    });
  });

  it('is short where nobody is connected', () => {
    expect(plan('a', nodes({ a: {}, b: {}, c: {} }))).toMatchObject({ longestMs: 0 });
  });

  it('is of a known node only', () => {
    expect(planDrain('z', { nodes: nodes({ a: {} }), channels: 0, pace: PACE })).toBeNull();
  });
});

describe('the quorum', () => {
  it('holds where a majority of the voters is left', () => {
    const { quorum } = plan('a', nodes({ a: {}, b: {}, c: {} }));
    expect(quorum).toEqual({ voters: 3, needed: 2, present: 3, left: 2, holds: true });
  });

  it('does not hold where another voter is silent, or is being drained', () => {
    const silent = plan('a', nodes({ a: {}, b: {}, c: { connected: false } }));
    expect(silent.quorum).toMatchObject({ present: 2, left: 1, holds: false });
    expect(plan('a', nodes({ a: {}, b: {}, c: { draining: true } })).quorum.holds).toBe(false);
    expect(plan('a', nodes({ a: {}, b: {} })).quorum.holds).toBe(false);
  });

  it('does not depend on a learner', () => {
    expect(plan('b', nodes({ a: {}, b: { voter: false } })).quorum).toMatchObject({ left: 1, holds: true });
  });

  it('of a lone node is missed by nobody', () => {
    expect(plan('a', nodes({ a: {} })).quorum).toMatchObject({ left: 0, holds: true });
  });

  it('is never broken by one drain after the other', () => {
    const cluster = fc.record({ voters: fc.integer({ min: 2, max: 9 }), order: fc.infiniteStream(fc.nat()) });
    fc.assert(
      fc.property(cluster, ({ voters, order }) => {
        let given = nodes(Object.fromEntries(Array.from({ length: voters }, (_, at) => [`n${at}`, {}])));
        for (let step = 0; step < voters * 2; step++) {
          const node = `n${(order.next().value as number) % voters}`;
          if (!plan(node, given).quorum.holds) continue;
          given = given.map((each) => (each.node === node ? { ...each, draining: true } : each));
        }
        const left = given.filter(({ draining }) => !draining).length;
        expect(left * 2).toBeGreaterThan(voters);
      }),
    );
  });
});
