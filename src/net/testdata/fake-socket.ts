/**
 * A socket without a network, for tests of what is written when.
 *
 * It takes writes at once, as a kernel with room does, until it is told to stall; then one write
 * stays in its hands until `release`. Bytes of the client are given by `say`, synchronously.
 */
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';

/** Stands in for a `Socket`. */
export class FakeSocket extends Duplex {
  /** Chunks taken so far, the very buffers that were written. Empty writes are left out. */
  readonly taken: Buffer[] = [];
  stalled = false;
  ended = false;
  #held: (() => void) | null = null;

  constructor() {
    super({ allowHalfOpen: true });
  }

  /** As the code under test wants to see it. */
  get socket(): Socket {
    return this as unknown as Socket;
  }

  override _read(): void {
    // Bytes are given by `say` alone.
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    if (chunk.length > 0) this.taken.push(chunk);
    if (this.stalled && chunk.length > 0) this.#held = done;
    else done();
  }

  override _final(done: () => void): void {
    this.ended = true;
    done();
  }

  say(bytes: Uint8Array): void {
    this.emit('data', Buffer.from(bytes));
  }

  /** Takes the write that is held, and all further ones at once unless `stalled` is set again. */
  async release(): Promise<void> {
    this.stalled = false;
    this.#held?.();
    this.#held = null;
    await new Promise((resolve) => setImmediate(resolve));
  }

  /** Everything taken, as one piece. */
  get bytes(): Buffer {
    return Buffer.concat(this.taken);
  }
}
