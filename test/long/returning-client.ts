/**
 * A client that comes back as pages do: the rules of `browser/reconnection.ts`, on bare sockets.
 *
 * Thousands of them fit into a process. Like a browser it learns nothing of a handshake that failed
 * and asks once more in plain HTTP. What it sees is counted by whoever owns it.
 */
import { connect as connectSocket } from 'node:net';
import {
  DEFAULT_BOUNDS,
  type Life,
  readRetryAfter,
  type SocketInput,
  type SocketOrder,
  step,
  UNBORN,
} from '../../browser/reconnection.ts';
import { LightClient } from '../support/light-client.ts';

/** Where a client connects, and who hears of it. */
export interface ReturningTarget {
  readonly port: number;
  readonly localAddress: string;
  /** Path and query of the handshake; the probe asks without the query. */
  readonly path: string;
  readonly watcher: ReturnWatcher;
}

/** Hears what happens to the clients of a process. */
export interface ReturnWatcher {
  /** A handshake begins. */
  attempted(client: ReturningClient): void;
  /** It failed; 0: without an answer. */
  refused(client: ReturningClient, status: number): void;
  probed(client: ReturningClient, status: number, retryAfterMs: number | null): void;
  opened(client: ReturningClient): void;
  /** An open connection is gone. */
  lost(client: ReturningClient, code: number): void;
  message(client: ReturningClient, text: string): void;
}

export class ReturningClient {
  readonly #target: ReturningTarget;
  #life: Life = UNBORN;
  #socket: LightClient | null = null;
  #timer: NodeJS.Timeout | undefined;
  /** Grows with each order, so that whatever comes late of the one before is not heard. */
  #attempt = 0;

  constructor(target: ReturningTarget) {
    this.#target = target;
  }

  get open(): boolean {
    return this.#life.state === 'open';
  }

  /** Begins, or gives up waiting and tries at once. */
  connect(): void {
    this.#life = UNBORN;
    this.#take({ type: 'connect' });
  }

  /** Breaks the connection with a reset and is back at the door in the same moment. */
  cut(): void {
    this.#socket?.reset();
    if (this.open) this.#target.watcher.lost(this, 1006);
    this.connect();
  }

  /** Ends it for good. */
  stop(): void {
    this.#take({ type: 'close' });
  }

  #take(input: SocketInput): void {
    const circumstances = { nowMs: performance.now(), fraction: Math.random(), online: true };
    const [life, order] = step(DEFAULT_BOUNDS, this.#life, input, circumstances);
    this.#life = life;
    clearTimeout(this.#timer);
    if (life.wakeAtMs !== null) {
      this.#timer = setTimeout(() => this.#take({ type: 'timer' }), life.wakeAtMs - performance.now());
    }
    if (order !== null) this.#carryOut(order);
  }

  #carryOut(order: NonNullable<SocketOrder>): void {
    this.#attempt++;
    this.#socket?.destroy();
    this.#socket = null;
    if (order === 'open') this.#open(this.#attempt);
    if (order === 'probe') this.#probe(this.#attempt);
  }

  #open(attempt: number): void {
    const { watcher, port, localAddress, path } = this.#target;
    watcher.attempted(this);
    const message = (_socket: LightClient, text: string): void => {
      if (attempt === this.#attempt) watcher.message(this, text);
    };
    // The answer may come with the first message, so it is passed on before that is read.
    const socket = LightClient.ask({ port, localAddress, path, message }, (status) => {
      if (attempt !== this.#attempt) return;
      if (status !== 101) {
        watcher.refused(this, status);
        return this.#take({ type: 'ended', code: 1006, reason: '' });
      }
      this.#take({ type: 'opened' });
      watcher.opened(this);
    });
    this.#socket = socket;
    void socket.closed.then(() => {
      if (attempt !== this.#attempt || !this.open) return;
      const code = socket.closeCode ?? 1006;
      watcher.lost(this, code);
      this.#take({ type: 'ended', code, reason: socket.closeReason });
    });
  }

  /** As `fetch` would ask, with a socket and without a parser. */
  #probe(attempt: number): void {
    const { watcher, port, localAddress } = this.#target;
    const socket = connectSocket({ host: '127.0.0.1', port, localAddress });
    let text = '';
    socket.setEncoding('latin1');
    socket.on('data', (chunk: string) => {
      text += chunk;
    });
    socket.on('error', () => {
      // `close` follows.
    });
    socket.on('close', () => {
      if (attempt !== this.#attempt) return;
      const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(text)?.[1] ?? 0);
      const value = /^retry-after: (.*)\r$/im.exec(text)?.[1] ?? null;
      const retryAfterMs = readRetryAfter(value, Date.now());
      watcher.probed(this, status, retryAfterMs);
      this.#take({ type: 'probed', httpStatus: status === 0 ? null : status, retryAfterMs });
    });
    socket.write('GET /connect HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n');
  }
}
