/** Whatever the kernel prefers: somebody always accepts, and a storm ends evenly spread. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { balanceListeners, type Share } from './listener-balance.ts';

function after(shares: readonly Share[]): Share[] {
  const { stopAccepting, startAccepting } = balanceListeners(shares);
  return shares.map((share) => {
    if (stopAccepting.includes(share.slot)) return { ...share, accepting: false };
    return startAccepting.includes(share.slot) ? { ...share, accepting: true } : share;
  });
}

test('at least one worker accepts, and a second look changes nothing', () => {
  const share = fc.record({ connections: fc.nat(20_000), accepting: fc.boolean() });
  fc.assert(
    fc.property(fc.array(share, { minLength: 1, maxLength: 16 }), (drawn) => {
      const settled = after(drawn.map((one, slot) => ({ ...one, slot })));
      expect(settled.some(({ accepting }) => accepting)).toBe(true);
      expect(balanceListeners(settled)).toEqual({ stopAccepting: [], startAccepting: [] });
    }),
  );
});

test('4,000 connects on 4 workers end with 20 to 30 per cent each, whoever the kernel prefers', () => {
  const total = 4_000;
  fc.assert(
    fc.property(
      // How eagerly each worker wakes, and how many connects arrive between two reports of load.
      fc.array(fc.integer({ min: 0, max: 100 }), { minLength: 4, maxLength: 4 }),
      fc.array(fc.integer({ min: 1, max: 120 }), { minLength: 1, maxLength: 50 }),
      (eagerness, bursts) => {
        let shares: Share[] = eagerness.map((_, slot) => ({ slot, connections: 0, accepting: true }));
        for (let held = 0, round = 0; held < total; round++) {
          const burst = Math.min(bursts[round % bursts.length] ?? 1, total - held);
          shares = after(accept(shares, eagerness, burst));
          held += burst;
        }
        for (const { connections } of shares) {
          expect(connections).toBeGreaterThanOrEqual(0.2 * total);
          expect(connections).toBeLessThanOrEqual(0.3 * total);
        }
      },
    ),
  );
});

/** Deals a burst out by eagerness; the eagerest takes what is left by rounding. */
function accept(shares: readonly Share[], eagerness: readonly number[], burst: number): Share[] {
  const weight = (share: Share): number => (share.accepting ? (eagerness[share.slot] ?? 0) + 0.01 : 0);
  const sum = shares.reduce((total, share) => total + weight(share), 0);
  const dealt = shares.map((share) => ({
    ...share,
    connections: share.connections + Math.floor((burst * weight(share)) / sum),
  }));
  const eagerest = dealt.reduce((best, share) => (weight(share) > weight(best) ? share : best));
  const before = shares.reduce((total, share) => total + share.connections, 0);
  const now = dealt.reduce((total, share) => total + share.connections, 0);
  eagerest.connections += before + burst - now;
  return dealt;
}
