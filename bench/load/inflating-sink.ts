/**
 * Reads compressed messages for a load that knows them only as they are.
 *
 * Neither server keeps state between messages, so all clients get the same bytes: each message is
 * inflated once and found again by its compressed bytes. Whether every client got the right one is
 * still checked, by the load.
 */
import { constants, inflateRawSync } from 'node:zlib';
import type { MessageSink } from './frame-walker.ts';

const TAIL = Buffer.from([0x00, 0x00, 0xff, 0xff]);
/** More than are in flight at once; then all are forgotten. */
const KNOWN_MAX = 256;

/** Stands before the sink of a load. */
export class InflatingSink implements MessageSink {
  readonly #sink: MessageSink;
  readonly #known = new Map<string, Buffer>();

  constructor(sink: MessageSink) {
    this.#sink = sink;
  }

  /** A message that is not compressed: all of them should be. */
  message(client: number): void {
    throw new Error(`client ${client} got a message that is not compressed`);
  }

  compressed(client: number, buffer: Buffer, start: number, end: number, nowMs: number): void {
    const bytes = buffer.toString('latin1', start, end);
    let message = this.#known.get(bytes);
    if (message === undefined) {
      message = inflate(buffer.subarray(start, end));
      if (this.#known.size === KNOWN_MAX) this.#known.clear();
      this.#known.set(bytes, message);
    }
    this.#sink.message(client, message, 0, message.length, nowMs);
  }
}

function inflate(payload: Buffer): Buffer {
  return inflateRawSync(Buffer.concat([payload, TAIL]), { finishFlush: constants.Z_SYNC_FLUSH });
}
