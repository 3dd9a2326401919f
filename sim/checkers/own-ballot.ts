/**
 * The promise: a master commits by counting only what is of its own ballot (Raft 5.4.2). An older
 * entry may be on a majority and still be replaced; it is committed along with what stands behind it.
 */
import type { Ballot, Entry, Index } from '../../src/consensus/index.ts';
import { Violation } from '../violation.ts';

interface Turn {
  readonly ballot: Ballot;
  readonly isMaster: boolean;
  readonly commitIndex: Index;
}

/** Follows each master from turn to turn. */
export class OwnBallot {
  readonly #firstOf = new Map<Ballot, Index>();
  readonly #before = new Map<string, Turn>();

  /** A node writes entries; whoever writes one of a ballot first is its master. */
  appended(entries: readonly Entry[]): void {
    for (const { ballot, index } of entries) if (!this.#firstOf.has(ballot)) this.#firstOf.set(ballot, index);
  }

  turned(who: string, now: Turn): void {
    const before = this.#before.get(who);
    if (before !== undefined && isSame(before, now)) return;
    this.#before.set(who, now);
    // What it learned before it was the master, it learned from another one.
    if (!now.isMaster || before?.isMaster !== true || before.ballot !== now.ballot) return;
    const first = this.#firstOf.get(now.ballot);
    if (now.commitIndex === before.commitIndex || first === undefined || now.commitIndex >= first) return;
    const text = `${who} commits ${now.commitIndex}, its ballot ${now.ballot} begins at ${first}`;
    throw new Violation('own-ballot', text);
  }
}

function isSame(left: Turn, right: Turn): boolean {
  const { ballot, isMaster, commitIndex } = left;
  return commitIndex === right.commitIndex && ballot === right.ballot && isMaster === right.isMaster;
}
