/**
 * Sizes in bytes: `64KiB`, `1MiB`, `1MB`, or a plain number of bytes.
 *
 * KiB, MiB and GiB are powers of 1024; KB, MB and GB are powers of 1000. The range that makes
 * sense for a key is checked where the key is described (`field.ts`).
 */
import { failed, ok, type Result } from '../../base/index.ts';

const UNIT_BYTES: ReadonlyMap<string, number> = new Map([
  ['', 1],
  ['b', 1],
  ['kb', 1e3],
  ['mb', 1e6],
  ['gb', 1e9],
  ['kib', 2 ** 10],
  ['mib', 2 ** 20],
  ['gib', 2 ** 30],
]);

/** Whole bytes; the failure says what is wrong with `text`. */
export function parseSize(text: string): Result<number, string> {
  const parts = /^(\d+(?:\.\d+)?) ?([A-Za-z]*)$/.exec(text);
  if (parts === null) return failed('it is not a number and a unit');
  const unitBytes = UNIT_BYTES.get((parts[2] as string).toLowerCase());
  if (unitBytes === undefined) return failed(`${parts[2]} is not one of B, KB, MB, GB, KiB, MiB, GiB`);
  const bytes = Number(parts[1]) * unitBytes;
  if (!Number.isSafeInteger(bytes)) return failed('it is not a whole number of bytes');
  return ok(bytes);
}

/** The shortest exact notation in binary units: `1MiB`, `1536KiB`, `100`. */
export function formatSize(bytes: number): string {
  for (const [unit, unitBytes] of [
    ['GiB', 2 ** 30],
    ['MiB', 2 ** 20],
    ['KiB', 2 ** 10],
  ] as const) {
    if (bytes >= unitBytes && bytes % unitBytes === 0) return `${bytes / unitBytes}${unit}`;
  }
  return String(bytes);
}
