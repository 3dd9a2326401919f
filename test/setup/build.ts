/**
 * Compiles `src/` and `browser/` into `dist/` before tests that start real nodes, so that they never
 * test an old one.
 *
 * Incremental: a second or two when nothing has changed. Runs once a project, not once a file.
 */
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { ROOT } from '../support/programs.ts';
import buildBrowser from './build-browser.ts';

/** Called by vitest; a compile error ends the run. */
export default function build(): void {
  const compiler = createRequire(import.meta.url).resolve('typescript/bin/tsc');
  const run = spawnSync(process.execPath, [compiler, '-p', 'tsconfig.build.json'], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  if (run.status !== 0) throw new Error(`src/ does not compile:\n${run.stdout}${run.stderr}`);
  buildBrowser();
}
