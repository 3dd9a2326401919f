/** The larger a snapshot, the longer it may take; everything else has one bound. */
import { expect, it } from 'vitest';
import { foreignDeadlineMs } from './foreign-deadline.ts';

it('gives a snapshot the time that its bytes need on a slow link', () => {
  const start = (bytes: number): number => {
    const names = { cluster: 'c', self: 'f', master: 'm', participants: [] };
    const snapshot = new Uint8Array(bytes);
    return foreignDeadlineMs({ method: 'start', instance: 1n, sequence: 1n, ...names, snapshot });
  };
  expect(start(0)).toBe(5_000);
  expect(start(96 * 2 ** 20)).toBe(5_000 + 256_000);
  const entry = { method: 'accept', instance: 1n, sequence: 1n, changes: [new Uint8Array(2 ** 20)] } as const;
  expect(foreignDeadlineMs(entry)).toBe(5_000);
});
