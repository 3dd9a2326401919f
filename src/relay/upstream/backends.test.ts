import { expect, test } from 'vitest';
import { type BackendRules, type BackendState, Backends, type BackendVisit } from './backends.ts';

const RULES: BackendRules = {
  count: 2,
  inFlightMax: 0,
  failuresInRow: 3,
  failureRate: 0.5,
  windowMs: 8_000,
  windowCallsMin: 10,
  openMs: 1_000,
  openMaxMs: 4_000,
  healthyAfter: 2,
  unhealthyAfter: 3,
};

/** No jitter: rests are as long as they can be. */
const LONGEST = 1;

function backendsWith(rules: Partial<BackendRules> = {}) {
  const changes: [backend: number, state: BackendState][] = [];
  const backends = new Backends(
    { ...RULES, ...rules },
    { fraction: () => LONGEST, changed: (backend, state) => changes.push([backend, state]) },
  );
  /** Takes the backend that is given, whatever the others do. */
  const takeOnly = (backend: number, nowMs: number): BackendVisit =>
    backends.take(nowMs, [], [backend]) as BackendVisit;
  const fail = (backend: number, nowMs: number, times: number): void => {
    for (let time = 0; time < times; time++) backends.failed(takeOnly(backend, nowMs), 'unanswered', nowMs);
  };
  const states = (nowMs: number) => backends.states(nowMs).map(({ state }) => state);
  return { backends, changes, takeOnly, fail, states };
}

function backendOf(visit: BackendVisit | null): number | null {
  return visit?.backend ?? null;
}

test('equals take turns, and who has less to do comes first', () => {
  const { backends } = backendsWith({ count: 3 });
  const visits = [0, 0, 0, 0].map((nowMs) => backends.take(nowMs) as BackendVisit);
  expect(visits.slice(0, 3).map(backendOf).sort()).toEqual([0, 1, 2]);
  const [first, second] = visits as [BackendVisit, BackendVisit];
  backends.succeeded(first, 0);
  backends.succeeded(second, 0);
  const idle = backends.states(0).flatMap(({ inFlight }, backend) => (inFlight === 0 ? [backend] : []));
  expect(idle).toContain(backendOf(backends.take(0)));
});

test('failures in a row rest a backend, and one good call between them does not let it', () => {
  const { backends, fail, states, takeOnly, changes } = backendsWith();
  fail(0, 0, 2);
  backends.succeeded(takeOnly(0, 0), 0);
  fail(0, 0, 2);
  expect(states(0)).toEqual(['closed', 'closed']);
  fail(0, 0, 1);
  expect(states(0)).toEqual(['open', 'closed']);
  expect(changes).toEqual([[0, 'open']]);
  expect([1, 2, 3].map(() => backendOf(backends.take(0)))).toEqual([1, 1, 1]);
  expect(backends.take(0, [1])).toBeNull();
});

test('a share of failures within the window opens too, and old calls are forgotten', () => {
  const { backends, states, takeOnly } = backendsWith({ failuresInRow: 0 });
  const alternate = (nowMs: number, calls: number): void => {
    for (let call = 0; call < calls; call++) {
      const visit = takeOnly(0, nowMs);
      if (call % 2 === 0) backends.failed(visit, 'answered', nowMs);
      else backends.succeeded(visit, nowMs);
    }
  };
  alternate(0, 8);
  // They are older than the window by now: ten calls are not reached.
  alternate(9_000, 8);
  expect(states(9_000)).toEqual(['closed', 'closed']);
  alternate(9_500, 3);
  expect(states(9_500)).toEqual(['open', 'closed']);
});

test('after its rest one call tries it; a failure doubles the rest up to the longest', () => {
  const { backends, fail, states, changes } = backendsWith();
  fail(0, 0, 3);
  let nowMs = 0;
  for (const restMs of [1_000, 2_000, 4_000, 4_000]) {
    expect(backendOf(backends.take(nowMs + restMs - 1))).toBe(1);
    nowMs += restMs;
    expect(states(nowMs)).toEqual(['half_open', 'closed']);
    const trial = backends.take(nowMs) as BackendVisit;
    expect(trial.backend).toBe(0);
    // Only one.
    expect(backendOf(backends.take(nowMs))).toBe(1);
    backends.failed(trial, 'unanswered', nowMs);
  }
  nowMs += 4_000;
  backends.succeeded(backends.take(nowMs) as BackendVisit, nowMs);
  expect(states(nowMs)).toEqual(['closed', 'closed']);
  expect(changes.slice(-2)).toEqual([
    [0, 'half_open'],
    [0, 'closed'],
  ]);
  fail(0, nowMs, 3);
  expect(states(nowMs + 999)).toEqual(['open', 'closed']);
  expect(states(nowMs + 1_000)).toEqual(['half_open', 'closed']);
});

test('what became of calls from before a rest changes nothing in it', () => {
  const { backends, fail, takeOnly, states } = backendsWith();
  const early = [takeOnly(0, 0), takeOnly(0, 0)] as const;
  fail(0, 0, 3);
  backends.succeeded(early[0], 10);
  expect(states(10)).toEqual(['open', 'closed']);
  const trial = backends.take(1_000) as BackendVisit;
  backends.failed(early[1], 'unanswered', 1_001);
  expect(states(1_001)).toEqual(['half_open', 'closed']);
  backends.succeeded(trial, 1_002);
  expect(states(1_002)).toEqual(['closed', 'closed']);
});

test('a trial that was given up makes room for the next', () => {
  const { backends, fail, states } = backendsWith();
  fail(0, 0, 3);
  backends.abandoned(backends.take(1_000) as BackendVisit);
  expect(backendOf(backends.take(1_001))).toBe(0);
  expect(states(1_001)).toEqual(['half_open', 'closed']);
});

test('when nobody answers, all rest together, and the first trial is known', () => {
  const { backends, fail } = backendsWith();
  fail(0, 0, 3);
  fail(1, 200, 3);
  expect(backends.take(500)).toBeNull();
  expect(backends.retryAtMs()).toBe(1_000);
  expect(backendOf(backends.take(1_000))).toBe(0);
  expect(backends.take(1_000)).toBeNull();
});

test('while all rest, none rests longer than the first time', () => {
  const { backends, fail } = backendsWith();
  fail(0, 0, 3);
  backends.failed(backends.take(1_000) as BackendVisit, 'unanswered', 1_000);
  // It would rest until 3,000, if there were another.
  expect(backendOf(backends.take(2_500))).toBe(1);
  fail(1, 2_500, 3);
  expect(backends.retryAtMs()).toBe(2_000);
  expect(backendOf(backends.take(2_600))).toBe(0);
  expect(backends.take(2_600)).toBeNull();
});

test('backends that answer badly are asked when there is no better one', () => {
  const { backends, takeOnly, states } = backendsWith();
  for (const backend of [0, 1]) {
    for (let call = 0; call < 3; call++) backends.failed(takeOnly(backend, 0), 'answered', 0);
  }
  expect(states(0)).toEqual(['open', 'open']);
  expect([0, 1]).toContain(backendOf(backends.take(0)));
});

test('health checks in a row take a backend out and bring it back with a closed circuit', () => {
  const { backends, states, changes, fail } = backendsWith();
  const check = (healthy: boolean, times: number): void => {
    for (let time = 0; time < times; time++) backends.health(0, healthy, 0);
  };
  check(false, 2);
  check(true, 1);
  check(false, 2);
  expect(states(0)).toEqual(['closed', 'closed']);
  check(false, 1);
  expect(states(0)).toEqual(['unhealthy', 'closed']);
  expect([1, 2].map(() => backendOf(backends.take(0)))).toEqual([1, 1]);
  fail(0, 0, 3);
  check(true, 2);
  expect(states(0)).toEqual(['closed', 'closed']);
  expect(changes.at(-1)).toEqual([0, 'closed']);
});

test('checks that find nobody well are not believed, for it may be the check that is wrong', () => {
  const { backends } = backendsWith();
  for (const backend of [0, 1]) {
    for (let time = 0; time < 3; time++) backends.health(backend, false, 0);
  }
  expect([0, 0].map((nowMs) => backendOf(backends.take(nowMs))).sort()).toEqual([0, 1]);
});

test('the only backend is always asked, whatever it did', () => {
  const { backends, states } = backendsWith({ count: 1 });
  for (let call = 0; call < 100; call++) {
    backends.failed(backends.take(0) as BackendVisit, 'unanswered', 0);
    backends.health(0, false, 0);
  }
  expect(backendOf(backends.take(0))).toBe(0);
  expect(states(0)).toEqual(['unhealthy']);
});

test('the only one of those that a call may go to is asked, though it rests for others', () => {
  const { backends, fail } = backendsWith();
  fail(0, 0, 3);
  expect(backendOf(backends.take(0, [], [0]))).toBe(0);
  expect(backends.take(0, [0], [0])).toBeNull();
});

test('a full backend is passed over, and nothing is said of a rest when all are full', () => {
  const { backends } = backendsWith({ inFlightMax: 1 });
  const visits = [backends.take(0), backends.take(0)];
  expect(visits.map(backendOf).sort()).toEqual([0, 1]);
  expect(backends.take(0)).toBeNull();
  expect(backends.retryAtMs()).toBeNull();
  backends.abandoned(visits[0] as BackendVisit);
  expect(backendOf(backends.take(0))).toBe(backendOf(visits[0] as BackendVisit));
});
