/** Sizes in bytes, read and written. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { formatSize, parseSize } from './size.ts';

it.each([
  ['0', 0],
  ['1024', 1_024],
  ['64KiB', 65_536],
  ['64 kib', 65_536],
  ['1MiB', 1_048_576],
  ['1MB', 1_000_000],
  ['1.5KiB', 1_536],
  ['7B', 7],
])('reads %s', (text, expected) => {
  expect(parseSize(text)).toEqual({ ok: true, value: expected });
});

it.each(['', '-1', '1.5', '0.3KiB', '1XB', 'KiB', '1e3', '1  MiB', '9999999GiB'])('refuses %j', (text) => {
  expect(parseSize(text).ok).toBe(false);
});

it('reads what formatSize writes', () => {
  fc.assert(
    fc.property(fc.maxSafeNat(), (bytes) => {
      expect(parseSize(formatSize(bytes))).toEqual({ ok: true, value: bytes });
    }),
  );
});
