/**
 * Reads the frames a server sends, as cheaply as they can be read: no copies, no objects.
 *
 * It is not a WebSocket implementation: servers under test send whole, unmasked messages, compressed
 * only where the sink expects it; anything else is an error that ends the run. `Client` drives it
 * with each chunk.
 */

/** Gets every data message; `start` and `end` bound its payload in `buffer`. */
export interface MessageSink {
  message(client: number, buffer: Buffer, start: number, end: number, nowMs: number): void;
  /** A compressed one; absent: nobody agreed to it. */
  compressed?(client: number, buffer: Buffer, start: number, end: number, nowMs: number): void;
}

const OPCODE_TEXT = 1;
const OPCODE_BINARY = 2;
const OPCODE_CLOSE = 8;
const RSV1 = 0x40;

/** Hands each whole frame of `buffer[start, end)` to the sink; returns where the first partial one begins. */
export function walkFrames(
  buffer: Buffer,
  start: number,
  end: number,
  sink: MessageSink,
  client: number,
  nowMs: number,
): number {
  let at = start;
  while (end - at >= 2) {
    const first = buffer[at] as number;
    let length = buffer[at + 1] as number;
    let payload = at + 2;
    if (length >= 126) {
      if (length > 127) throw new Error('the server masked a frame');
      payload += length === 126 ? 2 : 8;
      if (payload > end) break;
      length = length === 126 ? buffer.readUInt16BE(at + 2) : Number(buffer.readBigUInt64BE(at + 2));
    }
    const next = payload + length;
    if (next > end) break;
    const opcode = first & 0x0f;
    if ((first & RSV1) !== 0) {
      if (sink.compressed === undefined) throw new Error('the server compressed a message unasked');
      sink.compressed(client, buffer, payload, next, nowMs);
    } else if (opcode === OPCODE_TEXT || opcode === OPCODE_BINARY)
      sink.message(client, buffer, payload, next, nowMs);
    else if (opcode === OPCODE_CLOSE)
      throw new Error(`the server closed: ${closeText(buffer, payload, next)}`);
    at = next;
  }
  return at;
}

function closeText(buffer: Buffer, start: number, end: number): string {
  if (end - start < 2) return 'no code';
  return `${buffer.readUInt16BE(start)} ${buffer.toString('utf8', start + 2, end)}`;
}
