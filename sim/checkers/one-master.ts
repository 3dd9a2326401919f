/**
 * The promise: a ballot has at most one master, and a voter's directory gives one vote in it.
 *
 * A muted voter is exempt from the second half: it may have lost its promise, says so with each
 * answer, and is counted only where everybody agrees.
 */
import type { Ballot, Message } from '../../src/consensus/index.ts';
import { Violation } from '../violation.ts';

/** Remembers who led, and whom each directory voted for. */
export class OneMaster {
  readonly #masters = new Map<Ballot, string>();
  readonly #votes = new Map<string, string>();

  /** `who` says something to `to`. */
  sent(who: string, to: string, message: Message): void {
    if (message.type === 'append' || message.type === 'snapshot') this.#led(who, message.ballot);
    else if (message.type === 'vote_answer' && message.granted && !message.sender.muted) {
      this.#voted(`${who} with ${message.sender.storage} in ballot ${message.ballot}`, to);
    }
  }

  #led(who: string, ballot: Ballot): void {
    const known = this.#masters.get(ballot);
    if (known === who) return;
    if (known !== undefined)
      throw new Violation('one-master', `${who} and ${known} are masters of ballot ${ballot}`);
    this.#masters.set(ballot, who);
  }

  #voted(vote: string, candidate: string): void {
    const known = this.#votes.get(vote);
    if (known === candidate) return;
    if (known !== undefined)
      throw new Violation('one-master', `${vote} votes for ${candidate} after ${known}`);
    this.#votes.set(vote, candidate);
  }
}
