/**
 * One socket between two workers: frames in, frames out, one write a turn.
 *
 * Knows neither who is at the other end nor what frames mean. What waits to be written is bounded;
 * bytes that are no frames end the link. Driven by `SisterLink` on the dialling side and by
 * `MeshBus` on the listening side.
 */
import type { Duplex } from 'node:stream';
import { LIMITS, type Timers } from '../base/index.ts';
import { encodeFrame, FrameDecoder, type LinkFrame } from './frame-codec.ts';

/** Up to here copying frames into one piece is cheaper than handing them over one by one. */
const JOIN_BYTES_MAX = 1_024 * 1_024;

/** What a link tells its owner. */
export interface LinkEvents {
  onFrame(frame: LinkFrame): void;
  /** The link broke by itself, with the reason when the other end sent nonsense; called at most once. */
  onBroken(fault: string | null): void;
}

/** A link that is connected. */
export class Link {
  readonly #socket: Duplex;
  readonly #timers: Timers;
  readonly #events: LinkEvents;
  readonly #outboxBytesMax: number;
  readonly #decoder: FrameDecoder;
  #outbox: Uint8Array[] = [];
  #outboxBytes = 0;
  #over = false;

  constructor(
    socket: Duplex,
    doors: {
      readonly timers: Timers;
      readonly events: LinkEvents;
      readonly outboxBytesMax?: number;
      /** Until `trust` is called. */
      readonly strangerBytesMax?: number;
    },
  ) {
    this.#decoder = new FrameDecoder(doors.strangerBytesMax);
    this.#socket = socket;
    this.#timers = doors.timers;
    this.#events = doors.events;
    this.#outboxBytesMax = doors.outboxBytesMax ?? LIMITS.linkOutboxBytesMax;
    socket.on('data', (piece: Buffer) => this.#receive(piece));
    // Every error is followed by `close`, which says all that matters here.
    socket.on('error', () => {});
    socket.on('close', () => this.#break(null));
  }

  /** Bytes that were sent and that the kernel has not taken yet. */
  get waitingBytes(): number {
    return this.#outboxBytes + this.#socket.writableLength;
  }

  /** Sends at the end of the turn; false, and nothing is sent, when the link is over or too much waits. */
  send(frame: LinkFrame): boolean {
    const bytes = this.#over ? null : encodeFrame(frame);
    if (bytes === null || this.waitingBytes + bytes.length > this.#outboxBytesMax) return false;
    this.#outbox.push(bytes);
    this.#outboxBytes += bytes.length;
    if (this.#outbox.length === 1) this.#timers.endOfTurn(() => this.#flush());
    return true;
  }

  /** Whoever is at the other end has shown who it is: its frames may be as long as any. */
  trust(): void {
    this.#decoder.frameBytesMax = LIMITS.linkFrameBytesMax;
  }

  /** Ends the link by our own wish; its owner is not told. What was sent in this turn still goes. */
  cut(): void {
    this.#flush();
    this.#over = true;
    this.#socket.destroy();
  }

  #flush(): void {
    const outbox = this.#outbox;
    const total = this.#outboxBytes;
    this.#outbox = [];
    this.#outboxBytes = 0;
    if (this.#over || outbox.length === 0) return;
    if (outbox.length === 1) {
      this.#socket.write(outbox[0]);
    } else if (total <= JOIN_BYTES_MAX) {
      this.#socket.write(Buffer.concat(outbox, total));
    } else {
      this.#socket.cork();
      for (const bytes of outbox) this.#socket.write(bytes);
      this.#socket.uncork();
    }
  }

  #receive(piece: Buffer): void {
    for (const frame of this.#decoder.push(piece)) {
      // The frame before may have ended the link, and then the rest was never said.
      if (this.#over) return;
      this.#events.onFrame(frame);
    }
    if (this.#decoder.fault !== null) this.#break(this.#decoder.fault);
  }

  #break(fault: string | null): void {
    if (this.#over) return;
    this.#over = true;
    this.#socket.destroy();
    this.#events.onBroken(fault);
  }
}
