/** A process is told from a later one with its number, and from one that is dead but not collected. */
import { describe, expect, it } from 'vitest';
import { parseIdentity, systemProcesses } from './process-identity.ts';

const BOOT = '0a1b2c3d-0000-4000-8000-000000000000';
/** Number, command, state, 18 fields, start time, more. */
const stat = (command: string, state: string, start: number) =>
  `42 (${command}) ${state} ${'0 '.repeat(18)}${start} 1000 2000`;

describe('the identity of a process', () => {
  it('is its start, whatever its name looks like', () => {
    expect(parseIdentity(stat('node', 'S', 777), BOOT)).toBe('0a1b2c3d777');
    expect(parseIdentity(stat('a) S 1 2 (b', 'R', 778), BOOT)).toBe('0a1b2c3d778');
  });

  it('is none when it has ended and waits to be collected', () => {
    for (const state of ['Z', 'X']) expect(parseIdentity(stat('node', state, 777), BOOT)).toBeNull();
  });

  it('is the same each time for this process, and none for a number out of range', () => {
    const own = systemProcesses.identityOf(process.pid);
    expect(own).toMatch(/^[0-9a-z]+$/);
    expect(systemProcesses.identityOf(process.pid)).toBe(own);
    expect(systemProcesses.identityOf(2 ** 30)).toBeNull();
  });
});
