/**
 * Puts a log together again from its facts, in memory.
 *
 * Keeps the entries that are still there beside the state; an entry whose index is taken replaces
 * the one that has it, and all behind it, as it did when it was written. Pure; driven by `read-log.ts`.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Entry } from '../../consensus/index.ts';
import type { LogItem } from './item-codec.ts';
import { EMPTY_LOG, type LogState, nextState, objectionTo } from './log-state.ts';

/** A log that grows fact by fact. */
export class LogReplay {
  #state: LogState = EMPTY_LOG;
  #entries: Entry[] = [];
  #bytesSinceSnapshot = 0;

  get state(): LogState {
    return this.#state;
  }

  /** Those that were read: contiguous up to the last, and they may begin before the snapshot. */
  get entries(): readonly Entry[] {
    return this.#entries;
  }

  get bytesSinceSnapshot(): number {
    return this.#bytesSinceSnapshot;
  }

  countBytes(count: number): void {
    this.#bytesSinceSnapshot += count;
  }

  /** A segment begins with that state; null, or why it cannot. */
  begin(state: LogState, isFirst: boolean): string | null {
    // A segment that was begun because of a cut mutes the log; nothing else changes between two.
    const before = { ...this.#state, muted: this.#state.muted || state.muted };
    const isNext = isFirst || isDeepStrictEqual(state, before);
    this.#state = state;
    return isNext ? null : 'the segment begins with another state than the one before it ends with';
  }

  /** The next fact; null, or why it cannot be. */
  apply(item: LogItem): string | null {
    const objection = objectionTo(this.#state, item);
    if (objection !== null) return objection;
    this.#state = nextState(this.#state, item);
    if (item.type === 'entries') this.#append(item.entries);
    if (item.type !== 'snapshot') return null;
    this.#bytesSinceSnapshot = 0;
    if (item.installed) this.#entries = [];
    return null;
  }

  /** Which entries between the snapshot and the end were not there; null: none. */
  missingEntries(): string | null {
    const { snapshot, lastIndex } = this.#state;
    const needed = (snapshot?.index ?? 0) + 1;
    const first = this.#entries[0]?.index ?? lastIndex + 1;
    return first <= needed || needed > lastIndex ? null : `entries ${needed} to ${first - 1} are not there`;
  }

  #append(entries: readonly Entry[]): void {
    const first = entries[0]?.index;
    const kept = this.#entries[0]?.index;
    if (first === undefined) return;
    if (kept === undefined || first <= kept) this.#entries = [...entries];
    else {
      this.#entries.length = first - kept;
      for (const entry of entries) this.#entries.push(entry);
    }
  }
}
