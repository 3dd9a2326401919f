/**
 * Reads that see everything that was acknowledged before they began (Raft thesis 6.4).
 *
 * The master answers with its commit index once a majority has acknowledged a round of heartbeats
 * that began after the read: then nobody else was master meanwhile. Others ask the master. Reads of
 * one turn share a round, or a question.
 */
import type { Core } from './core.ts';
import type { Answer, Index, MemberName } from './types.ts';

/** A read that the master is to confirm: its own, or another member's question. */
export interface PendingRead {
  readonly id: number;
  /** Who asked; null: this replica. */
  readonly asker: MemberName | null;
}

interface RoundOfReads {
  readonly round: number;
  readonly reads: readonly PendingRead[];
}

/** The reads that wait at a master. */
export class ReadQueue {
  #new: PendingRead[] = [];
  #waiting: RoundOfReads[] = [];
  #count = 0;

  get count(): number {
    return this.#count;
  }

  /** True when there are reads that no round was begun for. */
  get needsRound(): boolean {
    return this.#new.length > 0;
  }

  /** The newest round that reads wait for; 0: none. */
  get newestRound(): number {
    return this.#waiting.at(-1)?.round ?? 0;
  }

  /** Adds a read. */
  add(read: PendingRead): void {
    this.#new.push(read);
    this.#count++;
  }

  /** `round` began after all reads so far. */
  begun(round: number): void {
    if (this.#new.length === 0) return;
    this.#waiting.push({ round, reads: this.#new });
    this.#new = [];
  }

  /** Takes the reads that rounds up to `round` confirm. */
  confirmed(round: number): readonly PendingRead[] {
    let done = 0;
    while (done < this.#waiting.length && (this.#waiting[done] as RoundOfReads).round <= round) done++;
    if (done === 0) return [];
    const reads = this.#waiting.splice(0, done).flatMap((each) => each.reads);
    this.#count -= reads.length;
    return reads;
  }

  /** Takes all reads, because nobody here can confirm them any more. */
  drain(): readonly PendingRead[] {
    const reads = [...this.#waiting.flatMap((each) => each.reads), ...this.#new];
    this.#waiting = [];
    this.#new = [];
    this.#count = 0;
    return reads;
  }
}

/** Reads of a replica that is not the master. */
export class AskedReads {
  readonly #core: Core;
  #new: number[] = [];
  /** By the number of the question; oldest first. */
  readonly #asked = new Map<number, { readonly ids: readonly number[]; readonly deadlineMs: number }>();
  #count = 0;

  constructor(core: Core) {
    this.#core = core;
  }

  /** When the oldest question is given up. */
  get deadlineMs(): number {
    for (const { deadlineMs } of this.#asked.values()) return deadlineMs;
    return Number.POSITIVE_INFINITY;
  }

  /** Notes a read; it is refused when there is nobody to ask, or too many ask. */
  add(id: number): void {
    const { trustedMaster: master, settings } = this.#core;
    if (master === null || this.#count >= settings.readsMax) {
      this.#refuse([id], master);
      return;
    }
    this.#new.push(id);
    this.#count++;
  }

  /** Asks the master for all reads of this turn. */
  ask(): void {
    const { trustedMaster: master, outbox, promise, nowMs, settings } = this.#core;
    if (this.#new.length === 0) return;
    const ids = this.#new;
    this.#new = [];
    if (master === null) {
      this.#count -= ids.length;
      this.#refuse(ids, null);
      return;
    }
    const question = this.#core.question(promise.ballot);
    this.#asked.set(question.call, { ids, deadlineMs: nowMs + settings.electionMinMs });
    outbox.send(master, { type: 'read', ...question });
  }

  /** Takes the master's answer. */
  answered({ call, index, master }: Extract<Answer, { readonly type: 'read_answer' }>): void {
    const asked = this.#asked.get(call);
    if (asked === undefined) return;
    this.#asked.delete(call);
    this.#count -= asked.ids.length;
    if (index === null) this.#refuse(asked.ids, master);
    else for (const id of asked.ids) this.#core.outbox.read({ id, type: 'ready', index: index as Index });
  }

  /** Gives up what was not answered in time. */
  expire(): void {
    for (const [call, { ids, deadlineMs }] of this.#asked) {
      if (deadlineMs > this.#core.nowMs) return;
      this.#asked.delete(call);
      this.#count -= ids.length;
      this.#refuse(ids, this.#core.master);
    }
  }

  #refuse(ids: readonly number[], master: MemberName | null): void {
    for (const id of ids) this.#core.outbox.read({ id, type: 'refused', master });
  }
}
