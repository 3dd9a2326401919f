/** Who steps back and who accepts again, in numbers small and large. */
import { describe, expect, test } from 'vitest';
import { balanceListeners, type Share } from './listener-balance.ts';

function shares(...counts: (number | [number, 'back'])[]): Share[] {
  return counts.map((count, slot) =>
    typeof count === 'number'
      ? { slot, connections: count, accepting: true }
      : { slot, connections: count[0], accepting: false },
  );
}

const nothing = { stopAccepting: [], startAccepting: [] };

describe('the balance of listeners', () => {
  test('leaves equals alone', () => {
    expect(balanceListeners(shares(1_000, 1_000, 1_000, 1_000))).toEqual(nothing);
    expect(balanceListeners(shares(0, 0))).toEqual(nothing);
    expect(balanceListeners(shares(500))).toEqual(nothing);
  });

  test('takes the listener from a worker above 1.1 times the mean', () => {
    expect(balanceListeners(shares(1_060, 1_000, 1_000, 1_000))).toEqual(nothing);
    expect(balanceListeners(shares(1_200, 1_000, 1_000, 1_000)).stopAccepting).toEqual([0]);
  });

  test('gives it back at the mean and not before', () => {
    expect(balanceListeners(shares([1_020, 'back'], 1_000, 1_000, 1_000))).toEqual(nothing);
    expect(balanceListeners(shares([1_000, 'back'], 1_000, 1_000, 1_000)).startAccepting).toEqual([0]);
  });

  test('in small numbers a few connections make no difference', () => {
    expect(balanceListeners(shares(7, 0, 0, 0))).toEqual(nothing);
    expect(balanceListeners(shares(20, 0, 0, 0)).stopAccepting).toEqual([0]);
  });

  test('while one lags, all above the mean step back', () => {
    const verdict = balanceListeners(shares(1_080, 1_080, 1_080, 700));
    expect(verdict.stopAccepting).toEqual([0, 1, 2]);
  });
});
