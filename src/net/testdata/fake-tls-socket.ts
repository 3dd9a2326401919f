/**
 * A TLS socket without a network: its kernel takes writes at once, and it says so a turn later.
 *
 * With `stalled` the kernel takes nothing, either.
 */
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';

/** Stands in for a `TLSSocket` over a `Socket`. */
export class FakeTlsSocket extends Duplex {
  readonly taken: Buffer[] = [];
  stalled = false;
  /** What node:tls keeps of the socket below. */
  readonly _parent = { _handle: { writeQueueSize: 0 } };
  #held: (() => void) | null = null;

  constructor() {
    super({ allowHalfOpen: true });
  }

  /** As the code under test wants to see it. */
  get socket(): Socket {
    return this as unknown as Socket;
  }

  /** A write, of no bytes perhaps, that is not said to be done. */
  get busy(): boolean {
    return this.#held !== null;
  }

  override _read(): void {
    // Nothing is ever said.
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    if (chunk.length > 0) this.taken.push(chunk);
    if (this.stalled) this._parent._handle.writeQueueSize += chunk.length;
    this.#held = done;
  }

  /** The turn after a write: what the kernel took is done. */
  async turn(): Promise<void> {
    this.stalled = false;
    this._parent._handle.writeQueueSize = 0;
    const done = this.#held;
    this.#held = null;
    done?.();
    await new Promise((resolve) => setImmediate(resolve));
  }
}
