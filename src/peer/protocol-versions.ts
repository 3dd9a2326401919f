/**
 * The versions of the safe protocol that this release speaks.
 *
 * Every safe call says the range of its sender. Two nodes understand each other when their ranges
 * meet; a release that speaks a new version goes on speaking the one before it, so that a cluster
 * can be upgraded node by node.
 */
import type { Fields } from './field-checks.ts';

/** Both ends included. */
export const SPOKEN = { min: 1, max: 1 } as const;

/** Whether a range that a peer announced (`{"Min":1,"Max":1}`) meets ours. */
export function isSpokenBy(versions: Fields): boolean {
  return versions.whole('Min') <= SPOKEN.max && versions.whole('Max') >= SPOKEN.min;
}

/** Tells a peer before the body that the safe protocol is spoken, and in which versions. */
export const PROTO_HEADER = 'X-Arrokoth-Proto';

/** The value of that line. */
export function protoHeader(): string {
  return `${SPOKEN.min}-${SPOKEN.max}`;
}
