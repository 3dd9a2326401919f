/**
 * A copy of the house with one bug planted in it, for the simulator to find.
 *
 * Production code has no switches for its own defects. Instead an exact piece of a file is replaced
 * in a copy of `src/` and `sim/`; when the piece is not there any more, planting fails loudly, so
 * that a canary cannot die of old age without anybody noticing.
 */
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..', '..');
/** Bugs are looked for from seed 1 on, not among the seeds that once failed. */
const LEFT_OUT = /\.test\.ts$|\/testdata$|\/seeds\.txt$/;

/** One replacement: `find` has to stand in the file exactly once. */
export interface Plant {
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

/** A folder with a copy; `remove` when it is no longer needed. */
export interface PlantedHouse {
  readonly folder: string;
  remove(): void;
}

/** Copies the house and plants the bug. */
export function plantHouse(plants: readonly Plant[]): PlantedHouse {
  const folder = mkdtempSync(join(tmpdir(), 'arrokoth-canary-'));
  const remove = (): void => rmSync(folder, { recursive: true });
  try {
    for (const room of ['src', 'sim'])
      cpSync(join(ROOT, room), join(folder, room), {
        recursive: true,
        filter: (path) => !LEFT_OUT.test(path),
      });
    for (const name of ['package.json', 'tsconfig.json']) cpSync(join(ROOT, name), join(folder, name));
    symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
    for (const plant of plants) writePlant(folder, plant);
    return { folder, remove };
  } catch (error) {
    remove();
    throw error;
  }
}

function writePlant(folder: string, { file, find, replace }: Plant): void {
  const path = join(folder, file);
  writeFileSync(path, planted(readFileSync(path, 'utf8'), { file, find, replace }));
}

/** The text of a file with the bug in it. */
export function planted(text: string, { file, find, replace }: Plant): string {
  const pieces = text.split(find);
  if (pieces.length === 2) return pieces.join(replace);
  const found = pieces.length === 1 ? 'is not there any more' : `is there ${pieces.length - 1} times`;
  throw new Error(`${file}: this piece ${found}, so the canary has to be planted anew:\n${find}`);
}
