/**
 * The promise: applied logs are prefixes of each other. Each node applies 1, 2, 3 ... without a hole
 * and nothing twice; what stands at an index is the affair of `one-value.ts`.
 */
import type { Index } from '../../src/consensus/index.ts';
import { Violation } from '../violation.ts';

/** Follows the applied index of each node. */
export class AppliedInOrder {
  readonly #applied = new Map<string, Index>();

  /** A process of the node begins, with a snapshot up to `index` or with nothing. */
  started(who: string, index: Index): void {
    this.#applied.set(who, index);
  }

  applied(who: string, index: Index): void {
    const before = this.#applied.get(who) ?? 0;
    if (index !== before + 1)
      throw new Violation('applied-in-order', `${who} applied ${index} after ${before}`);
    this.#applied.set(who, index);
  }

  /** A snapshot replaced the state. */
  installed(who: string, index: Index): void {
    const before = this.#applied.get(who) ?? 0;
    if (index < before) throw new Violation('applied-in-order', `${who} installed ${index} after ${before}`);
    this.#applied.set(who, index);
  }
}
