/**
 * A disk for a node's data that a test can fill up and empty again.
 *
 * A small file system in memory where the system lets us mount one; else the size of the files that
 * the node's workers may write is bounded, which fails their writes in the same way.
 */
import { spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readdirSync, rmSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { cleanUpAfterwards } from './cleanup.ts';

/** How writes are made to fail. */
export interface FullDisk {
  readonly kind: 'file system' | 'file size';
  /** No byte more can be written, by the processes given. */
  fill(pids: readonly number[]): void;
  /** There is room again. */
  empty(pids: readonly number[]): void;
}

/** Prepares `dataDir`, which must not exist yet. */
export function mountSmallDisk(dataDir: string, options: { readonly mebibytes?: number } = {}): FullDisk {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const bound = `size=${options.mebibytes ?? 4}m,mode=0700`;
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', bound, 'tmpfs', dataDir]);
  if (mounted.status !== 0) return fileSizeBound(dataDir);
  cleanUpAfterwards(() => {
    spawnSync('umount', ['--lazy', dataDir]);
  });
  const filler = join(dataDir, 'filler');
  return { kind: 'file system', fill: () => writeUntilFull(filler), empty: () => rmSync(filler) };
}

function writeUntilFull(path: string): void {
  const file = openSync(path, 'w');
  try {
    for (let size = 65_536; size >= 1; ) {
      try {
        writeSync(file, Buffer.alloc(size));
      } catch {
        size = Math.floor(size / 2);
      }
    }
  } finally {
    closeSync(file);
  }
}

function fileSizeBound(dataDir: string): FullDisk {
  console.warn('no file system can be mounted here; the size of files is bounded instead');
  const bound = (pids: readonly number[], bytes: number | 'unlimited') => {
    for (const pid of pids) {
      const run = spawnSync('prlimit', ['--pid', String(pid), `--fsize=${bytes}:`], { encoding: 'utf8' });
      if (run.status !== 0) throw new Error(`prlimit: ${run.error?.message ?? run.stderr}`);
    }
  };
  return {
    kind: 'file size',
    fill: (pids) => bound(pids, largestFile(join(dataDir, 'sessions'))),
    empty: (pids) => bound(pids, 'unlimited'),
  };
}

function largestFile(folder: string): number {
  return Math.max(0, ...readdirSync(folder).map((name) => statSync(join(folder, name)).size));
}
