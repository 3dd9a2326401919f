/** `overload:` and `worker_hang_timeout`: what is refused, and how it is said. */
import { describe, expect, it } from 'vitest';
import { parseConfig } from '../load.ts';

function read(text: string): unknown {
  const outcome = parseConfig({ text, path: 'c.yml', env: {} });
  if (outcome.ok) return [outcome.value.config.overload, outcome.value.config.workerHangTimeoutMs];
  return outcome.error.map(({ line, key, message }) => `${line} ${key}: ${message}`).join('\n');
}

const DEFAULT = {
  lagMs: 1_000,
  lagShedMs: 5_000,
  heapPercent: 85,
  heapShedPercent: 92,
  descriptorsPercent: 100,
};

describe('overload', () => {
  it('has marks by default, and each can be moved or switched off', () => {
    expect(read('')).toEqual([DEFAULT, 30_000]);
    const off = { ...DEFAULT, lagMs: 0, lagShedMs: 0, heapShedPercent: 0, descriptorsPercent: 90 };
    expect(read('overload: { lag: 0s, lag_shed: 0s, heap_shed: 0, descriptors: 90 }')).toEqual([off, 30_000]);
  });

  it.each([
    [
      'lag_shed below lag',
      'lag: 2s\n  lag_shed: 1s',
      /^3 overload\.lag_shed: expected at least overload\.lag/,
    ],
    ['heap_shed below heap', 'heap: 95\n', /overload\.heap_shed: expected at least overload\.heap/],
    ['shedding alone', 'heap: 0\n', /overload\.heap_shed: expected 0 while overload\.heap is 0/],
    ['more than all', 'descriptors: 101', /^2 overload\.descriptors: expected a whole number from 0 to 100/],
  ])('refuses %s', (_what, keys, message) => {
    expect(read(`overload:\n  ${keys}`)).toMatch(message);
  });
});

describe('worker_hang_timeout', () => {
  it('is never, or longer than healthy workers are silent', () => {
    expect(read('worker_hang_timeout: 0s')).toEqual([DEFAULT, 0]);
    expect(read('worker_hang_timeout: 2s')).toEqual([DEFAULT, 2_000]);
    expect(read('worker_hang_timeout: 1s')).toMatch(/^1 worker_hang_timeout: expected 0s, .* at least 2s/);
  });
});
