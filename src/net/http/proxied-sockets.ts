/**
 * Takes the PROXY protocol's header off accepted sockets before HTTP sees them.
 *
 * Only peers that are trusted may speak, within bounds of bytes and time; everybody else is cut
 * without a word, since an answer in HTTP would only help those who look for open doors. What the
 * header says is kept with the socket; `remoteAddressOf` reads it.
 */
import type { Socket } from 'node:net';
import type { Cancellable, Clock, Logger, Timers } from '../../base/index.ts';
import { ProxyHeaderReader } from './proxy-header.ts';

/** Why a socket is cut: its peer may not speak, its header is none, or does not come in time. */
export type ProxyRefusal = 'untrusted' | 'malformed' | 'timeout';

/** Whose headers are believed, and who hears of the others. */
export interface ProxyProtocolRule {
  /** Whether the peer with that address (empty: a unix socket) may say who its client is. */
  trusts(peer: string): boolean;
  /** A socket is cut. */
  refused(cause: ProxyRefusal): void;
}

/** What the sockets of one listener are judged by. */
export interface ProxiedSocketsDoors {
  readonly rule: ProxyProtocolRule;
  /** Gets each socket whose header has been read, with what follows it unread. */
  proceed(socket: Socket): void;
  /** How long a header may take. */
  readonly timeoutMs: number;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly logger: Logger;
}

const REFUSALS: Readonly<Record<ProxyRefusal, string>> = {
  untrusted: 'the peer is not trusted',
  malformed: 'no header of the PROXY protocol',
  timeout: 'the header took too long',
};

const SOURCE = Symbol('proxied source');
const GREETING = Symbol('greeting');
type ProxiedSocket = Socket & { [SOURCE]?: string; [GREETING]?: Greeting | undefined };

/** How often headers that are overdue are looked for. */
const SWEEPS_PER_TIMEOUT = 10;
const SWEEP_MIN_MS = 10;

interface Greeting {
  readonly owner: ProxiedSockets;
  readonly reader: ProxyHeaderReader;
  readonly deadlineMs: number;
}

/** The client's address: what a trusted proxy said, else that of the peer; empty for a unix socket. */
export function remoteAddressOf(socket: Socket): string {
  return (socket as ProxiedSocket)[SOURCE] ?? socket.remoteAddress ?? '';
}

/** Lets `to`, which speaks over the socket `from`, come from the same client. */
export function keepSource(from: Socket, to: Socket): void {
  const source = (from as ProxiedSocket)[SOURCE];
  if (source !== undefined) (to as ProxiedSocket)[SOURCE] = source;
}

/** The sockets of one listener whose header is still to come. */
export class ProxiedSockets {
  readonly #doors: ProxiedSocketsDoors;
  readonly #waiting = new Set<ProxiedSocket>();
  #sweep: Cancellable;
  #timeoutMs: number;

  constructor(doors: ProxiedSocketsDoors) {
    this.#doors = doors;
    this.#timeoutMs = doors.timeoutMs;
    this.#sweep = this.#sweepEvery(doors.timeoutMs);
  }

  /** From now on a header may take this long. */
  adjust(timeoutMs: number): void {
    this.#timeoutMs = timeoutMs;
    this.#sweep.cancel();
    this.#sweep = this.#sweepEvery(timeoutMs);
  }

  /** A socket that was just accepted. */
  take(socket: ProxiedSocket): void {
    socket.on('error', onError);
    if (!this.#doors.rule.trusts(socket.remoteAddress ?? '')) return this.#cut(socket, 'untrusted');
    const deadlineMs = this.#doors.clock.monotonicMs() + this.#timeoutMs;
    socket[GREETING] = { owner: this, reader: new ProxyHeaderReader(), deadlineMs };
    this.#waiting.add(socket);
    socket.on('data', onData);
    socket.on('end', onEnd);
    socket.on('close', onEnd);
  }

  /** Cuts what is still waiting, and watches nobody any more. */
  stop(): void {
    this.#sweep.cancel();
    for (const socket of this.#waiting) this.gone(socket);
  }

  /** More bytes of a header. */
  read(socket: ProxiedSocket, { reader }: Greeting, chunk: Buffer): void {
    const header = reader.read(chunk);
    if (header.type === 'incomplete') return;
    if (header.type === 'malformed') return this.#cut(socket, 'malformed');
    this.#release(socket);
    socket.off('error', onError);
    if (header.source !== null) socket[SOURCE] = header.source;
    // Given back before HTTP listens, so that it comes first whoever reads next.
    if (header.byteLength < chunk.length) socket.unshift(chunk.subarray(header.byteLength));
    this.#doors.proceed(socket);
  }

  /** The peer has left before its header was whole. */
  gone(socket: ProxiedSocket): void {
    this.#release(socket);
    socket.destroy();
  }

  #sweepEvery(timeoutMs: number): Cancellable {
    const periodMs = Math.max(SWEEP_MIN_MS, Math.floor(timeoutMs / SWEEPS_PER_TIMEOUT));
    return this.#doors.timers.every(periodMs, () => this.#cutOverdue());
  }

  #cutOverdue(): void {
    const nowMs = this.#doors.clock.monotonicMs();
    for (const socket of this.#waiting) {
      if (nowMs >= (socket[GREETING] as Greeting).deadlineMs) this.#cut(socket, 'timeout');
    }
  }

  /** Counted, and logged at `debug` only: whoever dials at random should not fill a log. */
  #cut(socket: ProxiedSocket, refusal: ProxyRefusal): void {
    const { logger, rule } = this.#doors;
    logger.debug({ peer: socket.remoteAddress, cause: REFUSALS[refusal] }, 'a socket was refused');
    rule.refused(refusal);
    this.gone(socket);
  }

  #release(socket: ProxiedSocket): void {
    this.#waiting.delete(socket);
    socket[GREETING] = undefined;
    socket.off('data', onData);
    socket.off('end', onEnd);
    socket.off('close', onEnd);
  }
}

function onData(this: ProxiedSocket, chunk: Buffer): void {
  const greeting = this[GREETING];
  greeting?.owner.read(this, greeting, chunk);
}

function onEnd(this: ProxiedSocket): void {
  this[GREETING]?.owner.gone(this);
}

function onError(): void {
  // `close` follows in every case.
}
