/**
 * Whether a request shows the bearer token of its listener.
 *
 * Tokens are compared by their digests in constant time, so that neither content nor length of the
 * right one can be measured from outside.
 */
import { createHash, timingSafeEqual } from 'node:crypto';

/** True when `authorization` is `Bearer <token>`; always true when no token is asked for. */
export function showsToken(authorization: string | undefined, token: string | null): boolean {
  if (token === null) return true;
  const shown = /^bearer +(\S+) *$/i.exec(authorization ?? '')?.[1];
  // The comparison happens even without a token, so that absence takes as long as a wrong one.
  const equal = timingSafeEqual(digest(shown ?? ''), digest(token));
  return equal && shown !== undefined;
}

function digest(text: string): Uint8Array {
  return createHash('sha256').update(text, 'utf8').digest();
}
