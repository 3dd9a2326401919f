/** Repeats are found wherever the first stands, and forgotten at the same place by everybody. */
import { expect, it } from 'vitest';
import { LOG_LIMITS } from '../base/index.ts';
import { RequestWindow } from './requests.ts';
import type { Entry } from './types.ts';

function entry(index: number, requestId: string | null): Entry {
  return { index, ballot: 1, payload: { type: 'changes', kind: 'put', version: 1, requestId, changes: [] } };
}

it('finds what waits, what was applied, and neither after it was cut off', () => {
  const window = new RequestWindow();
  window.appended(entry(1, 'r1'));
  window.appended(entry(2, 'r2'));
  expect(window.find('r1')).toBe(1);
  expect(window.applies(entry(1, 'r1'))).toBe(true);
  window.truncated(2);
  expect(window.find('r1')).toBe(1);
  expect(window.find('r2')).toBeUndefined();
});

it('lets a request be applied once, and what has no id as often as it comes', () => {
  const window = new RequestWindow();
  expect(window.applies(entry(1, 'r1'))).toBe(true);
  expect(window.applies(entry(2, 'r1'))).toBe(false);
  expect(window.applies(entry(3, null))).toBe(true);
  expect(window.applies({ index: 4, ballot: 1, payload: { type: 'noop' } })).toBe(true);
  window.appended(entry(5, null));
  expect(window.list()).toEqual([['r1', 1]]);
});

it('keeps where the first stands when the same is appended again', () => {
  const window = new RequestWindow();
  window.appended(entry(1, 'r1'));
  window.appended(entry(2, 'r1'));
  expect(window.find('r1')).toBe(1);
  expect(window.applies(entry(1, 'r1'))).toBe(true);
  expect(window.applies(entry(2, 'r1'))).toBe(false);
});

it('forgets the oldest at its bound, and is the same after a snapshot', () => {
  const window = new RequestWindow();
  for (let index = 1; index <= LOG_LIMITS.requestsMax + 2; index++) window.applies(entry(index, `r${index}`));
  expect(window.find('r2')).toBeUndefined();
  expect(window.find('r3')).toBe(3);
  const copy = new RequestWindow();
  copy.appended(entry(7, 'gone'));
  copy.reset(window.list());
  expect(copy.find('gone')).toBeUndefined();
  expect(copy.list()).toEqual(window.list());
  expect(copy.list()).toHaveLength(LOG_LIMITS.requestsMax);
});
