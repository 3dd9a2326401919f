/**
 * All clients of one server: opens them a few at a time and hands their messages to the load that
 * is being made. A client that ends ends the run: a bench that loses connections measures nothing.
 */
import { Client, type ClientOwner } from './client.ts';
import type { MessageSink } from './frame-walker.ts';
import type { MeasuringWindow } from './measuring-window.ts';
import type { Address } from './orders.ts';

/** Every client is in this channel. */
export const CHANNEL = 'all';

/** Few of an address's 28,000 ephemeral ports, so that the kernel finds a free one at once. */
const CLIENTS_PER_LOCAL_ADDRESS = 1_000;

/** Session key of a client; all are of one length, so that requests can be patched in place. */
export function sessionKeyOf(index: number): string {
  return `s${String(index).padStart(5, '0')}`;
}

/** Messages that no load asked for are an error. */
const NOBODY: MessageSink = {
  message(client) {
    throw new Error(`client ${client} got a message that was not sent to it`);
  },
};

/** The clients of one server. */
export class Crowd implements ClientOwner {
  sink: MessageSink = NOBODY;
  readonly #clients: Client[] = [];
  readonly #startedMs: number[] = [];
  #wanted = 0;
  #openCount = 0;
  #address: Address = { host: '', port: 0, tls: false };
  #compression = false;
  #window: MeasuringWindow | null = null;
  #done: () => void = () => {};

  get size(): number {
    return this.#openCount;
  }

  client(index: number): Client {
    return this.#clients[index] as Client;
  }

  /** Connects until there are `wanted` clients, `inProgress` at a time. */
  open(options: {
    readonly address: Address;
    readonly wanted: number;
    readonly inProgress: number;
    readonly compression: boolean;
    readonly window: MeasuringWindow;
  }): Promise<void> {
    this.#address = options.address;
    this.#wanted = options.wanted;
    this.#compression = options.compression;
    this.#window = options.window;
    return new Promise((resolve) => {
      this.#done = resolve;
      for (let started = 0; started < options.inProgress; started += 1) this.#startNext();
    });
  }

  opened(client: Client): void {
    this.#window?.count(performance.now() - (this.#startedMs[client.index] as number));
    this.#openCount += 1;
    if (this.#openCount === this.#wanted) this.#done();
    else this.#startNext();
  }

  failed(client: Client, reason: string): void {
    throw new Error(`client ${client.index} of ${this.#openCount}: ${reason}`);
  }

  #startNext(): void {
    const index = this.#clients.length;
    if (index >= this.#wanted) return;
    this.#startedMs.push(performance.now());
    this.#clients.push(
      new Client({
        index,
        owner: this,
        address: this.#address,
        localAddress: localAddressOf(index),
        path: `/connect?key=${sessionKeyOf(index)}`,
        compression: this.#compression,
      }),
    );
  }
}

/** Every maker has loopback addresses of its own: ports of others and of the last round do not matter. */
function localAddressOf(index: number): string {
  const { pid } = process;
  return `127.${1 + ((pid >> 8) & 127)}.${pid & 255}.${2 + Math.floor(index / CLIENTS_PER_LOCAL_ADDRESS)}`;
}
