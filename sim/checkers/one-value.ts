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
  if (left.ballot !== right.ballot || left.payload.type !== right.payload.type) return false;
  if (left.payload.type !== 'changes' || right.payload.type !== 'changes')
    return wordsOf(left) === wordsOf(right);
  const { requestId, kind, version, changes } = left.payload;
  const other = right.payload;
  if (requestId !== other.requestId || kind !== other.kind || version !== other.version) return false;
  if (changes.length !== other.changes.length) return false;
  return changes.every((change, place) => Buffer.compare(change, other.changes[place] as Uint8Array) === 0);
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
