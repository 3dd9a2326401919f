/**
 * The owner's view of its channels: which workers hold members, and which number comes next.
 *
 * One worker orders all messages of a channel, so that its connections see them in one order
 * wherever they are. It knows workers, not connections, and sends nothing by itself.
 */
import type { ChannelName, WorkerSlot } from '../base/index.ts';
import type { Position } from './local-members.ts';

interface Order {
  readonly slots: Set<WorkerSlot>;
  next: number;
}

const NOBODY: ReadonlySet<WorkerSlot> = new Set();

/** The channels that this worker owns and that have members somewhere. */
export class ChannelOrder {
  readonly #run: number;
  readonly #channels = new Map<ChannelName, Order>();

  /** `run`: the run of the owning worker; positions of a later run are later. */
  constructor(run: number) {
    this.#run = run;
  }

  get channelCount(): number {
    return this.#channels.size;
  }

  /** A worker has its first member of `channel`. Repeating it changes nothing. */
  join(channel: ChannelName, slot: WorkerSlot): void {
    const order = this.#channels.get(channel);
    if (order !== undefined) order.slots.add(slot);
    else this.#channels.set(channel, { slots: new Set([slot]), next: this.#firstNumber() });
  }

  /** A worker has lost its last member of `channel`. */
  leave(channel: ChannelName, slot: WorkerSlot): void {
    const order = this.#channels.get(channel);
    if (order === undefined) return;
    order.slots.delete(slot);
    if (order.slots.size === 0) this.#forget(channel, order);
  }

  /** The next position of `channel` and the workers that the message goes to. */
  publish(channel: ChannelName): { readonly position: Position; readonly slots: ReadonlySet<WorkerSlot> } {
    const order = this.#channels.get(channel);
    if (order === undefined) return { position: { run: this.#run, n: 0 }, slots: NOBODY };
    return { position: { run: this.#run, n: order.next++ }, slots: order.slots };
  }

  /** The run in `slot` has ended, and its members with it. */
  dropSlot(slot: WorkerSlot): void {
    for (const [channel, order] of this.#channels) {
      order.slots.delete(slot);
      if (order.slots.size === 0) this.#forget(channel, order);
    }
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
