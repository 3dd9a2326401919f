/**
 * A process full of WebSocket clients that check numbered broadcasts.
 *
 * Does as its parent says (`receiver-orders.ts`) and ends with it. Losing a frame on purpose happens
 * between socket and oracle, where a frame that the node had lost would be missing too.
 */
import type { LightClient } from '../../support/light-client.ts';
import { AwaitedNumber } from '../awaited-number.ts';
import { BroadcastOracle } from '../broadcast-oracle.ts';
import { openCrowd } from '../crowd.ts';
import type { ReceiverOrder, ReceiverReport } from './receiver-orders.ts';

/** Progress is told every so many frames, to keep the publishers from running away. */
const PROGRESS_FRAMES = 16;
/** How long frames may take to arrive after the last publish was answered. */
const PATIENCE_MS = 60_000;

type Opening = Extract<ReceiverOrder, { type: 'open' }>;

class Receivers {
  readonly #opening: Opening;
  readonly #oracle: BroadcastOracle;
  /** Frames by receiver, those lost on purpose included. */
  readonly #frames: Uint32Array;
  /** How many receivers have had a number of frames; only multiples of `PROGRESS_FRAMES`. */
  readonly #reached = new Map<number, number>();
  /** Frames of all receivers together. */
  readonly #total = new AwaitedNumber('frames');
  #clients: LightClient[] = [];

  constructor(opening: Opening) {
    this.#opening = opening;
    this.#oracle = new BroadcastOracle(opening.receivers, opening.publishers);
    this.#frames = new Uint32Array(opening.receivers);
  }

  async open(): Promise<void> {
    const { port, channel, name, receivers } = this.#opening;
    const places = new Map<LightClient, number>();
    const message = (client: LightClient, text: string): void => {
      const receiver = places.get(client);
      if (receiver === undefined) throw new Error('nothing is published before all are open');
      this.#frame(receiver, text);
    };
    this.#clients = await openCrowd({
      target: { port, message },
      count: receivers,
      key: (index) => `${name}-${index}`,
      channels: () => [channel],
    });
    for (const [index, client] of this.#clients.entries()) places.set(client, index);
    report({ type: 'opened' });
  }

  async judge(published: readonly number[]): Promise<void> {
    const each = published.reduce((sum, count) => sum + count, 0);
    // When they do not come, the oracle says for whom.
    await this.#total.reaches(each * this.#opening.receivers, PATIENCE_MS).catch(() => undefined);
    const lost = this.#clients.filter((client) => !client.open).length;
    report({ type: 'verdict', verdict: this.#oracle.verdict(published), lost });
  }

  #frame(receiver: number, text: string): void {
    const frames = (this.#frames[receiver] as number) + 1;
    this.#frames[receiver] = frames;
    const { drop } = this.#opening;
    const dropped = drop !== null && drop.receiver === receiver && drop.frame === frames;
    if (!dropped) this.#oracle.message(receiver, text);
    this.#total.add(1);
    if (frames % PROGRESS_FRAMES === 0) this.#progress(frames);
  }

  #progress(frames: number): void {
    const reached = (this.#reached.get(frames) ?? 0) + 1;
    if (reached < this.#opening.receivers) {
      this.#reached.set(frames, reached);
      return;
    }
    this.#reached.delete(frames);
    report({ type: 'reached', frames });
  }
}

function report(message: ReceiverReport): void {
  process.send?.(message);
}

let receivers: Receivers | null = null;

process.on('message', (order: ReceiverOrder) => {
  if (order.type === 'open') {
    receivers = new Receivers(order);
    void receivers.open();
  } else void receivers?.judge(order.published);
});
process.on('disconnect', () => process.exit());
