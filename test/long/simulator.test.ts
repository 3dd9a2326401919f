/** The replicated log in two thousand simulated worlds; `npm run sim -- --seeds 100000` is for a night. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { ROOT } from '../support/programs.ts';

it('keeps every promise in 2,000 seeds', { timeout: 3_600_000 }, () => {
  const program = join(ROOT, 'sim', 'run.ts');
  const options = ['--seeds', '2000', '--from', '1001', '--workers', '2'];
  const run = spawnSync(process.execPath, ['--import', 'tsx', program, ...options], { encoding: 'utf8' });
  console.log(run.stdout);
  expect(run.status, run.stderr).toBe(0);
});
