/** The promise: a submission with a request id takes effect at most once, however often it was sent. */
import type { Entry, Index } from '../../src/consensus/index.ts';
import { Violation } from '../violation.ts';

/** Remembers where each request took effect. */
export class ExactlyOnce {
  readonly #places = new Map<string, Index>();

  /** The state of a node took the changes of an entry. */
  applied(who: string, entry: Entry): void {
    if (entry.payload.type !== 'changes' || entry.payload.requestId === null) return;
    const { requestId } = entry.payload;
    const known = this.#places.get(requestId);
    if (known === undefined) this.#places.set(requestId, entry.index);
    else if (known !== entry.index)
      throw new Violation(
        'exactly-once',
        `${who} applied ${requestId} at ${entry.index}, it was applied at ${known}`,
      );
  }
}
