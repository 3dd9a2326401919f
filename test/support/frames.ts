/**
 * WebSocket frames as bytes, both ways, for clients that misbehave on purpose.
 *
 * Independent of the library that the node uses, so that both cannot be wrong together. It checks
 * nothing: a test says what a frame has to look like.
 */
import { randomBytes } from 'node:crypto';

/** Frame types of RFC 6455. */
export const OPCODE = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

/** One frame as it came. */
export interface ReceivedFrame {
  readonly fin: boolean;
  readonly rsv: number;
  readonly opcode: number;
  readonly masked: boolean;
  readonly payload: Buffer;
  /** The payload as text. */
  readonly text: string;
  /** Of a close frame; 1005 when it carries none. */
  readonly closeCode: number | null;
  readonly closeReason: string | null;
}

/** A frame to be sent; everything that can be wrong can be set. */
export interface FrameToSend {
  readonly opcode?: number;
  readonly payload?: string | Uint8Array;
  readonly fin?: boolean;
  /** The three reserved bits, 0 to 7. */
  readonly rsv?: number;
  /** False: not masked, which a server has to refuse. */
  readonly masked?: boolean;
  /** Claims this length instead of the payload's. */
  readonly claimedLength?: number;
}

/** The bytes of one frame of a client. */
export function encodeClientFrame(frame: FrameToSend): Buffer {
  const payload = Buffer.from(frame.payload ?? '');
  const masked = frame.masked ?? true;
  const length = frame.claimedLength ?? payload.length;
  const first = ((frame.fin ?? true) ? 0x80 : 0) | ((frame.rsv ?? 0) << 4) | (frame.opcode ?? OPCODE.text);
  const maskBit = masked ? 0x80 : 0;
  let head: Buffer;
  if (length < 126) {
    head = Buffer.from([first, maskBit | length]);
  } else if (length < 65_536) {
    head = Buffer.from([first, maskBit | 126, length >> 8, length & 0xff]);
  } else {
    head = Buffer.alloc(10);
    head[0] = first;
    head[1] = maskBit | 127;
    head.writeBigUInt64BE(BigInt(length), 2);
  }
  if (!masked) return Buffer.concat([head, payload]);
  const mask = randomBytes(4);
  const covered = Buffer.from(payload);
  for (let index = 0; index < covered.length; index++) {
    covered[index] = (covered[index] as number) ^ (mask[index % 4] as number);
  }
  return Buffer.concat([head, mask, covered]);
}

/** The payload of a close frame. */
export function closePayload(code: number, reason: string | Uint8Array = ''): Buffer {
  const head = Buffer.alloc(2);
  head.writeUInt16BE(code);
  return Buffer.concat([head, Buffer.from(reason)]);
}

/** Cuts a stream of bytes into frames, however it was chopped. */
export class FrameReader {
  #bytes: Buffer = Buffer.alloc(0);

  /** Bytes of an incomplete frame. */
  get pendingBytes(): number {
    return this.#bytes.length;
  }

  /** Takes more bytes and returns the frames that are complete now. */
  read(chunk: Uint8Array): ReceivedFrame[] {
    this.#bytes = this.#bytes.length === 0 ? Buffer.from(chunk) : Buffer.concat([this.#bytes, chunk]);
    const frames: ReceivedFrame[] = [];
    for (let frame = this.#next(); frame !== null; frame = this.#next()) frames.push(frame);
    return frames;
  }

  #next(): ReceivedFrame | null {
    const bytes = this.#bytes;
    if (bytes.length < 2) return null;
    const first = bytes[0] as number;
    const second = bytes[1] as number;
    const masked = (second & 0x80) !== 0;
    let length = second & 0x7f;
    let offset = 2;
    if (length === 126) {
      if (bytes.length < 4) return null;
      length = bytes.readUInt16BE(2);
      offset = 4;
    } else if (length === 127) {
      if (bytes.length < 10) return null;
      length = Number(bytes.readBigUInt64BE(2));
      offset = 10;
    }
    if (masked) offset += 4;
    if (bytes.length < offset + length) return null;
    const payload = Buffer.from(bytes.subarray(offset, offset + length));
    this.#bytes = bytes.subarray(offset + length);
    return frameOf(first, masked, payload);
  }
}

function frameOf(first: number, masked: boolean, payload: Buffer): ReceivedFrame {
  const opcode = first & 0x0f;
  const isClose = opcode === OPCODE.close;
  return {
    fin: (first & 0x80) !== 0,
    rsv: (first >> 4) & 7,
    opcode,
    masked,
    payload,
    text: payload.toString('utf8'),
    closeCode: isClose ? (payload.length >= 2 ? payload.readUInt16BE(0) : 1005) : null,
    closeReason: isClose ? payload.subarray(2).toString('utf8') : null,
  };
}
