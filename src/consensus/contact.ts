/**
 * How current a replica's knowledge of the majority is.
 *
 * The master counts its heartbeats and remembers when each round began; the newest one that a
 * majority acknowledged is its contact. It writes the age of that into what it sends, and each
 * follower turns it into an upper bound by its own clock. Confirmed reads go by the same rounds.
 */
import type { Contact, Index } from './types.ts';

/** The rounds of one master. */
export class Rounds {
  #round = 0;
  #confirmed = 0;
  #confirmedMs: number;
  /** When the rounds after the confirmed one began. A master without answers resigns, so they are few. */
  #begun: number[] = [];

  /** `startMs`: when the majority was asked for the votes that it gave. */
  constructor(startMs: number) {
    this.#confirmedMs = startMs;
  }

  /** The newest round. */
  get round(): number {
    return this.#round;
  }

  /** The newest round that a majority acknowledged. */
  get confirmed(): number {
    return this.#confirmed;
  }

  /** When that round began. */
  get confirmedMs(): number {
    return this.#confirmedMs;
  }

  /** Begins a round. */
  begin(nowMs: number): void {
    this.#round++;
    this.#begun.push(nowMs);
  }

  /** When `round`, which is not confirmed yet, began. */
  begunMs(round: number): number {
    return this.#begun[round - this.#confirmed - 1] ?? this.#confirmedMs;
  }

  /** A majority acknowledged `round`; true when that is news. */
  confirm(round: number): boolean {
    if (round <= this.#confirmed) return false;
    this.#confirmedMs = this.begunMs(round);
    this.#begun.splice(0, round - this.#confirmed);
    this.#confirmed = round;
    return true;
  }
}

/**
 * What a follower knows: it was, through its master, in contact with the majority at this time.
 *
 * A contact counts once the state holds whatever was committed when it was: whoever comes back hears
 * a fresh heartbeat before the entries that it missed, and must not take an old state for a new one.
 */
export class ContactBound {
  #sinceMs = Number.NEGATIVE_INFINITY;
  /** The oldest contact that waits for its index, and the newest: one alone might wait for ever. */
  #waiting: WaitingContact | null = null;
  #newest: WaitingContact | null = null;

  /**
   * A heartbeat came in. It was sent after the receiver's clock showed `echoMs`, and the majority
   * was heard of `ageMs` before: later than the difference, whatever time the message took. An echo
   * outside of [startMs, nowMs] is of another life of this node and says nothing. It counts when the
   * state is at `index`.
   */
  heard({ ageMs, echoMs }: Contact, startMs: number, nowMs: number, index: Index): void {
    if (echoMs === null || echoMs < startMs || echoMs > nowMs || ageMs < 0) return;
    const sinceMs = echoMs - ageMs;
    if (this.#waiting === null) this.#waiting = { sinceMs, index };
    else this.#newest = { sinceMs, index };
  }

  /** The state is at `index`. */
  reached(index: Index): void {
    while (this.#waiting !== null && this.#waiting.index <= index) {
      this.at(this.#waiting.sinceMs);
      this.#waiting = this.#newest;
      this.#newest = null;
    }
  }

  /** There was contact at `sinceMs` of the own clock. */
  at(sinceMs: number): void {
    this.#sinceMs = Math.max(this.#sinceMs, sinceMs);
  }

  /** An upper bound of the age; infinite as long as there was no contact. */
  ageMs(nowMs: number): number {
    return nowMs - this.#sinceMs;
  }
}

interface WaitingContact {
  readonly sinceMs: number;
  readonly index: Index;
}
