/**
 * Mastership on its way to another voter (Raft thesis 3.10).
 *
 * The old master takes no more proposals, waits until the other has its whole log, and asks it to
 * campaign. It is over when somebody else is master, or after an election time without success.
 */
import type { Core } from './core.ts';
import type { Ballot, MemberName } from './types.ts';

/** One attempt. */
export class Handover {
  readonly to: MemberName;
  readonly #id: number;
  readonly #core: Core;
  readonly #deadlineMs: number;
  #isAsked = false;

  constructor(core: Core, id: number, to: MemberName) {
    this.#core = core;
    this.#id = id;
    this.to = to;
    this.#deadlineMs = core.nowMs + core.settings.electionMaxMs;
  }

  /** True when the attempt has taken too long. */
  get isOver(): boolean {
    return this.#core.nowMs >= this.#deadlineMs;
  }

  /** The other one has the whole log: asks it, once. */
  ask(ballot: Ballot): void {
    if (this.#isAsked) return;
    this.#isAsked = true;
    askToCampaign(this.#core, this.to, ballot);
  }

  /** The replica is no longer the master, which was the aim. */
  succeeded(): void {
    this.#core.outbox.settle({ id: this.#id, type: 'committed', index: this.#core.commitIndex });
  }

  /** The replica stays the master. */
  failed(): void {
    const detail = `${this.to} did not become the master in time`;
    const { outbox, name } = this.#core;
    outbox.settle({ id: this.#id, type: 'refused', reason: 'unknown', master: name, detail });
  }
}

/** Asks `to` to become the master after the one of `ballot`. */
export function askToCampaign(core: Core, to: MemberName, ballot: Ballot): void {
  core.outbox.send(to, { type: 'transfer', ...core.question(ballot) });
}
