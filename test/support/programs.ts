/**
 * Programs of the operating system that some tests drive: chromium, nc, curl.
 *
 * In CI an absent program is a failure. Elsewhere it is installed when that is possible (root on
 * Debian); if not, the test is skipped with a line that nobody can overlook.
 */
import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The repository's root folder. */
export const ROOT = fileURLToPath(new URL('../../', import.meta.url)).replace(/\/$/, '');

const INSTALLER = join(ROOT, 'scripts/install-test-packages.sh');

/**
 * The path of `program`, or null when it cannot be had here; to be used as
 * `const nc = requireProgram('nc'); describe.skipIf(nc === null)(...)`.
 */
export function requireProgram(program: string): string | null {
  const found = findProgram(program);
  if (found !== null) return found;
  if (process.env.CI) throw new Error(`${program} is not installed; run ${INSTALLER} first`);
  if (process.getuid?.() === 0) {
    const installed = spawnSync('bash', [INSTALLER, program], { stdio: ['ignore', 'inherit', 'inherit'] });
    const path = findProgram(program);
    if (installed.status === 0 && path !== null) return path;
  }
  const line = '='.repeat(100);
  console.warn(
    `\n${line}\nSKIPPED: this file needs ${program}, which is not installed.\n` +
      `To run its tests: sudo ${INSTALLER} ${program}\n${line}\n`,
  );
  return null;
}

function findProgram(program: string): string | null {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    const path = join(folder, program);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // Not in this folder.
    }
  }
  return null;
}
