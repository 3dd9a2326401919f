/** The crowd at a worker's door: how long the next one is to stay away. */
import { describe, expect, it } from 'vitest';
import { FakeRandom } from '../../../test/fakes/fake-random.ts';
import { LIMITS } from '../../base/index.ts';
import { ConnectPace } from './connect-pace.ts';
import { retryAfterSeconds } from './retry-after.ts';

/** With the built-in guess of 100 ms a callback: 1,000 a second. */
const IN_FLIGHT_MAX = 100;

/** What the last of a span is told. */
function spanMs({ leastMs, spreadMs }: { leastMs: number; spreadMs: number }): number {
  return leastMs + spreadMs;
}

/** Has the application answer `perSecond` for `seconds`, beginning at `fromMs`, while a crowd waits. */
function work(pace: ConnectPace, perSecond: number, seconds: number, fromMs = 0): void {
  for (let answer = 0; answer <= perSecond * seconds; answer++) {
    pace.answered(fromMs + (answer / perSecond) * 1_000, 1_000);
  }
}

describe('the wait', () => {
  it('is nothing where nobody is', () => {
    expect(spanMs(new ConnectPace(IN_FLIGHT_MAX).sentAway(0, 0))).toBe(0);
  });

  it('grows with those on the way', () => {
    const pace = new ConnectPace(IN_FLIGHT_MAX);
    expect(spanMs(pace.wait(0, 500))).toBe(500);
    expect(spanMs(pace.wait(0, 4_000))).toBe(4_000);
  });

  it('grows with those sent away before, and shrinks as they become due', () => {
    const pace = new ConnectPace(IN_FLIGHT_MAX);
    for (let client = 0; client < 3_000; client++) pace.sentAway(0, 0);
    expect(spanMs(pace.wait(0, 0))).toBe(3_000);
    expect(spanMs(pace.wait(1_000, 0))).toBe(2_000);
    expect(spanMs(pace.wait(9_000, 0))).toBe(0);
  });

  it('is not longer for being asked about', () => {
    const pace = new ConnectPace(IN_FLIGHT_MAX);
    for (let time = 0; time < 50; time++) pace.wait(0, 0);
    expect(spanMs(pace.wait(0, 0))).toBe(0);
  });

  it('has a bound, also in memory of those sent away', () => {
    const pace = new ConnectPace(IN_FLIGHT_MAX);
    for (let client = 0; client < 1_000_000; client++) pace.sentAway(0, 0);
    expect(spanMs(pace.wait(0, 0))).toBe(LIMITS.retryAfterSpreadMaxMs);
    expect(spanMs(pace.wait(LIMITS.retryAfterSpreadMaxMs - 1_000, 0))).toBeCloseTo(1_000);
  });
});

describe('the pace', () => {
  it("becomes the application's while a crowd waits", () => {
    const pace = new ConnectPace(IN_FLIGHT_MAX);
    work(pace, 200, 10);
    expect(spanMs(pace.wait(10_000, 400))).toBeCloseTo(2_000, -2);
    work(pace, 4_000, 10, 10_000);
    expect(spanMs(pace.wait(20_000, 400))).toBeCloseTo(100, -1);
  });

  it('is not measured in quiet times, when clients make it', () => {
    const pace = new ConnectPace(IN_FLIGHT_MAX);
    for (let second = 0; second < 100; second++) pace.answered(second * 1_000, IN_FLIGHT_MAX);
    expect(spanMs(pace.wait(100_000, 500))).toBe(500);
    // Nor does a quiet time between two crowds count as slowness.
    pace.answered(200_000, 1_000);
    pace.answered(200_001, 0);
    pace.answered(300_000, 1_000);
    expect(spanMs(pace.wait(300_000, 500))).toBe(500);
  });

  it('never comes to a standstill', () => {
    const pace = new ConnectPace(IN_FLIGHT_MAX);
    for (let answer = 0; answer < 50; answer++) pace.answered(answer * 1e6, 1_000);
    expect(spanMs(pace.wait(50e6, 10))).toBeLessThanOrEqual(10_000);
  });
});

describe('a crowd that is sent away at once', () => {
  it('comes back as a stream of the pace, about, and not as a crowd', () => {
    const random = new FakeRandom();
    const pace = new ConnectPace(IN_FLIGHT_MAX);
    const perSecond = new Map<number, number>();
    for (let client = 0; client < 20_000; client++) {
      const second = retryAfterSeconds(pace.sentAway(0, 0), random.fraction());
      perSecond.set(second, (perSecond.get(second) ?? 0) + 1);
    }
    expect(Math.max(...perSecond.keys())).toBe(20);
    // A span of halves: 1.4 times the pace in its first half, then less and less.
    expect(Math.max(...perSecond.values())).toBeLessThan(1_700);
  });
});
