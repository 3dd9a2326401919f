/**
 * What the disk still has to be told, what it has been told, and what it has confirmed.
 *
 * The disk is one more peer that answers late. Notes of a turn become one `Persist` with a number,
 * the token; the disk confirms tokens in order. Nothing here waits: those who must not speak before
 * something is durable compare tokens, or ask how far the log is durable.
 */
import { assert } from '../base/index.ts';
import type { Log } from './log.ts';
import type { Index, Persist, Snapshot, VotePromise } from './types.ts';

interface UnderWay {
  readonly token: number;
  /** Once confirmed, the log is durable up to here. Falls when what was written is overwritten. */
  upTo: Index;
}

/** The written and the durable part of one replica. */
export class Saving {
  #token = 0;
  #durableToken = 0;
  #durableIndex: Index;
  #underWay: UnderWay[] = [];

  #promise: VotePromise | null = null;
  #snapshot: Snapshot | null = null;
  #incarnation: string | null = null;
  #muted: boolean | null = null;
  /** Entries from here on were not given to the disk yet. */
  #unsavedFrom: Index;

  /** `lastIndex`: what the disk gave back ends here. */
  constructor(lastIndex: Index) {
    this.#durableIndex = lastIndex;
    this.#unsavedFrom = lastIndex + 1;
  }

  /** The token of the newest `Persist` that was handed out. */
  get token(): number {
    return this.#token;
  }

  /** The token that what is noted now will have been saved with. */
  tokenOfNotes(log: Log): number {
    return this.#hasNotes(log) ? this.#token + 1 : this.#token;
  }

  /** The highest token that is known to be durable. */
  get durableToken(): number {
    return this.#durableToken;
  }

  /** The log is durable up to here. */
  get durableIndex(): Index {
    return this.#durableIndex;
  }

  /** The promise changed. */
  notePromise(promise: VotePromise): void {
    this.#promise = promise;
  }

  /** The replica joined a cluster. */
  noteIncarnation(incarnation: string): void {
    this.#incarnation = incarnation;
  }

  /** The replica counts again, or no longer. */
  noteMuted(muted: boolean): void {
    this.#muted = muted;
  }

  /** The whole log was replaced. */
  noteSnapshot(snapshot: Snapshot): void {
    this.#snapshot = snapshot;
    this.#unsavedFrom = snapshot.index + 1;
    this.#durableIndex = 0;
    for (const write of this.#underWay) write.upTo = 0;
  }

  /** The log has other entries from `from` on than before. */
  noteEntries(from: Index): void {
    this.#unsavedFrom = Math.min(this.#unsavedFrom, from);
    this.#durableIndex = Math.min(this.#durableIndex, from - 1);
    for (const write of this.#underWay) write.upTo = Math.min(write.upTo, from - 1);
  }

  /** What is to be written now, or null. */
  take(log: Log): Persist | null {
    if (!this.#hasNotes(log)) return null;
    this.#token++;
    const persist: Persist = {
      token: this.#token,
      promise: this.#promise,
      entries: this.#unsavedFrom > log.lastIndex ? [] : log.from(this.#unsavedFrom),
      snapshot: this.#snapshot,
      incarnation: this.#incarnation,
      muted: this.#muted,
    };
    this.#underWay.push({ token: this.#token, upTo: log.lastIndex });
    this.#promise = null;
    this.#snapshot = null;
    this.#incarnation = null;
    this.#muted = null;
    this.#unsavedFrom = log.lastIndex + 1;
    return persist;
  }

  /** Everything up to `token` is durable. */
  persisted(token: number): void {
    assert(token <= this.#token, 'the disk confirms only what it was given');
    if (token <= this.#durableToken) return;
    this.#durableToken = token;
    let done = 0;
    for (const write of this.#underWay) {
      if (write.token > token) break;
      this.#durableIndex = Math.max(this.#durableIndex, write.upTo);
      done++;
    }
    this.#underWay.splice(0, done);
  }

  #hasNotes(log: Log): boolean {
    return (
      this.#unsavedFrom <= log.lastIndex ||
      this.#promise !== null ||
      this.#snapshot !== null ||
      this.#incarnation !== null ||
      this.#muted !== null
    );
  }
}
