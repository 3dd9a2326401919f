/**
 * Writers in etcd's own protocol, gRPC over HTTP/2 without TLS: what its clients in Go speak.
 *
 * Only for the figure beside the JSON one. It knows just enough of gRPC for a call with one message
 * each way; the writers share a connection, as gRPC clients do.
 */
import { type ClientHttp2Session, connect } from 'node:http2';
import type { Load } from '../load/load.ts';
import type { MeasuringWindow } from '../load/measuring-window.ts';
import type { Address } from '../load/orders.ts';
import { putFrame } from './writes.ts';

const HEADERS = {
  ':method': 'POST',
  ':path': '/etcdserverpb.KV/Put',
  'content-type': 'application/grpc',
  te: 'trailers',
};

/** The commit load over gRPC. */
export class GrpcLoad implements Load {
  readonly #window: MeasuringWindow;
  readonly #session: ClientHttp2Session;
  readonly #inFlight: number;
  #busy = 0;
  #stopped: (() => void) | null = null;

  constructor(options: {
    readonly window: MeasuringWindow;
    readonly address: Address;
    readonly inFlight: number;
  }) {
    this.#window = options.window;
    this.#inFlight = options.inFlight;
    this.#session = connect(`http://${options.address.host}:${options.address.port}`);
  }

  start(): void {
    this.#busy = this.#inFlight;
    for (let index = 0; index < this.#inFlight; index += 1) this.#send();
  }

  stop(done: () => void): void {
    this.#stopped = () => {
      this.#session.destroy();
      done();
    };
  }

  missing(): string {
    return `${this.#busy} of ${this.#inFlight} calls are not acknowledged`;
  }

  #send(): void {
    const sentMs = performance.now();
    const call = this.#session.request(HEADERS);
    let status: unknown = 'none';
    call.on('trailers', (trailers) => {
      status = trailers['grpc-status'];
    });
    call.on('end', () => {
      if (status !== '0') throw new Error(`a call was answered with grpc-status ${status}`);
      this.#answered(performance.now() - sentMs);
    });
    call.resume();
    call.end(putFrame());
  }

  #answered(latencyMs: number): void {
    this.#window.count(latencyMs);
    if (this.#stopped === null) {
      this.#send();
      return;
    }
    this.#busy -= 1;
    if (this.#busy === 0) this.#stopped();
  }
}
