/**
 * The promise: each change of the membership is safe. A master appends one only when its own ballot
 * has begun to commit and the change before is committed, and any majority before it shares a
 * voter with any majority after it. A voter is a name with its storage.
 */
import type { Ballot, Configuration, Entry, Index } from '../../src/consensus/index.ts';
import { Violation } from '../violation.ts';

interface Change {
  readonly index: Index;
  readonly configuration: Configuration;
}

/** Follows the configurations in the log of each node. */
export class SafeMembership {
  readonly #logs = new Map<string, Change[]>();
  readonly #seen = new Set<string>();
  readonly #firstOf = new Map<Ballot, Index>();

  /** A process begins with what its disk gave back; null: no snapshot. */
  started(who: string, snapshot: Change | null, entries: readonly Entry[]): void {
    this.#logs.set(who, snapshot === null ? [] : [snapshot]);
    for (const entry of entries) this.#note(who, entry, null);
  }

  /** A snapshot takes the place of the log. */
  replaced(who: string, snapshot: Change): void {
    this.#logs.set(who, [snapshot]);
  }

  /** A node writes entries, the first in place of what it had there; it has committed so much. */
  appended(who: string, entries: readonly Entry[], commitIndex: Index): void {
    const first = entries[0];
    if (first === undefined) return;
    const kept = (this.#logs.get(who) ?? []).filter(({ index }) => index < first.index);
    this.#logs.set(who, kept);
    for (const entry of entries) this.#note(who, entry, commitIndex);
  }

  /** A directory is gone, and what it held does not bind anybody any more. */
  emptied(who: string): void {
    this.#logs.delete(who);
  }

  /** The newest configuration of each log that is not older than the one at `committed`. */
  inUse(committed: Index): Configuration[] {
    const found: Configuration[] = [];
    for (const log of this.#logs.values()) {
      const newest = log.at(-1);
      if (newest !== undefined && newest.index >= committed) found.push(newest.configuration);
    }
    return found;
  }

  #note(who: string, entry: Entry, commitIndex: Index | null): void {
    if (!this.#firstOf.has(entry.ballot)) this.#firstOf.set(entry.ballot, entry.index);
    if (entry.payload.type !== 'members') return;
    const log = this.#logs.get(who) as Change[];
    const before = log.at(-1);
    const { configuration } = entry.payload;
    log.push({ index: entry.index, configuration });
    const place = `${entry.index} of ballot ${entry.ballot}`;
    // Whoever writes an entry first is the master that made it.
    if (this.#seen.has(place) || before === undefined) {
      this.#seen.add(place);
      return;
    }
    this.#seen.add(place);
    const text = `${who} changes the membership at ${place}`;
    if (!quorumsOverlap(before.configuration, configuration))
      throw new Violation(
        'safe-membership',
        `${text} from ${voters(before)} to ${voters({ configuration })}`,
      );
    if (commitIndex === null) return;
    if (before.index > commitIndex)
      throw new Violation('safe-membership', `${text}, the change at ${before.index} is not committed`);
    const first = this.#firstOf.get(entry.ballot) as Index;
    if (first > commitIndex)
      throw new Violation('safe-membership', `${text}, nothing of its ballot is committed`);
  }
}

/** True when each majority of one has a voter in common with each majority of the other. */
export function quorumsOverlap(left: Configuration, right: Configuration): boolean {
  const lefts = votersOf(left);
  const rights = votersOf(right);
  if (lefts.size === 0 || rights.size === 0) return false;
  const common = [...lefts].filter((voter) => rights.has(voter)).length;
  const needsOf = (size: number): number => Math.max(0, Math.floor(size / 2) + 1 - (size - common));
  return needsOf(lefts.size) + needsOf(rights.size) > common;
}

function votersOf(configuration: Configuration): Set<string> {
  const voting = configuration.members.filter(({ role }) => role === 'voter');
  return new Set(voting.map(({ name, storage }) => `${name}#${storage}`));
}

function voters({ configuration }: Pick<Change, 'configuration'>): string {
  return `{${[...votersOf(configuration)].join(', ')}}`;
}
