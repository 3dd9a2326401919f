/** The promise: at the same index, the states of all nodes hash equal, however they came to it. */
import type { Index } from '../../src/consensus/index.ts';
import { Violation } from '../violation.ts';

/** Remembers the hash at each index from whoever is there first. */
export class SameState {
  readonly #hashes: (number | undefined)[] = [];

  /** A node has applied, or installed, up to `index`. */
  reached(who: string, index: Index, hash: number): void {
    const known = this.#hashes[index];
    if (known === undefined) this.#hashes[index] = hash;
    else if (known !== hash) {
      throw new Violation('same-state', `at ${index} the state of ${who} is ${hash}, another's was ${known}`);
    }
  }
}
