/**
 * The channels of a node: who is in them, and one order for the messages of each.
 *
 * Every channel has an owner among the workers (`hash(channel) mod workers`). A publish goes to the
 * owner, once from there to each worker with members, and is framed once there. A worker's first
 * member of a channel is acknowledged by the owner before the member's 101, so that a publish that
 * comes later reaches it. Rules are in `relay/`; this file carries them over the bus.
 */
import {
  type ChannelName,
  type Clock,
  hash32,
  LIMITS,
  type Seat,
  seatsOf,
  type Timers,
} from '../../base/index.ts';
import { type Bus, type Json, NO_BYTES, type Sister } from '../../bus/index.ts';
import {
  ChannelOrder,
  type Completeness,
  type Holder,
  LocalMembers,
  type Position,
} from '../../relay/index.ts';
import type { Session } from '../sessions/session.ts';
import { ChannelJoins, type JoinAccess, type JoinOutcome } from './channel-joins.ts';
import { RunCalls } from './sister-calls.ts';

/** What a publish does to each connection that it reaches. */
export interface ChannelMessage {
  /** `send` delivers the message; `close` ends the connection behind it. */
  readonly act: 'send' | 'close';
  readonly channel: ChannelName;
  readonly bytes: Uint8Array;
  readonly binary: boolean;
}

/** How many connections a publish reached, or why it reached none. */
export type Published =
  | { readonly type: 'published'; readonly delivered: number }
  | { readonly type: 'unavailable' }
  /** The owner has lost the majority: somebody else may own the channel by now. */
  | { readonly type: 'isolated' };

/** What channels are kept in order with, here and at the sisters. */
export interface NodeChannelsDoors {
  readonly bus: Bus;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly workers: number;
  readonly completeness: Completeness;
  /** Whether messages may be ordered here now; asked once for each of them. */
  readonly mayOrder: () => boolean;
  /** Delivers to connections of this worker and answers how many took it. */
  readonly deliver: (members: ReadonlySet<Session>, message: ChannelMessage) => number;
}

interface Waiter {
  readonly run: () => void;
  readonly deadlineMs: number;
}

type PublishFacts = [channel: string, act: 'send' | 'close', binary: boolean];
type FanOutFacts = [...PublishFacts, run: number, n: number];

const REPEAT_PORTION = 1_000;
/** Publishes that may wait for sisters to repeat their members; further ones are unavailable. */
const WAITING_MAX = 10_000;
const WAITING_SWEEP_MS = 50;

/** This worker's part in the node's channels. */
export class NodeChannels {
  readonly #doors: NodeChannelsDoors;
  readonly #members = new LocalMembers<Session>();
  readonly #order: ChannelOrder;
  readonly #fanOuts: RunCalls;
  readonly #joins: ChannelJoins;
  readonly #seats: readonly Seat[];
  #waiting: Waiter[] = [];

  constructor(doors: NodeChannelsDoors) {
    this.#doors = doors;
    this.#seats = seatsOf(doors.bus.self.node, doors.workers);
    this.#order = new ChannelOrder(doors.bus.self.run);
    this.#fanOuts = new RunCalls(doors);
    const own = { members: this.#members, order: this.#order, owner: (name: string) => this.owner(name) };
    this.#joins = new ChannelJoins({ ...doors, ...own });
    const { bus } = doors;
    bus.handle('leave', (from, { facts }) => this.#left(facts as ChannelName, from));
    bus.handle('publish', (_from, { facts, bytes }, reply) => {
      const [channel, act, binary] = facts as unknown as PublishFacts;
      this.#publishOwned({ channel: channel as ChannelName, act, binary, bytes }, (published) => {
        reply(published.type === 'published' ? published.delivered : published.type);
      });
    });
    bus.handle('fan-out', (_from, { facts, bytes }, reply) => {
      const [channel, act, binary, run, n] = facts as unknown as FanOutFacts;
      reply(this.#fanOut({ channel: channel as ChannelName, act, binary, bytes }, { run, n }));
    });
    bus.onSisterDown((sister) => {
      this.#order.doubt(sister);
      this.#joins.forget(sister);
    });
    doors.timers.every(WAITING_SWEEP_MS, () => {
      this.#releaseWaiting();
      this.#joins.settle();
    });
  }

  /** The seat that orders `channel`. */
  owner(channel: string): Seat {
    const { workers } = this.#doors;
    return this.#seats[workers === 1 ? 0 : hash32(channel) % workers] as Seat;
  }

  /** The connections of this worker that are in `channel`. */
  membersOf(channel: ChannelName): ReadonlySet<Session> {
    return this.#members.of(channel);
  }

  /** The channels that this worker orders. */
  ordered(): Iterable<ChannelName> {
    return this.#order.channels();
  }

  /** Puts `session` into `channel`. Unless it is `joined`, the caller takes it out again. */
  join(
    session: Session,
    channel: ChannelName,
    access: JoinAccess,
    done: (outcome: JoinOutcome) => void,
  ): void {
    this.#joins.join(session, channel, access, done);
  }

  /** Takes `session` out of `channel`. */
  leave(session: Session, channel: ChannelName): void {
    if (this.#members.leave(channel, session) !== 'last') return;
    const owner = this.owner(channel);
    if (owner === this.#doors.bus.self.seat) this.#left(channel, this.#doors.bus.self);
    else this.#doors.bus.tell(owner, { kind: 'leave', facts: channel, bytes: NO_BYTES });
  }

  /** Sends or closes all connections of a channel, wherever they are. */
  publish(message: ChannelMessage, done: (published: Published) => void): void {
    const { bus } = this.#doors;
    const owner = this.owner(message.channel);
    if (owner === bus.self.seat) return this.#publishOwned(message, done);
    const facts: PublishFacts = [message.channel, message.act, message.binary];
    // Not repeatable: a publish whose answer is lost may have been delivered.
    bus.ask(owner, { kind: 'publish', facts, bytes: message.bytes }, LIMITS.sisterWaitMs * 2, (answer) => {
      const told = answer.ok
        ? (answer.value.facts as number | Exclude<Published['type'], 'published'>)
        : null;
      if (typeof told === 'number') done({ type: 'published', delivered: told });
      else done({ type: told ?? 'unavailable' });
    });
  }

  /** An owner is up, perhaps anew: tell it again which of its channels have members here. */
  repeatTo(sister: Sister): void {
    let channels: ChannelName[] = [];
    const send = (): void => {
      this.#doors.bus.tell(sister.seat, { kind: 'join', facts: channels as Json, bytes: NO_BYTES });
      channels = [];
    };
    for (const channel of this.#members.channels()) {
      if (this.owner(channel) !== sister.seat || this.#joins.isConditional(channel)) continue;
      channels.push(channel);
      if (channels.length === REPEAT_PORTION) send();
    }
    if (channels.length > 0) send();
  }

  /** A run has ended, and its members with it. */
  dropRun(ended: Holder): void {
    this.#order.dropRun(ended);
    this.#joins.forget(ended);
    this.#fanOuts.runEnded(ended);
  }

  /** That sister has repeated all of its channels. */
  repeated(sister: Sister): void {
    this.#order.assured(sister);
  }

  /** To be called when a sister has repeated its members: publishes and joins may have waited for it. */
  completenessChanged(): void {
    this.#releaseWaiting();
    this.#joins.settle();
  }

  #left(channel: ChannelName, holder: Holder): void {
    this.#order.leave(channel, holder);
    this.#joins.withdraw(channel, holder);
  }

  #publishOwned(message: ChannelMessage, done: (published: Published) => void): void {
    if (this.#doors.completeness.complete) return this.#orderAndFanOut(message, done);
    // This owner was just replaced: until its sisters have repeated their members it would reach
    // only some of them and call that delivered.
    if (this.#waiting.length >= WAITING_MAX) return done({ type: 'unavailable' });
    const deadlineMs = this.#doors.clock.monotonicMs() + LIMITS.sisterWaitMs;
    this.#waiting.push({
      deadlineMs,
      run: () => {
        if (this.#doors.completeness.complete) this.#orderAndFanOut(message, done);
        else done({ type: 'unavailable' });
      },
    });
  }

  #orderAndFanOut(message: ChannelMessage, done: (published: Published) => void): void {
    if (!this.#doors.mayOrder()) return done({ type: 'isolated' });
    const { bus } = this.#doors;
    const { position, runs } = this.#order.publish(message.channel);
    const remote = [...runs.values()].filter(({ seat }) => seat !== bus.self.seat);
    let delivered = 0;
    if (runs.has(bus.self.seat)) delivered += this.#fanOut(message, position);
    let outstanding = remote.length;
    if (outstanding === 0) return done({ type: 'published', delivered });
    const facts: FanOutFacts = [message.channel, message.act, message.binary, position.run, position.n];
    const fanOut = { kind: 'fan-out', facts, bytes: message.bytes };
    for (const sister of remote) {
      // May be asked again over a link that broke: its position tells a message from its repetition.
      this.#fanOuts.ask(sister, fanOut, LIMITS.sisterWaitMs, (answer) => {
        // A sister that is gone took its members with it: they count as not reached.
        if (answer.ok) delivered += answer.value.facts as number;
        outstanding--;
        if (outstanding === 0) done({ type: 'published', delivered });
      });
    }
  }

  #fanOut(message: ChannelMessage, position: Position): number {
    const members = this.#members.receivers(message.channel, position);
    return members === null ? 0 : this.#doors.deliver(members, message);
  }

  #releaseWaiting(): void {
    if (this.#waiting.length === 0) return;
    const nowMs = this.#doors.clock.monotonicMs();
    const complete = this.#doors.completeness.complete;
    const ready: Waiter[] = [];
    const still: Waiter[] = [];
    for (const waiter of this.#waiting) {
      (complete || waiter.deadlineMs <= nowMs ? ready : still).push(waiter);
    }
    this.#waiting = still;
    for (const waiter of ready) waiter.run();
  }
}
