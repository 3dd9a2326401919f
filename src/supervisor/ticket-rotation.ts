/**
 * New keys for TLS tickets, for all workers at once, every `LIMITS.ticketKeysMs`.
 *
 * A node understands tickets of its newest keys only: a client with an older one begins anew, once.
 * Where the keys come from is a door; a node without TLS has none of this.
 */
import { type Cancellable, LIMITS, type Timers } from '../base/index.ts';
import type { NodeTls } from './doors.ts';
import type { Worker } from './worker.ts';

/** The rotation of one node. */
export class TicketRotation {
  readonly #doors: { readonly timers: Timers; readonly tls?: NodeTls | null };
  readonly #workers: Iterable<Worker>;
  #timer: Cancellable | null = null;

  constructor(doors: { readonly timers: Timers; readonly tls?: NodeTls | null }, workers: Iterable<Worker>) {
    this.#doors = doors;
    this.#workers = workers;
  }

  start(): void {
    const { tls = null, timers } = this.#doors;
    if (tls !== null) this.#timer = timers.every(LIMITS.ticketKeysMs, () => this.#rotate(tls));
  }

  stop(): void {
    this.#timer?.cancel();
  }

  /** Those who are still starting get them too: what they were told at first is old now. */
  #rotate(tls: NodeTls): void {
    const ticketKeys = tls.nextTicketKeys();
    for (const worker of this.#workers) worker.process.send({ type: 'ticket_keys', ticketKeys });
  }
}
