import { describe, expect, test } from 'vitest';
import { LIMITS } from '../base/index.ts';
import { bytesToShed, longestQueues, OverloadRule, type OverloadSample, overloadSample } from './overload.ts';

const MARKS = {
  lag: { stop: 1_000, shed: 5_000 },
  heap: { stop: 80, shed: 90 },
  descriptors: { stop: 100, shed: 0 },
};
const CALM: OverloadSample = { lag: 0, heap: 10, descriptors: 10 };
const { overloadLooksToRise: RISE, overloadLooksToCalm: FALL } = LIMITS;

/** A rule that has looked at `sample` so often. */
function rule() {
  const made = new OverloadRule(MARKS);
  const look = (sample: Partial<OverloadSample>, times = 1) => {
    let verdict = made.look({ ...CALM, ...sample });
    for (let time = 1; time < times; time++) verdict = made.look({ ...CALM, ...sample });
    return verdict;
  };
  return { look };
}

describe('the state', () => {
  test('is normal while figures are below their marks', () => {
    const { look } = rule();
    const all = { lag: 999, heap: 79, descriptors: 99 };
    expect(look(all, 100)).toEqual({ state: 'normal', changed: false, cause: null, shed: false });
  });

  test.each(['lag', 'heap', 'descriptors'] as const)('rises when %s was high in every look', (cause) => {
    const { look } = rule();
    const high = { [cause]: MARKS[cause].stop };
    expect(look(high, RISE - 1)).toMatchObject({ state: 'normal', changed: false });
    expect(look(high)).toEqual({ state: 'stop_admitting', changed: true, cause, shed: false });
    expect(look(high)).toMatchObject({ state: 'stop_admitting', changed: false });
  });

  test('does not mind a single bad look, however bad', () => {
    const { look } = rule();
    for (let time = 0; time < 10; time++) {
      look({ lag: 60_000 }, RISE - 1);
      expect(look({}).state).toBe('normal');
    }
  });

  test('rises no further than what every look agrees on', () => {
    const { look } = rule();
    look({ heap: 99 }, RISE - 1);
    expect(look({ heap: 85 }).state).toBe('stop_admitting');
    expect(look({ heap: 99 }, RISE).state).toBe('shedding');
  });

  test('falls one step at a time, after a calm', () => {
    const { look } = rule();
    expect(look({ heap: 95 }, RISE)).toMatchObject({ state: 'shedding', shed: true });
    expect(look({}, FALL - 1).state).toBe('shedding');
    expect(look({})).toMatchObject({ state: 'stop_admitting', changed: true });
    expect(look({}, FALL - 1).state).toBe('stop_admitting');
    expect(look({})).toMatchObject({ state: 'normal', changed: true });
  });

  test('stays while a figure is just below its mark', () => {
    const { look } = rule();
    look({ lag: 1_000 }, RISE);
    expect(look({ lag: 951 }, 100).state).toBe('stop_admitting');
    look({ lag: 949 }, FALL - 1);
    expect(look({ lag: 951 }).state).toBe('stop_admitting');
    expect(look({ lag: 949 }, FALL).state).toBe('normal');
  });

  test('sheds only while the figures are above that mark', () => {
    const { look } = rule();
    look({ heap: 95 }, RISE);
    expect(look({ heap: 89 })).toMatchObject({ state: 'shedding', shed: false });
    expect(look({ heap: 90 })).toMatchObject({ state: 'shedding', shed: true });
  });

  test('follows other marks from the next look on', () => {
    const made = new OverloadRule(MARKS);
    for (let time = 0; time < RISE; time++) made.look({ ...CALM, heap: 85 });
    made.replace({ ...MARKS, heap: { stop: 0, shed: 0 } });
    for (let time = 1; time < FALL; time++) made.look({ ...CALM, heap: 85 });
    expect(made.state).toBe('stop_admitting');
    expect(made.look({ ...CALM, heap: 85 })).toMatchObject({ state: 'normal', changed: true });
  });

  test('does not depend on what is not watched or not known', () => {
    const off = { stop: 0, shed: 0 };
    const made = new OverloadRule({ lag: off, heap: off, descriptors: { stop: 100, shed: 0 } });
    for (let time = 0; time < 10; time++) made.look({ lag: 1e9, heap: 1e9, descriptors: null });
    expect(made.state).toBe('normal');
  });
});

test('a sample is in milliseconds and percents', () => {
  const vitals = { lagMs: 3, heapBytes: 30, heapBytesMax: 40, descriptors: 50, descriptorsMax: 200 };
  expect(overloadSample(vitals)).toEqual({ lag: 3, heap: 75, descriptors: 25 });
  const unknown = { ...vitals, descriptors: null };
  expect(overloadSample(unknown)).toEqual({ lag: 3, heap: 75, descriptors: null });
});

test('the longest queues come first, a bounded number of them, and no short ones', () => {
  const queues = [5, 90, 10, 70, 80].map((queuedBytes) => ({ queuedBytes }));
  const choose = (max: number, bytesMin: number, bytesEnough: number) =>
    longestQueues(queues, { max, bytesMin, bytesEnough }).map(({ queuedBytes }) => queuedBytes);
  expect(choose(3, 10, 1e9)).toEqual([90, 80, 70]);
  expect(choose(9, 75, 1e9)).toEqual([90, 80]);
  expect(choose(9, 10, 91)).toEqual([90, 80]);
  expect(choose(9, 10, 0)).toEqual([]);
});

test('of a full heap as much is to go as makes it calm; for anything else there is no measure', () => {
  const vitals = { lagMs: 0, heapBytes: 990, heapBytesMax: 1_000, descriptors: 0, descriptorsMax: 1 };
  const verdict = { state: 'shedding', changed: false, shed: true } as const;
  expect(bytesToShed({ ...verdict, cause: 'heap' }, vitals, MARKS)).toBeCloseTo(990 - 1_000 * 0.9 * 0.95);
  expect(bytesToShed({ ...verdict, cause: 'lag' }, vitals, MARKS)).toBe(Number.POSITIVE_INFINITY);
});
