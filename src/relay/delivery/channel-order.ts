/**
 * The owner's view of its channels: which workers hold members, and which number comes next.
 *
 * One worker orders all messages of a channel, so that its connections see them in one order
 * wherever they are. It knows workers, not connections, and sends nothing by itself.
 */
import { type ChannelName, isLaterRun, isSameWorker, type Seat } from '../../base/index.ts';
import type { Holder } from './directory.ts';
import type { Position } from './local-members.ts';

interface Order {
  /** The worker in each seat that has members. */
  readonly runs: Map<Seat, Holder>;
  next: number;
}

/** A worker of whom a channel may have been left without our hearing of it. */
interface Doubt {
  readonly holder: Holder;
  /** What it has named since. */
  readonly heard: Set<ChannelName>;
}

/**
 * Whether a channel has a session: `live` with a member somewhere, `empty` without. `unsure`: only
 * workers in doubt could have one.
 */
export type ChannelStanding = 'live' | 'empty' | 'unsure';

const NOBODY: ReadonlyMap<Seat, Holder> = new Map();

/** The channels that this worker owns and that have members somewhere. */
export class ChannelOrder {
  readonly #run: number;
  readonly #channels = new Map<ChannelName, Order>();
  #doubts: Doubt[] = [];

  /** `run`: the run of the owning worker; positions of a later run are later. */
  constructor(run: number) {
    this.#run = run;
  }

  get channelCount(): number {
    return this.#channels.size;
  }

  /** The channels that have members; whoever walks along them may do so while they change. */
  channels(): IterableIterator<ChannelName> {
    return this.#channels.keys();
  }

  /** A worker has its first member of `channel`. Repeating it changes nothing. */
  join(channel: ChannelName, holder: Holder): void {
    this.#doubtOf(holder)?.heard.add(channel);
    const order = this.#channels.get(channel);
    if (order === undefined) {
      this.#channels.set(channel, { runs: new Map([[holder.seat, holder]]), next: this.#firstNumber() });
      return;
    }
    const known = order.runs.get(holder.seat);
    if (known === undefined || isLaterRun(holder, known)) order.runs.set(holder.seat, holder);
  }

  /** A worker has lost its last member of `channel`. */
  leave(channel: ChannelName, holder: Holder): void {
    this.#doubtOf(holder)?.heard.delete(channel);
    const order = this.#channels.get(channel);
    if (order !== undefined) this.#remove(channel, order, holder);
  }

  /** Whether anybody is in `channel`. */
  standing(channel: ChannelName): ChannelStanding {
    const order = this.#channels.get(channel);
    if (order === undefined) return 'empty';
    if (this.#doubts.length === 0) return 'live';
    for (const holder of order.runs.values()) {
      const doubt = this.#doubtOf(holder);
      if (doubt === undefined || doubt.heard.has(channel)) return 'live';
    }
    return 'unsure';
  }

  /**
   * The link to that run broke: it may have lost its last member of a channel while nobody could be
   * told. Messages go to it as before; a session that only it could have is unsure.
   */
  doubt(holder: Holder): void {
    this.#doubts = this.#doubts.filter((doubt) => doubt.holder.seat !== holder.seat);
    this.#doubts.push({ holder, heard: new Set() });
  }

  /** That run has repeated everything it has: what it did not name, it has left. */
  assured(holder: Holder): void {
    const doubt = this.#doubtOf(holder);
    if (doubt === undefined) return;
    this.#doubts = this.#doubts.filter((other) => other !== doubt);
    for (const [channel, order] of this.#channels) {
      if (!doubt.heard.has(channel)) this.#remove(channel, order, holder);
    }
  }

  /** The next position of `channel` and the worker in each seat that the message goes to. */
  publish(channel: ChannelName): {
    readonly position: Position;
    readonly runs: ReadonlyMap<Seat, Holder>;
  } {
    const order = this.#channels.get(channel);
    if (order === undefined) return { position: { run: this.#run, n: 0 }, runs: NOBODY };
    return { position: { run: this.#run, n: order.next++ }, runs: order.runs };
  }

  /**
   * That run has ended, and its members with it. The next run of its seat may have joined before
   * the news arrived; its members stay.
   */
  dropRun(ended: Holder): void {
    this.#doubts = this.#doubts.filter((doubt) => doubt !== this.#doubtOf(ended));
    for (const [channel, order] of this.#channels) this.#remove(channel, order, ended);
  }

  #doubtOf(holder: Holder): Doubt | undefined {
    return this.#doubts.find((doubt) => isSameWorker(doubt.holder, holder));
  }

  #remove(channel: ChannelName, order: Order, holder: Holder): void {
    const known = order.runs.get(holder.seat);
    if (known === undefined || !isSameWorker(known, holder)) return;
    order.runs.delete(holder.seat);
    if (order.runs.size === 0) this.#forget(channel, order);
  }

  // A channel that empties and fills again must not count from 1 again: a worker that missed the
  // empty moment would take the new messages for old ones. One counter for all forgotten channels
  // keeps that true without keeping the channels.
  #highest = 0;

  #firstNumber(): number {
    return this.#highest + 1;
  }

  #forget(channel: ChannelName, order: Order): void {
    this.#highest = Math.max(this.#highest, order.next);
    this.#channels.delete(channel);
  }
}
