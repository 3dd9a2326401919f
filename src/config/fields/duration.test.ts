/** Go's durations, read and written. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatDuration, parseDuration } from './duration.ts';

describe('parseDuration', () => {
  it.each([
    ['300ms', 300],
    ['1m30s', 90_000],
    ['1h', 3_600_000],
    ['1.5s', 1_500],
    ['.5s', 500],
    ['1.s', 1_000],
    ['-1s', -1_000],
    ['+2s', 2_000],
    ['0', 0],
    ['-0', 0],
    ['1s1s', 2_000],
    ['1500us', 1.5],
    ['1500\u00b5s', 1.5],
    ['1500\u03bcs', 1.5],
    ['1000000ns', 1],
  ])('reads %s', (text, expected) => {
    const outcome = parseDuration(text);
    expect(outcome.ok && outcome.value).toBeCloseTo(expected, 9);
  });

  it.each([
    ['', 'not a number and a unit'],
    ['10', 'unit is missing'],
    ['1.5', 'unit is missing'],
    ['abc', 'not a number and a unit'],
    ['.s', 'not a number and a unit'],
    ['1 s', 'not a number and a unit'],
    ['1s ', 'not a number and a unit'],
    ['--1s', 'not a number and a unit'],
    ['1d', 'd is not one of'],
    ['1S', 'not a number and a unit'],
    ['1s5', 'not a number and a unit'],
    ['9999999h', 'too long'],
  ])('refuses %j', (text, message) => {
    const outcome = parseDuration(text);
    expect(outcome.ok ? outcome.value : outcome.error).toContain(message);
  });

  it('reads what formatDuration writes', () => {
    fc.assert(
      fc.property(fc.integer({ min: -1e12, max: 1e12 }), (durationMs) => {
        const outcome = parseDuration(formatDuration(durationMs));
        expect(outcome.ok && outcome.value).toBe(durationMs);
      }),
    );
  });

  it('never throws', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => typeof parseDuration(text).ok === 'boolean'),
    );
  });
});

describe('formatDuration', () => {
  it.each([
    [0, '0s'],
    [1, '1ms'],
    [90_000, '1m30s'],
    [3_600_500, '1h500ms'],
  ])('writes %d', (durationMs, expected) => {
    expect(formatDuration(durationMs)).toBe(expected);
  });
});
