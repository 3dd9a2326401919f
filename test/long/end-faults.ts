/**
 * The oracle of "no ghosts": compares whom an application admitted with the ends it was told of.
 *
 * Pure. To be asked when the node is gone, so that nothing more can come.
 */
import type { Admitted, ToldEnd } from './counting-application.ts';

/** What is expected of one connection. */
export interface ExpectedEnd {
  readonly reason: string;
  readonly code: number;
}

/** What happened, and what should have. */
export interface EndsToCheck {
  readonly admitted: ReadonlyMap<string, Admitted>;
  readonly ends: ReadonlyMap<string, ToldEnd>;
  readonly contradictions: readonly string[];
  /** How the connection should have ended; null: in silence; undefined: in any of the known ways. */
  readonly expected: (admitted: Admitted) => ExpectedEnd | null | undefined;
  /** True where the sender of an event may have died between the answer and its note of it. */
  readonly repetitionAllowed?: (end: ToldEnd) => boolean;
  /** True for a connection whose worker may have died before it read which key was given. */
  readonly keyMayBeUnknown?: (admitted: Admitted) => boolean;
  /** True when the application turned requests away, so that one event takes several. */
  readonly retried?: boolean;
}

/** Everything that is wrong, at most a few of each kind in words. */
export function endFaults(check: EndsToCheck): string[] {
  const faults: string[] = check.contradictions.map((text) => `contradiction: ${text}`);
  const endsOf = new Map<string, ToldEnd[]>();
  for (const end of check.ends.values()) {
    const told = endsOf.get(end.connection);
    if (told === undefined) endsOf.set(end.connection, [end]);
    else told.push(end);
  }
  for (const admitted of check.admitted.values()) {
    const told = endsOf.get(admitted.connection) ?? [];
    endsOf.delete(admitted.connection);
    faults.push(...faultsOfOne(admitted, told, check));
  }
  for (const told of endsOf.values()) {
    // A worker that died between its note and its question: the application never heard of it.
    if (check.keyMayBeUnknown !== undefined && told.every(({ key }) => key === '')) continue;
    faults.push(`never admitted: ${JSON.stringify(told)}`);
  }
  return faults;
}

function faultsOfOne(admitted: Admitted, told: readonly ToldEnd[], check: EndsToCheck): string[] {
  const { connection, key } = admitted;
  const expected = check.expected(admitted);
  const end = told[0];
  if (expected === null) return end === undefined ? [] : [`told although silent: ${JSON.stringify(told)}`];
  if (end === undefined) return [`ghost: ${key} (${connection}) was admitted and no end was told`];
  if (told.length > 1) return [`${told.length} event ids for ${key}: ${JSON.stringify(told)}`];
  const faults: string[] = [];
  if (end.eventId !== `${connection}.closed`) faults.push(`event id ${end.eventId} for ${connection}`);
  const unknown = end.key === '' && check.keyMayBeUnknown?.(admitted) === true;
  if (end.key !== key && !unknown) faults.push(`key ${end.key} instead of ${key}`);
  if (end.accepted === 0) faults.push(`${key}: told, but never while the application took it`);
  const repeated = check.retried === true ? end.accepted > 1 : end.requests > 1;
  if (repeated && check.repetitionAllowed?.(end) !== true) {
    faults.push(`${key}: told ${end.requests} times, accepted ${end.accepted} times`);
  }
  if (expected !== undefined && (end.reason !== expected.reason || end.code !== expected.code)) {
    faults.push(`${key}: ${end.reason} ${end.code} instead of ${expected.reason} ${expected.code}`);
  }
  return faults;
}

/** How many ends were told for each reason; for reports. */
export function countReasons(ends: ReadonlyMap<string, ToldEnd>): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { reason } of ends.values()) counts[reason] = (counts[reason] ?? 0) + 1;
  return counts;
}
