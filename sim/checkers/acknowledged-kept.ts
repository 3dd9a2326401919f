/**
 * The promise: what was acknowledged to a client is never lost.
 *
 * At the acknowledgement the entry is committed at the index that was named; with `one-value.ts` it
 * stays there. At the end every node that has converged is past it.
 */
import type { Entry, Index } from '../../src/consensus/index.ts';
import { Violation } from '../violation.ts';

/** What a client was told: its request, or where that has none its change, is at `index`. */
export interface Acknowledgement {
  readonly requestId: string | null;
  readonly change: Uint8Array;
  readonly index: Index;
}

/** Compares acknowledgements with what is committed. */
export class AcknowledgedKept {
  readonly #committed: (index: Index) => Entry | undefined;
  #highest: Index = 0;
  count = 0;

  constructor(committed: (index: Index) => Entry | undefined) {
    this.#committed = committed;
  }

  acknowledged(who: string, told: Acknowledgement): void {
    this.count++;
    this.#highest = Math.max(this.#highest, told.index);
    const payload = this.#committed(told.index)?.payload;
    const isThere =
      payload?.type === 'changes' &&
      payload.requestId === told.requestId &&
      payload.changes.some((change) => Buffer.compare(change, told.change) === 0);
    if (!isThere)
      throw new Violation(
        'acknowledged-kept',
        `${who} acknowledged ${told.requestId} at ${told.index}, not there`,
      );
  }

  /** The cluster is healed and quiet; a member has applied up to `index`. */
  converged(who: string, index: Index): void {
    if (index < this.#highest)
      throw new Violation('acknowledged-kept', `${who} ends at ${index}, ${this.#highest} was acknowledged`);
  }
}
