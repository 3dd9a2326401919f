/**
 * WebSocket frames as a server writes them: unmasked, never fragmented.
 *
 * Only the making of frames; reading them is the business of `frame-receiver.ts`. A data frame is
 * made once for any number of connections, which is why it is one buffer, header included.
 */
import { assert } from '../../base/index.ts';
import type { Frame } from '../types.ts';

const FINAL = 0x80;
/** RFC 7692 section 6: the message is compressed. */
const RSV1 = 0x40;
const TEXT = 0x1;
const BINARY = 0x2;
const CLOSE = 0x8;
const PING = 0x9;
const PONG = 0xa;

const LENGTH_7_BITS_MAX = 125;
const LENGTH_16_BITS_MAX = 0xffff;
/** RFC 6455 section 5.5: a control frame carries no more, a close frame two of them for its code. */
const CONTROL_BYTES_MAX = 125;

/** Says "no code" in `ConnectionEnd`; on the wire it is a close frame without a payload. */
export const NO_CLOSE_CODE = 1005;

/** What a `Frame` is inside this room. */
export class EncodedFrame implements Frame {
  readonly bytes: Buffer;
  readonly byteLength: number;
  /** What the frame adds to a count of messages: control frames add nothing. */
  readonly messages: number;
  /** The same message compressed; the frame itself where that is not worth it; null: nobody asked. */
  compressed: EncodedFrame | null = null;

  constructor(bytes: Buffer, messages: number) {
    this.bytes = bytes;
    this.byteLength = bytes.length;
    this.messages = messages;
  }
}

/** Frames one message, whatever its size. The payload is copied. */
export function encodeFrame(payload: Uint8Array, binary: boolean): Frame {
  return new EncodedFrame(encode(binary ? BINARY : TEXT, payload), 1);
}

/** The payload of a frame as it was encoded. */
export function payloadOf({ bytes }: EncodedFrame): Buffer {
  const length = (bytes[1] as number) & 0x7f;
  if (length <= LENGTH_7_BITS_MAX) return bytes.subarray(2);
  return bytes.subarray(length === 126 ? 4 : 10);
}

/** A data frame in compressed form; `compressed` is its payload as RFC 7692 writes it. */
export function encodeCompressed(plain: EncodedFrame, compressed: Uint8Array): EncodedFrame {
  const opcode = (plain.bytes[0] as number) & 0x0f;
  return new EncodedFrame(encode(opcode, compressed, RSV1), plain.messages);
}

/** A close frame; without a payload for `NO_CLOSE_CODE`. A long reason is cut between characters. */
export function encodeClose(code: number, reason: string): EncodedFrame {
  if (code === NO_CLOSE_CODE) return new EncodedFrame(encode(CLOSE, new Uint8Array(0)), 0);
  const text = cutUtf8(Buffer.from(reason), CONTROL_BYTES_MAX - 2);
  const payload = Buffer.allocUnsafe(2 + text.length);
  payload.writeUInt16BE(code, 0);
  text.copy(payload, 2);
  return new EncodedFrame(encode(CLOSE, payload), 0);
}

/** A ping frame. */
export function encodePing(payload: Uint8Array): EncodedFrame {
  return new EncodedFrame(encode(PING, payload), 0);
}

/** A pong frame with the payload of the ping that it answers. */
export function encodePong(payload: Uint8Array): EncodedFrame {
  return new EncodedFrame(encode(PONG, payload), 0);
}

function encode(opcode: number, payload: Uint8Array, reservedBits = 0): Buffer {
  const length = payload.length;
  assert(opcode < CLOSE || length <= CONTROL_BYTES_MAX, 'a control frame carries at most 125 bytes');
  const first = FINAL | reservedBits | opcode;
  if (length <= LENGTH_7_BITS_MAX) {
    const bytes = Buffer.allocUnsafe(2 + length);
    bytes[0] = first;
    bytes[1] = length;
    bytes.set(payload, 2);
    return bytes;
  }
  if (length <= LENGTH_16_BITS_MAX) {
    const bytes = Buffer.allocUnsafe(4 + length);
    bytes[0] = first;
    bytes[1] = 126;
    bytes.writeUInt16BE(length, 2);
    bytes.set(payload, 4);
    return bytes;
  }
  const bytes = Buffer.allocUnsafe(10 + length);
  bytes[0] = first;
  bytes[1] = 127;
  // A length beyond 2^48 cannot be allocated, so the two highest bytes are always zero.
  bytes.writeUInt16BE(0, 2);
  bytes.writeUIntBE(length, 4, 6);
  bytes.set(payload, 10);
  return bytes;
}

/** The longest prefix of at most `bytesMax` bytes that does not end inside a character. */
function cutUtf8(bytes: Buffer, bytesMax: number): Buffer {
  if (bytes.length <= bytesMax) return bytes;
  let end = bytesMax;
  // Continuation bytes look like 10xxxxxx; the first byte left out must begin a character.
  while (end > 0 && ((bytes[end] as number) & 0xc0) === 0x80) end--;
  return bytes.subarray(0, end);
}
