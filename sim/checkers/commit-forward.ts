/** The promise: the commit index of a process never goes back, and is never beyond its log. */
import type { Index } from '../../src/consensus/index.ts';
import { Violation } from '../violation.ts';

/** Follows the commit index of each node's process. */
export class CommitForward {
  readonly #commits = new Map<string, Index>();

  started(who: string): void {
    this.#commits.delete(who);
  }

  turned(who: string, commitIndex: Index, lastIndex: Index): void {
    const before = this.#commits.get(who) ?? 0;
    if (commitIndex < before)
      throw new Violation('commit-forward', `${who} goes from ${before} back to ${commitIndex}`);
    if (commitIndex > lastIndex)
      throw new Violation('commit-forward', `${who} commits ${commitIndex}, its log ends at ${lastIndex}`);
    if (commitIndex > before) this.#commits.set(who, commitIndex);
  }
}
