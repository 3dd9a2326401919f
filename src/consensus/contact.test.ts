/** How long ago the majority was heard of: never less than the truth. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { ContactBound, Rounds } from './contact.ts';

it('remembers when the newest acknowledged round began', () => {
  const rounds = new Rounds(1_000);
  expect([rounds.round, rounds.confirmed, rounds.confirmedMs]).toEqual([0, 0, 1_000]);
  for (const nowMs of [1_100, 1_200, 1_300]) rounds.begin(nowMs);
  expect(rounds.begunMs(2)).toBe(1_200);
  expect(rounds.confirm(2)).toBe(true);
  expect(rounds.confirm(1)).toBe(false);
  expect([rounds.round, rounds.confirmed, rounds.confirmedMs]).toEqual([3, 2, 1_200]);
  expect(rounds.begunMs(3)).toBe(1_300);
  expect(rounds.begunMs(1)).toBe(1_200);
});

it('bounds the age at a follower from above, whatever a message takes', () => {
  const delay = fc.nat(5_000);
  fc.assert(
    fc.property(fc.nat(1_000), delay, delay, delay, delay, (offset, ack, answer, wait, travel) => {
      // On the master's clock; the follower's is `offset` ahead.
      const roundMs = 10_000;
      const answeredMs = 9_000;
      const heartbeatMs = Math.max(answeredMs + answer, roundMs + ack) + wait;
      const nowMs = heartbeatMs + travel;
      const bound = new ContactBound();
      bound.heard({ ageMs: heartbeatMs - roundMs, echoMs: answeredMs + offset }, 0, nowMs + offset, 7);
      bound.reached(7);
      expect(bound.ageMs(nowMs + offset)).toBeGreaterThanOrEqual(nowMs - roundMs);
    }),
  );
});

it('learns nothing from echoes of another life, nor from none', () => {
  const bound = new ContactBound();
  bound.heard({ ageMs: 0, echoMs: null }, 500, 900, 0);
  bound.heard({ ageMs: 0, echoMs: 499 }, 500, 900, 0);
  bound.heard({ ageMs: 0, echoMs: 901 }, 500, 900, 0);
  bound.reached(0);
  expect(bound.ageMs(900)).toBe(Number.POSITIVE_INFINITY);
  bound.heard({ ageMs: 100, echoMs: 800 }, 500, 900, 0);
  bound.reached(0);
  expect(bound.ageMs(900)).toBe(200);
  bound.heard({ ageMs: 300, echoMs: 850 }, 500, 900, 0);
  bound.reached(0);
  expect(bound.ageMs(900)).toBe(200);
});

it('counts a contact once the state holds what was committed then, and starves under no load', () => {
  const bound = new ContactBound();
  bound.heard({ ageMs: 0, echoMs: 100 }, 0, 900, 7);
  for (const [echoMs, index] of [[200, 8] as const, [300, 9] as const, [400, 12] as const])
    bound.heard({ ageMs: 0, echoMs }, 0, 900, index);
  const agesAt = (index: number): number => {
    bound.reached(index);
    return bound.ageMs(1_000);
  };
  expect([6, 7, 11, 12].map(agesAt)).toEqual([Number.POSITIVE_INFINITY, 900, 900, 600]);
});
