/**
 * Writers over HTTP/1.1: each keeps a connection of its own and sends its next write when the last
 * was acknowledged.
 *
 * An answer that is no acknowledgement ends the run: a cluster that refuses is not slow but broken.
 */
import { HttpCaller } from '../load/http-caller.ts';
import type { Load } from '../load/load.ts';
import type { MeasuringWindow } from '../load/measuring-window.ts';
import type { Address } from '../load/orders.ts';
import type { Protocol } from './orders.ts';
import { isAcknowledged, writeRequest } from './writes.ts';

/** The commit load over HTTP/JSON. */
export class CommitLoad implements Load {
  readonly #window: MeasuringWindow;
  readonly #host: string;
  readonly #protocol: Exclude<Protocol, 'etcd_grpc'>;
  readonly #callers: HttpCaller[] = [];
  readonly #sentMs: number[] = [];
  #busy = 0;
  #stopped: (() => void) | null = null;

  constructor(options: {
    readonly window: MeasuringWindow;
    readonly address: Address;
    readonly protocol: Exclude<Protocol, 'etcd_grpc'>;
    readonly inFlight: number;
  }) {
    const { address, protocol } = options;
    this.#window = options.window;
    this.#protocol = protocol;
    this.#host = `${address.host}:${address.port}`;
    const isSuccess = (head: string, body: string): boolean => isAcknowledged(protocol, head, body);
    for (let index = 0; index < options.inFlight; index += 1) {
      this.#callers.push(new HttpCaller(address, () => this.#answered(index), isSuccess));
    }
  }

  start(): void {
    this.#busy = this.#callers.length;
    for (let index = 0; index < this.#callers.length; index += 1) this.#send(index);
  }

  stop(done: () => void): void {
    this.#stopped = done;
  }

  missing(): string {
    return `${this.#busy} of ${this.#callers.length} writes are not acknowledged`;
  }

  #answered(index: number): void {
    this.#window.count(performance.now() - (this.#sentMs[index] as number));
    if (this.#stopped === null) {
      this.#send(index);
      return;
    }
    this.#callers[index]?.close();
    this.#busy -= 1;
    if (this.#busy === 0) this.#stopped();
  }

  #send(index: number): void {
    this.#sentMs[index] = performance.now();
    this.#callers[index]?.post(writeRequest(this.#protocol, this.#host));
  }
}
