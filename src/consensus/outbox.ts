/**
 * What one turn of a replica wants done, collected until `Replica.take` hands it over.
 *
 * Roles write into it and never read from it; the order within each list is the order of the calls.
 */
import type {
  Entry,
  Envelope,
  MemberName,
  Message,
  Notice,
  Output,
  Persist,
  Reading,
  Settlement,
  Snapshot,
} from './types.ts';

/** What `Outbox.take` cannot know by itself. */
export interface OutboxEnd {
  readonly persist: Persist | null;
  readonly sendAfterToken: number;
  readonly wakeAtMs: number;
}

/** The output of a turn while it grows. */
export class Outbox {
  #send: Envelope[] = [];
  #sendAfter: Envelope[] = [];
  #install: Snapshot | null = null;
  #commit: Entry[] = [];
  #settled: Settlement[] = [];
  #reads: Reading[] = [];
  #notices: Notice[] = [];

  /** A message that promises nothing. */
  send(to: MemberName, message: Message): void {
    this.#send.push({ to, message });
  }

  /** A message that waits until everything noted so far is on disk. */
  sendAfter(to: MemberName, message: Message): void {
    this.#sendAfter.push({ to, message });
  }

  /** The state is to be replaced; entries that were to be applied in this turn are part of it. */
  install(snapshot: Snapshot): void {
    this.#install = snapshot;
    this.#commit = [];
  }

  /** `entry` is to be applied. */
  commit(entry: Entry): void {
    this.#commit.push(entry);
  }

  /** A proposal has an answer. */
  settle(settlement: Settlement): void {
    this.#settled.push(settlement);
  }

  /** A read has an answer. */
  read(reading: Reading): void {
    this.#reads.push(reading);
  }

  /** Something happened that others may want to know. */
  notice(notice: Notice): void {
    this.#notices.push(notice);
  }

  /** Hands over what was collected and starts anew. */
  take({ persist, sendAfterToken, wakeAtMs }: OutboxEnd): Output {
    const output: Output = {
      persist,
      send: this.#send,
      sendAfter: this.#sendAfter,
      sendAfterToken,
      install: this.#install,
      commit: this.#commit,
      settled: this.#settled,
      reads: this.#reads,
      notices: this.#notices,
      wakeAtMs,
    };
    this.#send = [];
    this.#sendAfter = [];
    this.#install = null;
    this.#commit = [];
    this.#settled = [];
    this.#reads = [];
    this.#notices = [];
    return output;
  }
}
