/** The lock file is whole: `npm ci` refuses one that lacks the binaries of other platforms. */
import { expect, it } from 'vitest';
import { readProjectFile } from './tidy/files.ts';

interface LockEntry {
  readonly resolved?: string;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

const lock = JSON.parse(readProjectFile('package-lock.json').text) as { packages: Record<string, LockEntry> };

it('names every optional package, and no registry', () => {
  const faults: string[] = [];
  for (const [place, entry] of Object.entries(lock.packages)) {
    if (entry.resolved !== undefined) faults.push(`${place} comes from ${entry.resolved}`);
    for (const name of Object.keys(entry.optionalDependencies ?? {})) {
      const known =
        `node_modules/${name}` in lock.packages || `${place}/node_modules/${name}` in lock.packages;
      if (!known) faults.push(`${name} is missing: run npx tsx scripts/complete-lock.ts`);
    }
  }
  expect(faults).toEqual([]);
});
