/**
 * The window of entries that a replica holds in memory: everything after its base.
 *
 * The base is the end of what a snapshot covers, or 0. Ballots never fall along a log, so looking
 * for one is a binary search. Knows nothing of commits or of the disk; its owner asks before it
 * truncates. Also finds the configuration that counts: the latest one appended, committed or not.
 */
import { assert } from '../base/index.ts';
import { NO_MEMBERS } from './configuration.ts';
import type { Ballot, Configuration, Entry, Index, Payload, Snapshot } from './types.ts';

interface ConfigurationAt {
  readonly index: Index;
  readonly configuration: Configuration;
}

/** What a payload weighs where entries are bounded by bytes: what it holds and a little for the rest. */
export function payloadBytes(payload: Payload): number {
  if (payload.type !== 'changes') return 256;
  let bytes = 64 + payload.kind.length;
  for (const change of payload.changes) bytes += change.length + 16;
  return bytes;
}

/** Entries in order, over a snapshot. */
export class Log {
  #snapshot: Snapshot | null = null;
  #baseIndex: Index = 0;
  #baseBallot: Ballot = 0;
  #entries: Entry[] = [];
  /** In the order of their indexes; the first one may stand for all before it. */
  #configurations: ConfigurationAt[] = [];

  constructor(snapshot: Snapshot | null, entries: readonly Entry[]) {
    if (snapshot !== null) this.reset(snapshot);
    for (const entry of entries) this.append(entry);
  }

  /** The newest snapshot; what it covers can be had from it alone. */
  get snapshot(): Snapshot | null {
    return this.#snapshot;
  }

  /** Entries up to and including this one are gone; its ballot is still known. */
  get baseIndex(): Index {
    return this.#baseIndex;
  }

  get lastIndex(): Index {
    return this.#baseIndex + this.#entries.length;
  }

  get lastBallot(): Ballot {
    return this.#entries.at(-1)?.ballot ?? this.#baseBallot;
  }

  /** The latest configuration, committed or not: the one that counts. */
  get configuration(): Configuration {
    return this.#configurations.at(-1)?.configuration ?? NO_MEMBERS;
  }

  /** Where the latest configuration stands. */
  get configurationIndex(): Index {
    return this.#configurations.at(-1)?.index ?? 0;
  }

  /** The one before it, as far as it is still known. */
  get previousConfiguration(): Configuration {
    return this.#configurations.at(-2)?.configuration ?? NO_MEMBERS;
  }

  /** The configuration as of `index`, which must not lie before the base. */
  configurationAt(index: Index): Configuration {
    for (let at = this.#configurations.length - 1; at >= 0; at--) {
      const known = this.#configurations[at] as ConfigurationAt;
      if (known.index <= index) return known.configuration;
    }
    return NO_MEMBERS;
  }

  /** The ballot at `index`, from the base to the end; 0 at 0. */
  ballotAt(index: Index): Ballot {
    if (index === this.#baseIndex) return this.#baseBallot;
    return this.entryAt(index).ballot;
  }

  /** The entry at `index`, after the base and within the log. */
  entryAt(index: Index): Entry {
    const entry = this.#entries[index - this.#baseIndex - 1];
    assert(entry !== undefined, 'only entries of the window are asked for');
    return entry;
  }

  /** True when `index` lies between the base and the end and has this ballot: both logs agree up to it. */
  holds(index: Index, ballot: Ballot): boolean {
    return index >= this.#baseIndex && index <= this.lastIndex && this.ballotAt(index) === ballot;
  }

  /** The last place up to `index` with a ballot of at most `ballot`; the base if there is none after it. */
  lastUpTo(index: Index, ballot: Ballot): Index {
    let low = this.#baseIndex;
    let high = Math.min(index, this.lastIndex);
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if (this.ballotAt(middle) <= ballot) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  /** Entries from `from` on: at least one if there is one, then as long as `bytesMax` is not exceeded. */
  batch(from: Index, bytesMax: number): { readonly entries: readonly Entry[]; readonly bytes: number } {
    const start = from - this.#baseIndex - 1;
    assert(start >= 0, 'entries before the base are gone');
    let end = start;
    let bytes = 0;
    while (end < this.#entries.length) {
      const weight = payloadBytes((this.#entries[end] as Entry).payload);
      if (end > start && bytes + weight > bytesMax) break;
      bytes += weight;
      end++;
    }
    return { entries: this.#entries.slice(start, end), bytes };
  }

  /** Everything from `from` on. */
  from(from: Index): readonly Entry[] {
    return this.#entries.slice(from - this.#baseIndex - 1);
  }

  /** Adds `entry` behind the last one. */
  append(entry: Entry): void {
    assert(entry.index === this.lastIndex + 1, 'a log has no gaps');
    assert(entry.ballot >= this.lastBallot, 'ballots never fall along a log');
    this.#entries.push(entry);
    if (entry.payload.type !== 'members') return;
    this.#configurations.push({ index: entry.index, configuration: entry.payload.configuration });
  }

  /** Removes `from` and everything after it. */
  truncate(from: Index): void {
    assert(from > this.#baseIndex, 'what a snapshot covers is committed and stays');
    this.#entries.length = Math.min(this.#entries.length, from - this.#baseIndex - 1);
    while (this.configurationIndex >= from) this.#configurations.pop();
  }

  /** Starts over behind `snapshot`. */
  reset(snapshot: Snapshot): void {
    this.#snapshot = snapshot;
    this.#baseIndex = snapshot.index;
    this.#baseBallot = snapshot.ballot;
    this.#entries = [];
    this.#configurations = [{ index: snapshot.index, configuration: snapshot.configuration }];
  }

  /**
   * Entries up to the base that are still at hand after a restart: they stand before the window, the last
   * `keptBytesMax` of them, so that a follower that is a little behind needs no snapshot.
   */
  precede(earlier: readonly Entry[], keptBytesMax: number): void {
    const last = earlier.at(-1);
    if (last === undefined || last.index !== this.#baseIndex || last.ballot !== this.#baseBallot) return;
    let first = earlier.length;
    let bytes = 0;
    while (first > 1) {
      bytes += payloadBytes((earlier[first - 1] as Entry).payload);
      if (bytes > keptBytesMax) break;
      first--;
    }
    // Of the base itself only the place is needed, so the first of them is spent on it.
    const base = earlier[first - 1] as Entry;
    this.#entries = [...earlier.slice(first), ...this.#entries];
    this.#baseIndex = base.index;
    this.#baseBallot = base.ballot;
  }

  /** `snapshot` covers entries of this log: they go, the last `keptBytesMax` of them excepted. */
  compact(snapshot: Snapshot, keptBytesMax: number): void {
    assert(this.holds(snapshot.index, snapshot.ballot), 'a snapshot is taken of this very log');
    this.#snapshot = snapshot;
    let base = snapshot.index;
    let bytes = 0;
    while (base > this.#baseIndex) {
      bytes += payloadBytes(this.entryAt(base).payload);
      if (bytes > keptBytesMax) break;
      base--;
    }
    const ballot = this.ballotAt(base);
    this.#entries.splice(0, base - this.#baseIndex);
    this.#baseIndex = base;
    this.#baseBallot = ballot;
    const second = this.#configurations.findIndex(({ index }) => index > base);
    const current = second === -1 ? this.#configurations.length - 1 : second - 1;
    if (current > 0) this.#configurations.splice(0, current);
  }
}
