import { readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { canOpen } from './spare-descriptors.ts';

test('what is opened to see whether it can be is closed again, also when it cannot', () => {
  const before = readdirSync('/proc/self/fd').length;
  expect(canOpen(8)).toBe(true);
  expect(canOpen(8, '/dev/null/none')).toBe(false);
  expect(readdirSync('/proc/self/fd').length).toBe(before);
});
