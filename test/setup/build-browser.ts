/**
 * Compiles `browser/` into `dist/browser/` as `npm run build` does, for tests of the module that users
 * get and of the example that serves it.
 *
 * Runs once a run of the tests, however many projects ask for it.
 */
import { spawnSync } from 'node:child_process';
import { ROOT } from '../support/programs.ts';

let built = false;

/** Called by vitest; a compile error ends the run. */
export default function buildBrowser(): void {
  if (built) return;
  const run = spawnSync('npm', ['run', '--silent', 'build:browser'], { cwd: ROOT, encoding: 'utf8' });
  if (run.status !== 0) throw new Error(`browser/ does not compile:\n${run.stdout}${run.stderr}`);
  built = true;
}
