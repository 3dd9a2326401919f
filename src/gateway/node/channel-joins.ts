/**
 * How connections of this worker come into channels: asked of the channel's owner, and answered.
 *
 * A worker's first member of a channel asks the owner; further ones join with it. Who may only join
 * a channel session that is there (`live`) has that checked by the owner in the same step in which
 * it is noted, so that of two who come at once neither can take the other for the first. An owner
 * that cannot tell yet, because it or a link to it is new, keeps the question until it can.
 */
import { type ChannelName, type Clock, isSameWorker, LIMITS, type Seat } from '../../base/index.ts';
import { type Bus, NO_BYTES, type Sister } from '../../bus/index.ts';
import type { ChannelAccess, ChannelOrder, Completeness, LocalMembers } from '../../relay/index.ts';
import type { Session } from '../sessions/session.ts';
import { askRepeatably } from './sister-calls.ts';

/** Into which channels somebody may come. */
export type JoinAccess = Exclude<ChannelAccess, 'none'>;

/** What became of a join. */
export type JoinOutcome =
  | 'joined'
  /** The channel has no session, and the join would have begun one; nobody has noted it. */
  | 'would_begin'
  /** The owner did not answer, or could not tell, in time. */
  | 'unreachable';

/** What joins are carried out with. */
export interface ChannelJoinsDoors {
  readonly bus: Bus;
  readonly clock: Clock;
  readonly completeness: Completeness;
  readonly members: LocalMembers<Session>;
  readonly order: ChannelOrder;
  readonly owner: (channel: string) => Seat;
}

interface Waiter {
  readonly session: Session;
  readonly access: JoinAccess;
  readonly done: (outcome: JoinOutcome) => void;
}

/** What the owner of a channel was asked, and who waits for the answer. */
interface Question {
  readonly access: JoinAccess;
  readonly waiters: Waiter[];
}

/** A question to us as the owner that we cannot answer yet. */
interface Unsettled {
  readonly channel: ChannelName;
  readonly holder: Sister;
  readonly deadlineMs: number;
  readonly reply: (outcome: JoinOutcome) => void;
}

/** Questions that may wait until their owner can tell; further ones are answered `unreachable`. */
const UNSETTLED_MAX = 10_000;

/** The joins of one worker, asked and answered. */
export class ChannelJoins {
  readonly #doors: ChannelJoinsDoors;
  /** Channels whose owner has not confirmed this worker yet. */
  readonly #questions = new Map<ChannelName, Question>();
  #unsettled: Unsettled[] = [];

  constructor(doors: ChannelJoinsDoors) {
    this.#doors = doors;
    const { bus, order } = doors;
    bus.handle('join', (from, { facts }, reply) => {
      for (const channel of facts as string[]) order.join(channel as ChannelName, from);
      reply(null);
    });
    bus.handle('join-live', (from, { facts }, reply) => {
      this.#joinIfLive(facts as ChannelName, from, (outcome) => reply(outcome));
    });
  }

  /** Puts `session` into `channel`. Unless it is `joined`, the caller takes it out again. */
  join(
    session: Session,
    channel: ChannelName,
    access: JoinAccess,
    done: (outcome: JoinOutcome) => void,
  ): void {
    const waiter = { session, access, done };
    // A first member asks even while an answer is awaited: since that question everybody has left.
    if (this.#doors.members.join(channel, session) === 'first') return this.#ask(channel, access, [waiter]);
    const question = this.#questions.get(channel);
    if (question === undefined) done('joined');
    else question.waiters.push(waiter);
  }

  /** Whether the members of `channel` here are only hoped for: an owner must not be told of them. */
  isConditional(channel: ChannelName): boolean {
    return this.#questions.get(channel)?.access === 'live';
  }

  /** That holder has lost its last member of `channel`, so what it asked before is of no use to it. */
  withdraw(channel: ChannelName, holder: Sister): void {
    if (this.#unsettled.length === 0) return;
    this.#settleSome((one) =>
      one.channel === channel && isSameWorker(one.holder, holder) ? 'unreachable' : null,
    );
  }

  /** The link to a holder broke: it asks again, and no answer to an earlier question reaches it. */
  forget(holder: Sister): void {
    this.#unsettled = this.#unsettled.filter((one) => !isSameWorker(one.holder, holder));
  }

  /** Answers what can be answered by now, and what has waited long enough. */
  settle(): void {
    if (this.#unsettled.length === 0) return;
    const nowMs = this.#doors.clock.monotonicMs();
    this.#settleSome(({ channel, holder, deadlineMs }) => {
      return this.#verdict(channel, holder) ?? (deadlineMs <= nowMs ? 'unreachable' : null);
    });
  }

  #ask(channel: ChannelName, access: JoinAccess, waiters: Waiter[]): void {
    const { bus, order } = this.#doors;
    const question = { access, waiters };
    this.#questions.set(channel, question);
    const answered = (outcome: JoinOutcome): void => this.#answered(channel, question, outcome);
    const owner = this.#doors.owner(channel);
    if (owner === bus.self.seat) {
      if (access === 'live') return this.#joinIfLive(channel, bus.self, answered);
      order.join(channel, bus.self);
      return answered('joined');
    }
    const message =
      access === 'live' ? { kind: 'join-live', facts: channel } : { kind: 'join', facts: [channel] };
    askRepeatably(this.#doors, owner, { ...message, bytes: NO_BYTES }, (answer) => {
      if (!answer.ok) answered('unreachable');
      else answered(access === 'live' ? (answer.value.facts as JoinOutcome) : 'joined');
    });
  }

  #answered(channel: ChannelName, question: Question, outcome: JoinOutcome): void {
    if (this.#questions.get(channel) === question) this.#questions.delete(channel);
    if (outcome === 'would_begin') return this.#wouldBegin(channel, question);
    for (const { done } of question.waiters) done(outcome);
  }

  /** Those who may begin a session, and came while another's question was under way, begin it now. */
  #wouldBegin(channel: ChannelName, { waiters }: Question): void {
    const { members } = this.#doors;
    for (const { session, access } of waiters) if (access === 'live') members.leave(channel, session);
    const beginners = waiters.filter(
      ({ session, access }) => access === 'any' && members.holds(channel, session),
    );
    if (beginners.length > 0) this.#ask(channel, 'any', beginners);
    for (const waiter of waiters) if (!beginners.includes(waiter)) waiter.done('would_begin');
  }

  // As the owner --------------------------------------------------------------------------------

  #joinIfLive(channel: ChannelName, holder: Sister, reply: (outcome: JoinOutcome) => void): void {
    const verdict = this.#verdict(channel, holder);
    if (verdict !== null) return reply(verdict);
    if (this.#unsettled.length >= UNSETTLED_MAX) return reply('unreachable');
    const deadlineMs = this.#doors.clock.monotonicMs() + LIMITS.sisterWaitMs;
    this.#unsettled.push({ channel, holder, deadlineMs, reply });
  }

  /** Checks and notes in one step; null: it cannot be told yet. */
  #verdict(channel: ChannelName, holder: Sister): JoinOutcome | null {
    const { order, completeness } = this.#doors;
    const standing = order.standing(channel);
    if (standing === 'live') order.join(channel, holder);
    if (standing === 'live') return 'joined';
    // An owner that was just replaced has not heard of everybody.
    return standing === 'empty' && completeness.complete ? 'would_begin' : null;
  }

  #settleSome(verdictOf: (one: Unsettled) => JoinOutcome | null): void {
    const settled: [Unsettled, JoinOutcome][] = [];
    const still: Unsettled[] = [];
    for (const one of this.#unsettled) {
      const verdict = verdictOf(one);
      if (verdict === null) still.push(one);
      else settled.push([one, verdict]);
    }
    this.#unsettled = still;
    for (const [{ reply }, verdict] of settled) reply(verdict);
  }
}
