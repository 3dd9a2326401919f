/**
 * All connections of one server, and the one interval that keeps their time.
 *
 * Idle timeouts, pings and the end of close handshakes are looked after in one sweep, late by a
 * tenth of the shortest of them or a second at most. What is due is the connection's own business.
 */
import type { Socket } from 'node:net';
import { type Cancellable, LIMITS, type Timers } from '../../base/index.ts';
import type { Connection, ConnectionEvents } from '../types.ts';
import { type ConnectionCare, type ConnectionRules, SocketConnection } from './connection.ts';
import type { FanOutWriter } from './fan-out-writer.ts';
import type { MessageCompression } from './message-compression.ts';
import type { SlowClientBounds } from './outbox.ts';

export type { ConnectionRules } from './connection.ts';

const SWEEP_MIN_MS = 10;
const SWEEP_MAX_MS = 1_000;
const SWEEPS_PER_TIMEOUT = 10;

/** Holds the connections and looks after them. */
export class ConnectionKeeper implements ConnectionCare {
  readonly writer: FanOutWriter;
  messageBytesMax: number;
  slowClient: SlowClientBounds;
  idleTimeoutMs: number;
  ping: { readonly intervalMs: number; readonly timeoutMs: number };
  readonly #connections = new Set<SocketConnection>();
  readonly #timers: Timers;
  #sweep: Cancellable;
  readonly #forgotten: () => void;

  /** `forgotten` is called after each connection that is gone. */
  constructor(
    rules: ConnectionRules,
    doors: { readonly writer: FanOutWriter; readonly timers: Timers; readonly forgotten?: () => void },
  ) {
    this.#forgotten = doors.forgotten ?? (() => {});
    this.writer = doors.writer;
    this.messageBytesMax = rules.messageBytesMax;
    this.slowClient = rules.slowClient;
    this.idleTimeoutMs = rules.idleTimeoutMs;
    this.ping = rules.ping;
    this.#timers = doors.timers;
    this.#sweep = doors.timers.every(sweepPeriodMs(rules), () => this.#look());
  }

  /** Times count for all connections from now on; bounds of messages and queues for new ones. */
  adjust(rules: ConnectionRules): void {
    this.messageBytesMax = rules.messageBytesMax;
    this.slowClient = rules.slowClient;
    this.idleTimeoutMs = rules.idleTimeoutMs;
    this.ping = rules.ping;
    this.#sweep.cancel();
    this.#sweep = this.#timers.every(sweepPeriodMs(rules), () => this.#look());
  }

  get size(): number {
    return this.#connections.size;
  }

  /**
   * Makes a connection of a socket that nobody else listens to any more. `compression`: what the
   * client agreed to, or null.
   */
  admit<Context>(
    socket: Socket,
    context: Context,
    events: ConnectionEvents<Context>,
    compression: MessageCompression | null = null,
  ): SocketConnection<Context> {
    const connection = new SocketConnection(socket, this, context, events, compression);
    this.#connections.add(connection as Connection as SocketConnection);
    return connection;
  }

  /** Called when the socket of `connection` is closed. */
  forget(connection: SocketConnection): void {
    this.#connections.delete(connection);
    this.#forgotten();
  }

  /** Cuts every connection that is not about to end by itself. */
  terminateOpen(): void {
    for (const connection of this.#connections) if (connection.open) connection.terminate();
  }

  /** Cuts every connection. */
  terminateAll(): void {
    for (const connection of this.#connections) connection.terminate();
  }

  /** No connection is looked after from now on. */
  stop(): void {
    this.#sweep.cancel();
  }

  #look(): void {
    const nowMs = this.writer.nowMs();
    for (const connection of this.#connections) connection.look(nowMs);
  }
}

function sweepPeriodMs(rules: ConnectionRules): number {
  let shortestMs: number = LIMITS.closeHandshakeMs;
  for (const timeoutMs of [rules.idleTimeoutMs, rules.ping.intervalMs, rules.ping.timeoutMs]) {
    if (timeoutMs > 0) shortestMs = Math.min(shortestMs, timeoutMs);
  }
  return Math.min(SWEEP_MAX_MS, Math.max(SWEEP_MIN_MS, Math.floor(shortestMs / SWEEPS_PER_TIMEOUT)));
}
