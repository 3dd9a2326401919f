/**
 * The one who is asked for votes.
 *
 * A voter promises never to accept anything below the highest ballot that it was asked for, and gives
 * one vote in each (Raft 5.2), only to a log that holds all that its own may have helped to commit
 * (Raft 5.4.1). It answers whatever it believes about the members: who counts as a voter is for the
 * candidate to know, whose configuration may be newer. While it hears of a living master it does not
 * let itself be disturbed (Raft thesis 4.2.3), unless the master itself asked for the change.
 */
import type { Core } from './core.ts';
import type { Answer, MemberName, Request } from './types.ts';

type Asked<Type extends Request['type']> = Extract<Request, { readonly type: Type }>;
type Answered<Type extends Answer['type']> = Extract<Answer, { readonly type: Type }>;

/** The voter in a replica. */
export class Voter {
  readonly #core: Core;

  constructor(core: Core) {
    this.#core = core;
  }

  /** Says whether a vote would be given. Changes nothing, here or on the disk. */
  preVote(question: Asked<'pre_vote'>, hearsMaster: boolean): Answered<'pre_vote_answer'> {
    const granted = !hearsMaster && question.ballot > this.#core.promise.ballot && this.#isUpToDate(question);
    return { type: 'pre_vote_answer', ...this.#core.answer(question.call), granted };
  }

  /** Votes, or does not; the answer waits for the disk. */
  vote(from: MemberName, question: Asked<'vote'>, hearsMaster: boolean): Answered<'vote_answer'> {
    const core = this.#core;
    if (!hearsMaster || question.transfer) {
      if (question.ballot > core.promise.ballot) core.promiseBallot(question.ballot, null);
      if (this.#mayVote(from, question)) {
        if (core.promise.votedFor === null) core.promiseBallot(question.ballot, from);
        core.restTillElection();
        return { type: 'vote_answer', ...core.answer(question.call), granted: true };
      }
    }
    return { type: 'vote_answer', ...core.answer(question.call), granted: false };
  }

  #mayVote(from: MemberName, question: Asked<'vote'>): boolean {
    const { promise, master } = this.#core;
    if (question.ballot !== promise.ballot || master !== null) return false;
    return (promise.votedFor === null || promise.votedFor === from) && this.#isUpToDate(question);
  }

  /** The log that ends with the higher ballot is newer; of two that end alike, the longer one. */
  #isUpToDate({ lastBallot, lastIndex }: Asked<'vote'> | Asked<'pre_vote'>): boolean {
    const { log } = this.#core;
    return lastBallot > log.lastBallot || (lastBallot === log.lastBallot && lastIndex >= log.lastIndex);
  }
}
