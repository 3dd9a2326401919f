/**
 * Bytes both ways between a client and a backend, after they have agreed on a WebSocket.
 *
 * What is said is none of our business: nothing is parsed, nothing is kept beyond what the slower
 * side has not taken. Either side may end before the other; a side that breaks takes the other along.
 */
import type { Socket } from 'node:net';
import type { Swept } from './forwarding.ts';
import type { UpstreamLimits } from './upstream-types.ts';

/** What tunnels share. */
export interface TunnelDoors {
  readonly limits: UpstreamLimits;
  nowMs(): number;
  /** Called once, when both sides are closed. */
  closed(tunnel: Tunnel): void;
}

/** How often a silent peer is asked by TCP whether it is still there. */
const PROBE_MS = 30_000;

/** One pair of sockets. */
export class Tunnel implements Swept {
  /** Bytes from the client, and to it. */
  requestBytes = 0;
  answerBytes = 0;
  readonly #client: Socket;
  readonly #backend: Socket;
  readonly #doors: TunnelDoors;
  #open = 2;
  /** One side has said its last word. */
  #halfEnded = false;
  #movedAtMs: number;

  constructor(client: Socket, backend: Socket, doors: TunnelDoors) {
    this.#client = client;
    this.#backend = backend;
    this.#doors = doors;
    this.#movedAtMs = doors.nowMs();
    this.#join(client, backend, (bytes) => {
      this.requestBytes += bytes;
    });
    this.#join(backend, client, (bytes) => {
      this.answerBytes += bytes;
    });
  }

  check(nowMs: number): void {
    const { tunnelIdleTimeoutMs, idleTimeoutMs } = this.#doors.limits;
    const boundMs = this.#halfEnded ? idleTimeoutMs : tunnelIdleTimeoutMs;
    if (boundMs > 0 && nowMs - this.#movedAtMs >= boundMs) this.abort();
  }

  /** Ends both sides in order; they may still say what they have to say. */
  end(): void {
    this.#halfEnded = true;
    this.#client.end();
    this.#backend.end();
  }

  abort(): void {
    this.#client.destroy();
    this.#backend.destroy();
  }

  #join(from: Socket, to: Socket, count: (bytes: number) => void): void {
    let ended = false;
    from.setTimeout(0);
    from.setNoDelay(true);
    from.setKeepAlive(true, PROBE_MS);
    from.on('data', (chunk: Buffer) => {
      count(chunk.length);
      this.#movedAtMs = this.#doors.nowMs();
      if (to.writable && !to.write(chunk)) from.pause();
    });
    to.on('drain', () => {
      this.#movedAtMs = this.#doors.nowMs();
      from.resume();
    });
    from.on('end', () => {
      ended = true;
      this.#halfEnded = true;
      to.end();
    });
    from.on('error', ignore);
    from.on('close', () => {
      if (!ended) to.destroy();
      // Whoever still waits to be taken has nobody to be taken by.
      else to.resume();
      this.#open--;
      if (this.#open === 0) this.#doors.closed(this);
    });
    if (from.destroyed) to.destroy();
    else from.resume();
  }
}

function ignore(): void {
  // `close` follows in every case.
}
