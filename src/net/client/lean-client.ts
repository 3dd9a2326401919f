/**
 * A client for many small calls to one server that is no stranger: keep-alive, and little else.
 *
 * It follows no redirect, repeats nothing, asks no proxy and reads no environment; when more calls
 * wait than may, the oldest is given up, as on a network that drops. Half as costly as the client of
 * callbacks, which is made for servers of every kind (`http-client.ts`).
 */
import type { ConnectionOptions } from 'node:tls';
import {
  BoundedQueue,
  type Cancellable,
  type Clock,
  failed,
  type Result,
  type Timers,
} from '../../base/index.ts';
import type { HttpAnswer, HttpFailure } from '../types.ts';
import { LeanConnection, type LeanEvents, type LeanRequest } from './lean-connection.ts';

/** Where calls go, how many at once, and the doors. */
export interface LeanClientOptions {
  /** Scheme, host and port count; the path does not. */
  readonly url: URL;
  readonly connectionsMax: number;
  /** Calls that wait for a connection; then the oldest is given up. */
  readonly waitingMax: number;
  readonly idleMs: number;
  readonly dialTimeoutMs: number;
  /** How TLS is spoken by the next connection. Asked for `https:` only; absent: as Node does it. */
  readonly tls?: (() => ConnectionOptions) | null;
  readonly clock: Clock;
  readonly timers: Timers;
}

/** One call. */
export interface LeanCall extends LeanRequest {
  /** From now to the last byte of the answer, waiting and dialling included. */
  readonly timeoutMs: number;
}

type Done = (outcome: Result<HttpAnswer, HttpFailure>) => void;

interface RunningCall {
  readonly call: LeanCall;
  readonly done: Done;
  readonly deadlineMs: number;
  connection: LeanConnection | null;
  isOver: boolean;
}

const PATH = /^\/[\x21-\x7e]*$/;

/** Makes calls to one server. */
export class LeanClient implements LeanEvents {
  readonly #options: LeanClientOptions;
  readonly #connections = new Map<LeanConnection, RunningCall | null>();
  /** Used last, taken first: as few as possible stay warm, and a call follows the one before it. */
  readonly #idle: LeanConnection[] = [];
  readonly #waiting: BoundedQueue<RunningCall>;
  readonly #sweep: Cancellable;
  readonly #running = new Set<RunningCall>();
  /** One for all calls: nearly each of them is over long before it would need one of its own. */
  #alarm: { readonly dueMs: number; readonly cancellable: Cancellable } | null = null;
  #closed = false;

  constructor(options: LeanClientOptions) {
    this.#options = options;
    this.#waiting = new BoundedQueue(options.waitingMax);
    this.#sweep = options.timers.every(options.idleMs / 2, () => this.#dropIdle());
  }

  /** Connections, the idle ones included. */
  get sockets(): number {
    return this.#connections.size;
  }

  /** Makes a call, now or when there is a connection. `done` is called once, never within `call`. */
  call(call: LeanCall, done: Done): void {
    if (this.#closed || !PATH.test(call.path)) {
      const message = this.#closed ? 'the client is closed' : 'the path cannot be written';
      queueMicrotask(() => done(failed({ kind: 'bad_url', message })));
      return;
    }
    const deadlineMs = this.#options.clock.monotonicMs() + call.timeoutMs;
    const running: RunningCall = { call, done, deadlineMs, connection: null, isOver: false };
    this.#running.add(running);
    this.#setAlarm(deadlineMs);
    if (this.#start(running)) return;
    if (this.#waiting.push(running)) return;
    const oldest = this.#waiting.shift();
    if (oldest !== undefined) this.#dropSoon(oldest);
    if (!this.#waiting.push(running)) this.#dropSoon(running);
  }

  /** Gives up all calls and all connections. */
  close(): void {
    this.#closed = true;
    this.#sweep.cancel();
    const failure = { kind: 'unreachable', message: 'the client was closed' } as const;
    for (const waiting of this.#waiting.drain()) this.#finish(waiting, failed(failure));
    for (const connection of [...this.#connections.keys()]) connection.cut(failure);
    this.#alarm?.cancellable.cancel();
  }

  /** Of a connection of this client. */
  settled(connection: LeanConnection, outcome: Result<HttpAnswer, HttpFailure>): void {
    const running = this.#connections.get(connection) ?? null;
    this.#connections.set(connection, null);
    if (connection.isOpen) {
      connection.idleSinceMs = this.#options.clock.monotonicMs();
      this.#idle.push(connection);
    } else {
      this.#connections.delete(connection);
    }
    this.#startNext();
    if (running !== null) this.#finish(running, outcome);
  }

  /** Of a connection of this client. */
  closed(connection: LeanConnection): void {
    this.#connections.delete(connection);
    const place = this.#idle.indexOf(connection);
    if (place !== -1) this.#idle.splice(place, 1);
    this.#startNext();
  }

  #start(running: RunningCall): boolean {
    const connection = this.#takeIdle() ?? this.#dial();
    if (connection === null) return false;
    running.connection = connection;
    this.#connections.set(connection, running);
    connection.carry(running.call);
    return true;
  }

  #takeIdle(): LeanConnection | null {
    for (;;) {
      const connection = this.#idle.pop();
      if (connection === undefined) return null;
      // The other side may have left a moment ago.
      if (connection.isOpen) return connection;
    }
  }

  #startNext(): void {
    while (!this.#closed) {
      const next = this.#waiting.peek();
      if (next === undefined) return;
      if (!next.isOver && !this.#start(next)) return;
      this.#waiting.shift();
    }
  }

  #dial(): LeanConnection | null {
    const { url, connectionsMax, dialTimeoutMs, timers, tls } = this.#options;
    if (this.#connections.size >= connectionsMax) return null;
    const secure = url.protocol === 'https:';
    const host = url.hostname.replace(/^\[|\]$/g, '');
    const port = Number(url.port || (secure ? 443 : 80));
    const place = { host, port, shown: url.host, tls: secure ? (tls?.() ?? {}) : null };
    const connection = new LeanConnection(place, this);
    timers.after(dialTimeoutMs, () => {
      if (!connection.isDialling) return;
      connection.cut({ kind: 'unreachable', message: `${url.host}: no connection in ${dialTimeoutMs} ms` });
    });
    return connection;
  }

  #setAlarm(dueMs: number): void {
    if (this.#alarm !== null && this.#alarm.dueMs <= dueMs) return;
    this.#alarm?.cancellable.cancel();
    const { clock, timers } = this.#options;
    const cancellable = timers.after(dueMs - clock.monotonicMs(), () => this.#lookForOverdue());
    this.#alarm = { dueMs, cancellable };
  }

  #lookForOverdue(): void {
    this.#alarm = null;
    const nowMs = this.#options.clock.monotonicMs();
    let nextMs = Number.POSITIVE_INFINITY;
    for (const running of [...this.#running]) {
      if (running.deadlineMs <= nowMs) this.#overdue(running);
      else nextMs = Math.min(nextMs, running.deadlineMs);
    }
    if (Number.isFinite(nextMs)) this.#setAlarm(nextMs);
  }

  #overdue(running: RunningCall): void {
    const { call, connection } = running;
    const failure = { kind: 'timeout', message: `no answer within ${call.timeoutMs} ms` } as const;
    // The answer may still come, and would be taken for that to the next call.
    if (connection !== null && this.#connections.get(connection) === running) connection.cut(failure);
    else this.#finish(running, failed(failure));
  }

  #dropSoon(running: RunningCall): void {
    const message = `more than ${this.#options.waitingMax} calls wait`;
    queueMicrotask(() => this.#finish(running, failed({ kind: 'busy', message })));
  }

  #finish(running: RunningCall, outcome: Result<HttpAnswer, HttpFailure>): void {
    if (running.isOver) return;
    running.isOver = true;
    this.#running.delete(running);
    running.done(outcome);
  }

  #dropIdle(): void {
    const { clock, idleMs } = this.#options;
    const nowMs = clock.monotonicMs();
    const stale = this.#idle.filter(({ idleSinceMs }) => nowMs - idleSinceMs >= idleMs);
    for (const connection of stale) connection.cut({ kind: 'unreachable', message: 'idle' });
  }
}
