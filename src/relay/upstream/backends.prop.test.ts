import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type BackendRules, Backends, type BackendVisit } from './backends.ts';

type Step =
  | { readonly type: 'take'; readonly tried: readonly number[] }
  | { readonly type: 'end'; readonly which: number; readonly how: 'good' | 'bad' | 'none' | 'gone' }
  | { readonly type: 'check'; readonly backend: number; readonly healthy: boolean }
  | { readonly type: 'pass'; readonly ms: number };

const BACKENDS = 4;
const backend = fc.nat(BACKENDS - 1);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ type: fc.constant('take'), tried: fc.uniqueArray(backend) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      type: fc.constant('end'),
      which: fc.nat(),
      how: fc.constantFrom('good', 'bad', 'none', 'gone'),
    }),
  },
  fc.record({ type: fc.constant('check'), backend, healthy: fc.boolean() }),
  fc.record({ type: fc.constant('pass'), ms: fc.nat(3_000) }),
) as fc.Arbitrary<Step>;

const rules: fc.Arbitrary<BackendRules> = fc.record({
  count: fc.constant(BACKENDS),
  inFlightMax: fc.constantFrom(0, 3),
  failuresInRow: fc.integer({ min: 0, max: 3 }),
  failureRate: fc.constantFrom(0, 0.3, 1),
  windowMs: fc.constantFrom(100, 10_000),
  windowCallsMin: fc.integer({ min: 1, max: 5 }),
  openMs: fc.constantFrom(10, 1_000),
  openMaxMs: fc.constantFrom(1_000, 8_000),
  healthyAfter: fc.integer({ min: 1, max: 3 }),
  unhealthyAfter: fc.integer({ min: 1, max: 3 }),
});

interface World {
  readonly backends: Backends;
  readonly open: BackendVisit[];
  nowMs: number;
}

function end({ backends, open, nowMs }: World, which: number, how: 'good' | 'bad' | 'none' | 'gone'): void {
  const [visit] = open.splice(which % open.length, 1);
  if (visit === undefined) return;
  if (how === 'good') backends.succeeded(visit, nowMs);
  else if (how === 'gone') backends.abandoned(visit);
  else backends.failed(visit, how === 'bad' ? 'answered' : 'unanswered', nowMs);
}

function take(world: World, tried: readonly number[], inFlightMax: number): void {
  const { backends, nowMs } = world;
  const before = backends.states(nowMs);
  const visit = backends.take(nowMs, tried);
  const askable = before.flatMap(({ state, inFlight }, index) => {
    const full = inFlightMax > 0 && inFlight >= inFlightMax;
    return state === 'closed' && !full && !tried.includes(index) ? [index] : [];
  });
  if (visit === null) {
    expect(askable).toEqual([]);
    return;
  }
  world.open.push(visit);
  expect(tried).not.toContain(visit.backend);
  const chosen = before[visit.backend];
  if (askable.length > 0) expect(chosen?.state).not.toMatch(/^(open|unhealthy)$/);
  if (chosen?.state === 'closed') {
    const least = Math.min(...askable.map((index) => before[index]?.inFlight ?? 0));
    expect(chosen.inFlight).toBe(least);
  }
}

function runs(world: World, steps: readonly Step[], inFlightMax: number): void {
  for (const now of steps) {
    if (now.type === 'take') take(world, now.tried, inFlightMax);
    else if (now.type === 'end') end(world, now.which, now.how);
    else if (now.type === 'check') world.backends.health(now.backend, now.healthy, world.nowMs);
    else world.nowMs += now.ms;
    const held = world.backends.states(world.nowMs).map(({ inFlight }) => inFlight);
    expect(held.reduce((sum, count) => sum + count, 0)).toBe(world.open.length);
  }
}

const history = fc.tuple(
  rules,
  fc.array(step, { maxLength: 120 }),
  fc.double({ min: 0, max: 0.999, noNaN: true }),
);

test('no resting or unhealthy backend is taken while another can be, and the idlest closed one is', () => {
  fc.assert(
    fc.property(history, ([chosen, steps, fraction]) => {
      const backends = new Backends(chosen, { fraction: () => fraction });
      runs({ backends, open: [], nowMs: 0 }, steps, chosen.inFlightMax);
    }),
  );
});

test('nothing stays in flight, and every backend is tried again and comes back', () => {
  fc.assert(
    fc.property(history, ([chosen, steps, fraction]) => {
      const backends = new Backends(chosen, { fraction: () => fraction });
      const world = { backends, open: [] as BackendVisit[], nowMs: 0 };
      runs(world, steps, chosen.inFlightMax);
      while (world.open.length > 0) end(world, 0, 'gone');
      expect(backends.states(world.nowMs).every(({ inFlight }) => inFlight === 0)).toBe(true);
      for (let index = 0; index < BACKENDS; index++) {
        for (let time = 0; time < chosen.healthyAfter; time++) backends.health(index, true, world.nowMs);
      }
      // A whole rest later nobody has to wait any more, and each gets its call.
      world.nowMs += chosen.openMaxMs;
      const reached = new Set<number>();
      for (let call = 0; call < 2 * BACKENDS; call++) {
        const visit = backends.take(world.nowMs) as BackendVisit;
        reached.add(visit.backend);
        backends.succeeded(visit, world.nowMs);
      }
      expect(reached.size).toBe(BACKENDS);
      expect(backends.states(world.nowMs).map(({ state }) => state)).toEqual(Array(BACKENDS).fill('closed'));
    }),
  );
});

test('while none answers, one call a rest is made for each, however many want to', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(200), { minLength: 1, maxLength: 300 }), (pauses) => {
      const count = 2;
      const backends = new Backends(
        {
          ...{ count, inFlightMax: 0, failuresInRow: 1, failureRate: 0, windowMs: 1_000, windowCallsMin: 1 },
          ...{ openMs: 1_000, openMaxMs: 1_000, healthyAfter: 1, unhealthyAfter: 1 },
        },
        { fraction: () => 0 },
      );
      let nowMs = 0;
      let asked = 0;
      for (const pauseMs of pauses) {
        nowMs += pauseMs;
        const visit = backends.take(nowMs);
        if (visit === null) {
          expect(backends.retryAtMs() as number).toBeGreaterThan(nowMs);
          continue;
        }
        asked++;
        backends.failed(visit, 'unanswered', nowMs);
      }
      // A rest without its chance is half as long.
      expect(asked).toBeLessThanOrEqual(count * (1 + Math.floor(nowMs / 500)));
    }),
  );
});
