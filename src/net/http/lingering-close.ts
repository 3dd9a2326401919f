/**
 * Closes sockets whose clients are still sending, so that they get to read the last answer.
 *
 * Closing a socket with unread bytes makes the kernel send a reset, and a reset makes clients throw
 * away the answer that explains it. So our side is ended, what arrives is thrown away for a short
 * while, and then the socket is cut. The server's sweep keeps the time.
 */
import type { Socket } from 'node:net';
import type { Clock } from '../../base/index.ts';
import { closingResponse, type PlainAnswer } from './plain-response.ts';

/** Long enough for an answer to cross a slow network once, short enough to hold few sockets. */
const LINGER_MS = 2_000;
const LINGER_BYTES_MAX = 1_024 * 1_024;

/** Sockets that were answered for the last time. */
export class LingeringClose {
  readonly #clock: Clock;
  readonly #deadlines = new Map<Socket, { readonly atMs: number; readonly bytesReadMax: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Answers for the last time, and cuts the socket when the client has left or time is up. */
  answer(socket: Socket, answer: PlainAnswer): void {
    this.#last(socket, () => socket.end(closingResponse(answer, this.#clock.wallMs())));
  }

  /** The same for a socket to which the last answer was written by somebody else. */
  end(socket: Socket): void {
    this.#last(socket, () => socket.end());
  }

  #last(socket: Socket, end: () => void): void {
    if (socket.destroyed) return;
    socket.on('error', ignore);
    if (!socket.writable) {
      socket.destroy();
      return;
    }
    this.#deadlines.set(socket, {
      atMs: this.#clock.monotonicMs() + LINGER_MS,
      bytesReadMax: socket.bytesRead + LINGER_BYTES_MAX,
    });
    socket.once('close', () => this.#deadlines.delete(socket));
    end();
    socket.resume();
  }

  /** Cuts what has lingered long enough. */
  sweep(): void {
    if (this.#deadlines.size === 0) return;
    const nowMs = this.#clock.monotonicMs();
    for (const [socket, deadline] of this.#deadlines) {
      if (nowMs >= deadline.atMs || socket.bytesRead > deadline.bytesReadMax) socket.destroy();
    }
  }

  /** Cuts all of them. */
  cut(): void {
    for (const socket of this.#deadlines.keys()) socket.destroy();
  }
}

/** Cuts a socket so that what was said on it cannot pass for the whole, where that is possible. */
export function breakOff(socket: Socket): void {
  if (socket.destroyed) return;
  try {
    socket.resetAndDestroy();
  } catch {
    // Neither TLS nor unix sockets know a reset.
    socket.destroy();
  }
}

function ignore(): void {
  // The client may reset the connection at any time; `close` follows.
}
