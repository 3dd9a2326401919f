/**
 * Whether a request shows one of the bearer tokens of its listener.
 *
 * Tokens are compared by their digests, all of them and in constant time, so that neither content
 * nor length nor place of the right one can be measured from outside. Digests of the right ones are
 * computed once; a listener holds one such object, whose tokens may be replaced while it serves.
 */
import { createHash, timingSafeEqual } from 'node:crypto';

/** The tokens that one listener accepts; without any, nobody is asked for one. */
export class BearerTokens {
  #digests: readonly Uint8Array[];

  constructor(tokens: readonly string[]) {
    this.#digests = tokens.map(digest);
  }

  /** True when nobody is asked for a token. */
  get areNone(): boolean {
    return this.#digests.length === 0;
  }

  /** From now on these are accepted, and no others. */
  replace(tokens: readonly string[]): void {
    this.#digests = tokens.map(digest);
  }

  /** True when `authorization` is `Bearer <token>` with an accepted token. */
  accept(authorization: string | undefined): boolean {
    if (this.#digests.length === 0) return true;
    const shown = /^bearer +(\S+) *$/i.exec(authorization ?? '')?.[1];
    // Compared even without a token, so that absence takes as long as a wrong one.
    const shownDigest = digest(shown ?? '');
    let equal = false;
    for (const accepted of this.#digests) equal = timingSafeEqual(shownDigest, accepted) || equal;
    return equal && shown !== undefined;
  }
}

function digest(text: string): Uint8Array {
  return createHash('sha256').update(text, 'utf8').digest();
}
