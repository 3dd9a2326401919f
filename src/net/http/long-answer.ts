/**
 * An answer that is made while it is sent, no faster than its client takes it.
 *
 * One part is under way at a time: the next one is asked for when the kernel has taken the last, so
 * that whoever makes the parts never holds more than one of them.
 */
import type { ServerResponse } from 'node:http';
import type { LongAnswer } from '../types.ts';
import { breakOff } from './lingering-close.ts';

/** One such answer over a response of node:http whose head is written. */
export class StreamedAnswer implements LongAnswer {
  readonly #response: ServerResponse;
  #gone = false;
  #waiting: ((alive: boolean) => void) | null = null;

  constructor(response: ServerResponse, status: number, lines: readonly string[]) {
    this.#response = response;
    response.on('error', ignore);
    // The response says nothing of a client that leaves while answers before this one are still due.
    response.req.socket.once('close', () => {
      this.#gone = true;
      this.#settle(false);
    });
    this.#gone = response.req.socket.destroyed;
    if (!this.#gone) response.writeHead(status, lines as string[]);
  }

  write(part: Uint8Array, done: (alive: boolean) => void): void {
    if (this.#gone) return queueMicrotask(() => done(false));
    this.#waiting = done;
    this.#response.write(part, (error) => this.#settle(!error && !this.#gone));
  }

  end(): void {
    if (!this.#gone) this.#response.end();
  }

  breakOff(): void {
    breakOff(this.#response.req.socket);
  }

  #settle(alive: boolean): void {
    const waiting = this.#waiting;
    this.#waiting = null;
    waiting?.(alive);
  }
}

function ignore(): void {
  // The socket's `close` follows.
}
