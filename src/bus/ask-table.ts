/**
 * Questions that were sent and have no answer yet.
 *
 * Each ends exactly once: with an answer from where it was sent, with the end of that link, or
 * overdue. One sweep looks for overdue ones, so a timeout is late by up to `LIMITS.linkSweepMs`.
 * Driven by `MeshBus`, which owns the timer.
 */
import { failed, LIMITS, type Result } from '../base/index.ts';
import type { BusAnswer, BusFailure } from './bus.ts';

/** Called once with what became of a question. */
export type AskDone = (answer: Result<BusAnswer, BusFailure>) => void;

interface Pending {
  /** Only answers over the link that carried the question count. */
  readonly owner: object;
  readonly deadlineMs: number;
  readonly done: AskDone;
}

/** Numbers are four bytes on the wire and 0 stands for none. */
const IDS = 0xffff_ffff;

/** The questions of one worker. */
export class AskTable {
  #pending = new Map<number, Pending>();
  #lastId = 0;

  get size(): number {
    return this.#pending.size;
  }

  /** Gives the question a number, or null when there are too many. */
  add(question: Pending): number | null {
    if (this.#pending.size >= LIMITS.linkAsksPendingMax) return null;
    do {
      this.#lastId = (this.#lastId % IDS) + 1;
    } while (this.#pending.has(this.#lastId));
    this.#pending.set(this.#lastId, question);
    return this.#lastId;
  }

  /** Forgets a question that could not be sent. */
  withdraw(id: number): void {
    this.#pending.delete(id);
  }

  /** Ends a question; without effect when it has ended, or went elsewhere. */
  settle(id: number, owner: object, answer: Result<BusAnswer, BusFailure>): void {
    const pending = this.#pending.get(id);
    if (pending === undefined || pending.owner !== owner) return;
    this.#pending.delete(id);
    pending.done(answer);
  }

  /** Ends everything that went over `owner`. */
  failOwner(owner: object, failure: BusFailure): void {
    this.#failWhere((pending) => pending.owner === owner, failure);
  }

  /** Ends what is due until `nowMs` with `failure`. */
  sweep(nowMs: number, failure: BusFailure): void {
    this.#failWhere((pending) => pending.deadlineMs <= nowMs, failure);
  }

  #failWhere(matches: (pending: Pending) => boolean, failure: BusFailure): void {
    const failing: Pending[] = [];
    for (const [id, pending] of this.#pending) {
      if (!matches(pending)) continue;
      this.#pending.delete(id);
      failing.push(pending);
    }
    // Only now, since a `done` may well ask the next question.
    for (const { done } of failing) done(failed(failure));
  }
}
