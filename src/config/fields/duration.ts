/**
 * Durations as Go writes them: `300ms`, `1m30s`, `1.5h`.
 *
 * Only the notation lives here. Whether a number without a unit is allowed, and which range makes
 * sense, is decided where the key is described (`field.ts`).
 */
import { failed, ok, type Result } from '../../base/index.ts';

/** Milliseconds of each unit; both letters that look like a mu are in use. */
const UNIT_MS: ReadonlyMap<string, number> = new Map([
  ['ns', 1e-6],
  ['us', 1e-3],
  ['\u00b5s', 1e-3],
  ['\u03bcs', 1e-3],
  ['ms', 1],
  ['s', 1_000],
  ['m', 60_000],
  ['h', 3_600_000],
]);

/** Go counts nanoseconds in 64 bits; a longer duration is refused there as well. */
const GO_LONGEST_MS = (2 ** 63 - 1) / 1e6;

const PART = /(\d+\.?\d*|\.\d+)([a-z\u00b5\u03bc]+)/y;

/** Milliseconds, possibly fractional or negative; the failure says what is wrong with `text`. */
export function parseDuration(text: string): Result<number, string> {
  const sign = text.startsWith('-') ? -1 : 1;
  const digits = /^[+-]/.test(text) ? text.slice(1) : text;
  if (digits === '0') return ok(0);
  if (/^[\d.]+$/.test(digits) && /\d/.test(digits)) return failed('the unit is missing');
  let totalMs = 0;
  PART.lastIndex = 0;
  do {
    const part = PART.exec(digits);
    if (part === null) return failed('it is not a number and a unit');
    const unitMs = UNIT_MS.get(part[2] as string);
    if (unitMs === undefined) return failed(`${part[2]} is not one of ns, us, ms, s, m, h`);
    totalMs += Number(part[1]) * unitMs;
  } while (PART.lastIndex < digits.length);
  if (totalMs > GO_LONGEST_MS) return failed('it is too long');
  return ok(totalMs === 0 ? 0 : sign * totalMs);
}

/** The shortest usual notation of whole milliseconds: `1m30s`, `500ms`, `0s`. */
export function formatDuration(durationMs: number): string {
  const wholeMs = Math.round(Math.abs(durationMs));
  const hours = Math.floor(wholeMs / 3_600_000);
  const minutes = Math.floor(wholeMs / 60_000) % 60;
  const seconds = Math.floor(wholeMs / 1_000) % 60;
  const parts = [
    hours > 0 ? `${hours}h` : '',
    minutes > 0 ? `${minutes}m` : '',
    seconds > 0 ? `${seconds}s` : '',
    wholeMs % 1_000 > 0 ? `${wholeMs % 1_000}ms` : '',
  ].join('');
  if (parts === '') return '0s';
  return durationMs < 0 ? `-${parts}` : parts;
}
