/**
 * Who waits for which answer of the replica: proposals by their ids, reads by the turn they began in.
 *
 * Reads that begin in one turn share one confirmation by the majority. Everything is bounded; what
 * finds no room is refused at once. Driven by `embedded.ts`.
 */
import { LOG_LIMITS } from '../base/index.ts';
import type { Index, Reading, Settlement } from '../consensus/index.ts';
import type { Outcome, ReadOutcome, Settled } from './doors.ts';

/** Called once. */
export type ReadDone = (outcome: ReadOutcome) => void;

interface WaitingProposal {
  readonly bytes: number;
  readonly done: Settled;
}

/** Proposals that are not settled. */
export class WaitingProposals {
  readonly #waiting = new Map<number, WaitingProposal>();
  #bytes = 0;

  get size(): number {
    return this.#waiting.size;
  }

  /** False: no room. */
  add(id: number, bytes: number, done: Settled): boolean {
    const isFull = this.#waiting.size >= LOG_LIMITS.proposalsMax;
    if (isFull || (this.#bytes > 0 && this.#bytes + bytes > LOG_LIMITS.proposalBytesMax)) return false;
    this.#waiting.set(id, { bytes, done });
    this.#bytes += bytes;
    return true;
  }

  settle(settlement: Settlement): void {
    const waiting = this.#waiting.get(settlement.id);
    if (waiting === undefined) return;
    this.#waiting.delete(settlement.id);
    this.#bytes -= waiting.bytes;
    const { id: _, ...outcome } = settlement;
    waiting.done(outcome);
  }

  /** Gives the same answer to all. */
  settleAll(outcome: Outcome): void {
    const all = [...this.#waiting.values()];
    this.#waiting.clear();
    this.#bytes = 0;
    for (const { done } of all) done(outcome);
  }
}

interface ReadGroup {
  readonly sinceMs: number;
  readonly done: readonly ReadDone[];
}

/** Reads that are not answered. */
export class WaitingReads {
  /** Begun since the last turn of the driver. */
  #begun: ReadDone[] = [];
  readonly #asked = new Map<number, ReadGroup>();
  /** Confirmed, and waiting until the index is applied here. */
  #confirmed: (ReadGroup & { readonly index: Index })[] = [];
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** False: no room. */
  add(done: ReadDone): boolean {
    if (this.#size >= LOG_LIMITS.readsMax) return false;
    this.#begun.push(done);
    this.#size++;
    return true;
  }

  /** Puts what began since the last call under one id; false when there is nothing to ask. */
  ask(id: number, nowMs: number): boolean {
    this.#expire(nowMs);
    if (this.#begun.length === 0) return false;
    this.#asked.set(id, { sinceMs: nowMs, done: this.#begun });
    this.#begun = [];
    return true;
  }

  answer({ id, ...outcome }: Reading): void {
    const group = this.#asked.get(id);
    if (group === undefined) return;
    this.#asked.delete(id);
    if (outcome.type === 'ready') this.#confirmed.push({ ...group, index: outcome.index });
    else this.#tell(group.done, outcome as ReadOutcome);
  }

  /** Answers those whose index is applied. */
  applied(index: Index): void {
    if (this.#confirmed.length === 0) return;
    const ready = this.#confirmed.filter((group) => group.index <= index);
    if (ready.length === 0) return;
    this.#confirmed = this.#confirmed.filter((group) => group.index > index);
    for (const group of ready) this.#tell(group.done, { type: 'ready', index: group.index });
  }

  /** Refuses all. */
  refuseAll(): void {
    const groups = [...this.#asked.values(), ...this.#confirmed, { done: this.#begun }];
    this.#asked.clear();
    this.#confirmed = [];
    this.#begun = [];
    for (const { done } of groups) this.#tell(done, { type: 'refused', master: null });
  }

  /** A question or its answer may be lost, and what it is waiting for may never be applied here. */
  #expire(nowMs: number): void {
    if (this.#asked.size === 0 && this.#confirmed.length === 0) return;
    const late = (group: ReadGroup): boolean => group.sinceMs + LOG_LIMITS.readWaitMs <= nowMs;
    for (const [id, group] of this.#asked) {
      // In the order of their asking: the first that is not late ends the search.
      if (!late(group)) break;
      this.#asked.delete(id);
      this.#tell(group.done, { type: 'refused', master: null });
    }
    if (!this.#confirmed.some(late)) return;
    const gone = this.#confirmed.filter(late);
    this.#confirmed = this.#confirmed.filter((group) => !late(group));
    for (const { done } of gone) this.#tell(done, { type: 'refused', master: null });
  }

  #tell(done: readonly ReadDone[], outcome: ReadOutcome): void {
    this.#size -= done.length;
    for (const each of done) each(outcome);
  }
}
