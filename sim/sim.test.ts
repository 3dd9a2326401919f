/**
 * The log in the simulator: 200 seeds after those that once failed, and each seed repeats exactly.
 *
 * In processes of their own, as `npm run sim` runs them: what a test runner does to modules would
 * slow them down several times.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { withoutWorld } from './poison.ts';
import { missingFrom, noTotals } from './totals.ts';

function sim(...options: string[]): { status: number | null; output: string } {
  const program = join(import.meta.dirname, 'run.ts');
  const run = spawnSync(process.execPath, ['--import', 'tsx', program, ...options], { encoding: 'utf8' });
  return { status: run.status, output: run.stdout + run.stderr };
}

describe('the simulator', () => {
  it('finds every promise kept in 200 seeds, with everything tried', { timeout: 600_000 }, () => {
    const { status, output } = sim('--seeds', '200', '--workers', '2');
    expect(output).toContain('every promise was kept');
    expect(status, output).toBe(0);
  });

  it('repeats a seed exactly, whatever ran before it', { timeout: 600_000 }, () => {
    const together = sim('--json', '--seeds', '3', '--from', '11').output.trim().split('\n');
    const kept = together.length - 3;
    const alone = [11, 12, 13].map((seed) => sim('--json', '--seed', `${seed}`).output.trim());
    expect(together.slice(kept)).toEqual(alone);
    expect(new Set(alone).size).toBe(3);
  });

  it('lets nobody reach for the real clock, timers or chance', () => {
    expect(() => withoutWorld(() => Date.now())).toThrow('now is of the real world');
    expect(() => withoutWorld(() => Math.random())).toThrow('random is of the real world');
    expect(withoutWorld(() => 4)).toBe(4);
    expect(Math.random()).toBeLessThan(1);
  });

  it('says what a run has not tried', () => {
    const totals = noTotals();
    expect(missingFrom(totals)).toHaveLength(Object.keys(totals).length);
    expect(missingFrom({ ...totals, elections: 3, tornWrites: 1 })).not.toContain('tornWrites');
  });
});
