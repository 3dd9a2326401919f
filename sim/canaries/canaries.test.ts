/**
 * The simulator is tested too: each planted bug has to be caught within its number of seeds, and a
 * failing run has to say how it is repeated.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { CANARIES } from './canaries.ts';
import { hunt } from './hunt.ts';
import { planted, plantHouse } from './planted-house.ts';

describe('canaries', () => {
  it('are at least ten, each with a name of its own', () => {
    expect(CANARIES.length).toBeGreaterThanOrEqual(10);
    expect(new Set(CANARIES.map(({ name }) => name)).size).toBe(CANARIES.length);
  });

  for (const canary of CANARIES) {
    const title = `a log that ${canary.name} is caught within ${canary.seedsMax} seeds`;
    it.concurrent(title, { timeout: 600_000 }, async () => {
      const found = await hunt(canary);
      expect(found, `${canary.name}: lived through ${canary.seedsMax} seeds`).not.toBeNull();
      console.log(`${canary.name}: caught at seed ${found?.seed} by ${found?.checker}`);
    });
  }
});

describe('a failing run', () => {
  it('prints the seed, its options, the commit, the last events and how to repeat it', {
    timeout: 120_000,
  }, () => {
    const house = plantHouse(CANARIES.find(({ name }) => name.startsWith('sends before'))?.plants ?? []);
    try {
      const program = join(house.folder, 'sim', 'run.ts');
      const run = spawnSync(process.execPath, ['--import', 'tsx', program, '--seeds', '20'], {
        cwd: house.folder,
        encoding: 'utf8',
      });
      expect(run.status).toBe(1);
      const seed = /^seed (\d+) failed at commit \w+, trace [0-9a-f]{16}$/m.exec(run.stdout)?.[1];
      expect(run.stdout).toMatch(/^options \{"profile":/m);
      expect(run.stdout).toContain(`repeat it: npm run sim -- --seed ${seed} --trace`);
      expect(run.stdout).toContain('to sim/seeds.txt');
      expect(run.stdout.split('the last events:\n')[1]?.split('\n').length).toBeGreaterThan(50);
    } finally {
      house.remove();
    }
  });
});

describe('planting', () => {
  it('replaces exactly one piece, and fails when there is none or more than one', () => {
    const plant = { file: 'f.ts', find: 'yes', replace: 'no' };
    expect(planted('say yes', plant)).toBe('say no');
    expect(() => planted('say nothing', plant)).toThrow('is not there any more');
    expect(() => planted('yes, yes', plant)).toThrow('is there 2 times');
  });
});
