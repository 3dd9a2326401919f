/** The promise: an index holds one value for ever. Whatever one node applied there, all others do. */
import type { Entry, Index } from '../../src/consensus/index.ts';
import { Violation } from '../violation.ts';

/** Everything that any node ever applied, by index; other checkers look up in it what is committed. */
export class OneValue {
  readonly #entries: (Entry | undefined)[] = [];

  applied(who: string, entry: Entry): void {
    const known = this.#entries[entry.index];
    if (known === undefined) this.#entries[entry.index] = entry;
    else if (!isSame(known, entry)) {
      throw new Violation('one-value', `${who} applied ${wordsOf(entry)}, another ${wordsOf(known)}`);
    }
  }

  /** What is committed at an index, as far as anybody has applied it. */
  at(index: Index): Entry | undefined {
    return this.#entries[index];
  }

  get highest(): Index {
    return Math.max(0, this.#entries.length - 1);
  }
}

function isSame(left: Entry, right: Entry): boolean {
  if (left === right) return true;
  return left.ballot === right.ballot && wordsOf(left) === wordsOf(right);
}

/** An entry as text that is alike for alike entries. */
function wordsOf(entry: Entry): string {
  const payload = JSON.stringify(entry.payload, (_, value: unknown) =>
    value instanceof Uint8Array ? [...value].join(' ') : sorted(value),
  );
  return `${entry.index} of ballot ${entry.ballot}: ${payload}`;
}

/** Keys in one order: those that came from a disk need not have the order of those that did not. */
function sorted(value: unknown): unknown {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([left], [right]) => (left < right ? -1 : 1)));
}
