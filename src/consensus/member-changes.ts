/**
 * The master's changes of the membership: one at a time, asked for by operators or by the policy.
 *
 * A change is proposed only when the one before it is committed, and an entry of the own ballot is
 * (Raft thesis 4.1, and the correction to it): otherwise two masters could each believe in a
 * majority that the other does not meet. What is asked for meanwhile waits its turn.
 */
import { assert } from '../base/index.ts';
import { votersOf } from './configuration.ts';
import type { Core } from './core.ts';
import { canCommit, changed, isSingleStep, type MemberFacts, nextConfiguration } from './membership.ts';
import type { Configuration, MemberChange, MemberName } from './types.ts';

const TOO_EARLY = 'too few of the voters that would be left are there; bring them back, or add others first';

/** Asked for by somebody who waits for the answer. */
export interface WaitingChange {
  readonly id: number;
  readonly change: MemberChange;
}

/** The next configuration, and who asked for it; null: the policy. */
export interface ChosenChange {
  readonly configuration: Configuration;
  readonly id: number | null;
}

/** The changes that wait at one master. */
export class MemberChanges {
  readonly #core: Core;
  #waiting: WaitingChange[] = [];

  constructor(core: Core) {
    this.#core = core;
  }

  /** True when somebody waits. */
  get isAsked(): boolean {
    return this.#waiting.length > 0;
  }

  /** Adds a change that was asked for; beyond the bound it is refused. */
  add(waiting: WaitingChange): void {
    if (this.#waiting.length < this.#core.settings.changesMax) this.#waiting.push(waiting);
    else this.#refuse(waiting.id, 'busy', 'too many membership changes wait for their turn');
  }

  /** The next step, now that one may be taken: what was asked for goes first. */
  next(facts: () => ReadonlyMap<MemberName, MemberFacts>): ChosenChange | null {
    const { log, name, settings } = this.#core;
    for (let waiting = this.#waiting.shift(); waiting !== undefined; waiting = this.#waiting.shift()) {
      const outcome = changed(log.configuration, waiting.change);
      if (!outcome.ok) this.#refuse(waiting.id, 'members', outcome.error);
      else if (this.#isTooEarly(outcome.value, facts)) this.#refuse(waiting.id, 'members', TOO_EARLY);
      else return this.#checked({ configuration: outcome.value, id: waiting.id });
    }
    const { votersMax, voterDownMs } = settings;
    const configuration = nextConfiguration({
      configuration: log.configuration,
      master: name,
      facts: facts(),
      votersMax,
      voterDownMs,
    });
    return configuration === null ? null : this.#checked({ configuration, id: null });
  }

  /** The replica is no longer the master: nobody here can do it. */
  drop(master: MemberName | null): void {
    const detail = 'this node is no longer the master';
    for (const { id } of this.#waiting) {
      this.#core.outbox.settle({ id, type: 'refused', reason: 'not_master', master, detail });
    }
    this.#waiting = [];
  }

  /** A voter may only leave when those who stay can commit it, or nothing could be committed any more. */
  #isTooEarly(next: Configuration, facts: () => ReadonlyMap<MemberName, MemberFacts>): boolean {
    const isSmaller = votersOf(next).length < votersOf(this.#core.log.configuration).length;
    return isSmaller && !canCommit(next, { facts: facts() });
  }

  #checked(chosen: ChosenChange): ChosenChange {
    assert(
      isSingleStep(this.#core.log.configuration, chosen.configuration),
      'one voter at a time comes or goes',
    );
    return chosen;
  }

  #refuse(id: number, reason: 'busy' | 'members', detail: string): void {
    this.#core.outbox.settle({ id, type: 'refused', reason, master: this.#core.name, detail });
  }
}
