/**
 * Who waits for which entry of the log.
 *
 * A proposal is settled by what is handed out at its index: the very entry, or another one. A master
 * that was deposed keeps its proposals, because they may still be committed by the next one; after a
 * while it says that it does not know. Nothing here decides what is committed.
 */
import type { Log } from './log.ts';
import type { Outbox } from './outbox.ts';
import type { Ballot, Entry, Index, MemberName, Settlement, Snapshot } from './types.ts';

type Refused = Extract<Settlement, { readonly type: 'refused' }>;

/** Why a proposal was refused. */
export type RefusalReason = Refused['reason'];

interface Waiting {
  readonly id: number;
  readonly ballot: Ballot;
  readonly requestId: string | null;
  readonly bytes: number;
}

const UNKNOWN = 'the master changed before this was committed; ask again with the same request id';

/** The proposals of one replica that are not settled yet. */
export class Proposals {
  readonly #outbox: Outbox;
  readonly #waiting = new Map<Index, Waiting[]>();
  #count = 0;
  #bytes = 0;
  #deadlineMs = Number.POSITIVE_INFINITY;

  constructor(outbox: Outbox) {
    this.#outbox = outbox;
  }

  get count(): number {
    return this.#count;
  }

  /** Payload of the proposals that wait. */
  get bytes(): number {
    return this.#bytes;
  }

  /** When those that wait are given up; infinite while there is hope. */
  get deadlineMs(): number {
    return this.#count === 0 ? Number.POSITIVE_INFINITY : this.#deadlineMs;
  }

  /** `id` is settled when `entry` is; `bytes`: what it adds to the payload that waits. */
  add(id: number, { index, ballot, payload }: Entry, bytes: number): void {
    const requestId = payload.type === 'changes' ? payload.requestId : null;
    const waiting = this.#waiting.get(index);
    if (waiting === undefined) this.#waiting.set(index, [{ id, ballot, requestId, bytes }]);
    else waiting.push({ id, ballot, requestId, bytes });
    this.#count++;
    this.#bytes += bytes;
  }

  /** `entry` is committed and was handed out. */
  handedOut(entry: Entry): void {
    if (this.#count === 0) return;
    const waiting = this.#take(entry.index);
    for (const { id, ballot } of waiting) {
      if (ballot === entry.ballot) this.#outbox.settle({ id, type: 'committed', index: entry.index });
      else this.#giveUp(id, null);
    }
  }

  /** A snapshot took the place of entries: it still names the requests that it holds. */
  installed({ index: last, requests }: Snapshot): void {
    if (this.#count === 0) return;
    const applied = new Map(requests);
    for (const index of this.#waiting.keys()) {
      if (index > last) continue;
      for (const { id, requestId } of this.#take(index)) {
        const found = requestId === null ? undefined : applied.get(requestId);
        if (found === undefined) this.#giveUp(id, null);
        else this.#outbox.settle({ id, type: 'committed', index: found });
      }
    }
  }

  /** The replica is no longer the master: what is not settled until then is unknown. */
  deposed(deadlineMs: number): void {
    this.#deadlineMs = Math.min(this.#deadlineMs, deadlineMs);
  }

  /** The replica is the master again: what still stands in its log will be committed, the rest not here. */
  reinstated(log: Log): void {
    this.#deadlineMs = Number.POSITIVE_INFINITY;
    for (const [index, [first]] of this.#waiting) {
      if (first !== undefined && log.holds(index, first.ballot)) continue;
      for (const { id } of this.#take(index)) this.#giveUp(id, null);
    }
  }

  /** Gives up what has waited too long; `master` may know more. */
  expire(nowMs: number, master: MemberName | null): void {
    if (nowMs < this.deadlineMs) return;
    for (const index of this.#waiting.keys()) {
      for (const { id } of this.#take(index)) this.#giveUp(id, master);
    }
    this.#deadlineMs = Number.POSITIVE_INFINITY;
  }

  #take(index: Index): readonly Waiting[] {
    const waiting = this.#waiting.get(index) ?? [];
    this.#waiting.delete(index);
    this.#count -= waiting.length;
    for (const { bytes } of waiting) this.#bytes -= bytes;
    return waiting;
  }

  #giveUp(id: number, master: MemberName | null): void {
    this.#outbox.settle({ id, type: 'refused', reason: 'unknown', master, detail: UNKNOWN });
  }
}
