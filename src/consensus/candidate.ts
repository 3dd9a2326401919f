/**
 * The one who asks for votes: first whether it would get them, then in earnest.
 *
 * The first round (Raft thesis 9.6) keeps a node that was cut off from raising ballots that nobody
 * else needs. Only voters of the latest configuration count, each with the data directory that was
 * made a voter. A muted voter's word does not count, with one exception: when every member grants,
 * muted or not, nobody is left who could hold something newer (ADR-0010). For its sake learners are
 * asked as well: whoever lost the end of its log may have lost that one of them votes by now.
 */
import { isVoter, votersOf } from './configuration.ts';
import type { Core } from './core.ts';
import { majorityOf } from './quorum.ts';
import type { Answer, Ballot, Member, MemberName } from './types.ts';

/** An answer to either round. */
export type Ballots = Extract<Answer, { readonly type: 'pre_vote_answer' | 'vote_answer' }>;

/** What an election was won with. */
export interface Victory {
  readonly ballot: Ballot;
  /** When the votes were asked for. */
  readonly askedMs: number;
  /** Every member granted: who is muted counts in this ballot, in the life that it voted in. */
  readonly vouched: ReadonlyMap<MemberName, number> | null;
}

/** One round of asking. */
export class Candidate {
  readonly round: 'pre_vote' | 'vote';
  readonly ballot: Ballot;
  readonly #core: Core;
  readonly #askedMs: number;
  /** The own vote counts once the promise is on disk. */
  readonly #ownToken: number;
  readonly #firstCall: number;
  /** Who granted -> its answer. */
  readonly #granted = new Map<MemberName, Ballots>();

  /** Asks. `ballot` is promised already when `round` is `vote`; `transfer`: the master wants it so. */
  constructor(core: Core, round: 'pre_vote' | 'vote', ballot: Ballot, transfer: boolean) {
    this.#core = core;
    this.round = round;
    this.ballot = ballot;
    this.#askedMs = core.nowMs;
    this.#ownToken = round === 'vote' ? core.saving.tokenOfNotes(core.log) : 0;
    this.#firstCall = core.nextCall;
    const { lastIndex, lastBallot, configuration } = core.log;
    // Whoever decides alone asks nobody: a learner may be a foreigner, to whom the question means something.
    const isAlone = !core.muted && votersOf(configuration).length === 1;
    for (const { name, role } of configuration.members) {
      if (name === core.name || role === 'foreign' || isAlone) continue;
      const question = { ...core.question(ballot), lastIndex, lastBallot };
      if (round === 'pre_vote') core.outbox.send(name, { type: 'pre_vote', ...question });
      else core.outbox.sendAfter(name, { type: 'vote', ...question, transfer });
    }
  }

  /** Takes an answer; those to other rounds are none of its business. */
  answered(from: MemberName, answer: Ballots): void {
    if (answer.type !== `${this.round}_answer` || answer.call < this.#firstCall || !answer.granted) return;
    if (this.round === 'vote' && answer.ballot !== this.ballot) return;
    this.#granted.set(from, answer);
  }

  /** The victory, once there is one. */
  get victory(): Victory | null {
    const { saving, muted, log } = this.#core;
    if (saving.durableToken < this.#ownToken) return null;
    const { ballot } = this;
    const askedMs = this.#askedMs;
    if (this.#isUnanimous) return { ballot, askedMs, vouched: this.#runs() };
    const voters = votersOf(log.configuration);
    const isMajority = voters.filter((voter) => this.#counts(voter)).length >= majorityOf(voters.length);
    // A muted candidate may not even know any more who the members are; a majority is not enough for it.
    return isMajority && !muted ? { ballot, askedMs, vouched: null } : null;
  }

  #counts({ name, storage }: Member): boolean {
    if (name === this.#core.name) return true;
    const sender = this.#granted.get(name)?.sender;
    return sender?.storage === storage && !sender.muted;
  }

  /** Every member granted. A learner by its name alone: its directory may be newer than this log. */
  get #isUnanimous(): boolean {
    return this.#core.log.configuration.members.every(({ name, role, storage }) => {
      if (name === this.#core.name || role === 'foreign') return true;
      const answer = this.#granted.get(name);
      return answer !== undefined && (role === 'learner' || answer.sender.storage === storage);
    });
  }

  #runs(): ReadonlyMap<MemberName, number> {
    const { name, sender } = this.#core;
    const runs = new Map([[name, sender.run]]);
    for (const [other, answer] of this.#granted) runs.set(other, answer.sender.run);
    return runs;
  }
}

/** True when this replica may campaign at all: it votes by its own latest configuration. */
export function mayCampaign({ incarnation, log, name, storage }: Core): boolean {
  return incarnation !== null && isVoter(log.configuration, name, storage);
}
