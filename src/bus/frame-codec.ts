/**
 * The bytes of a link between two workers.
 *
 * u32 length of what follows, u8 type, u32 number of the question, u16 length and text of the kind,
 * u32 length and JSON of the facts, then the message's bytes untouched; integers are little-endian.
 * Workers of one node are of one release; those of two nodes say at first which version they speak
 * (`handshake.ts`). Pure over bytes: `Link` brings the socket.
 */
import { LIMITS } from '../base/index.ts';
import { type Json, NO_BYTES } from './bus.ts';

/** `refused` is an answer that says why there is none. */
export type FrameType = 'hello' | 'ask' | 'tell' | 'answer' | 'refused';

/** One message on a link. */
export interface LinkFrame {
  readonly type: FrameType;
  /** Ties an answer to its question; 0 where there is none. */
  readonly id: number;
  readonly kind: string;
  readonly facts: Json;
  readonly bytes: Uint8Array;
}

/** A type's place in this list is its byte on the wire. */
const TYPES: readonly FrameType[] = ['hello', 'ask', 'tell', 'answer', 'refused'];

const LENGTH_BYTES = 4;
const ID_AT = LENGTH_BYTES + 1;
const KIND_LENGTH_AT = ID_AT + 4;
const KIND_AT = KIND_LENGTH_AT + 2;
const KIND_BYTES_MAX = 0xffff;
const FACTS_LENGTH_BYTES = 4;
/** Everything but kind, facts and bytes. */
const FIXED_BYTES = KIND_AT + FACTS_LENGTH_BYTES;

/** The bytes of `frame`, or null when they are more than any link takes. */
export function encodeFrame(frame: LinkFrame): Uint8Array | null {
  const facts = JSON.stringify(frame.facts);
  const kindLength = Buffer.byteLength(frame.kind);
  const factsLength = Buffer.byteLength(facts);
  const total = FIXED_BYTES + kindLength + factsLength + frame.bytes.length;
  if (total - LENGTH_BYTES > LIMITS.linkFrameBytesMax || kindLength > KIND_BYTES_MAX) return null;
  const bytes = Buffer.allocUnsafe(total);
  bytes.writeUInt32LE(total - LENGTH_BYTES, 0);
  bytes[LENGTH_BYTES] = TYPES.indexOf(frame.type);
  bytes.writeUInt32LE(frame.id, ID_AT);
  bytes.writeUInt16LE(kindLength, KIND_LENGTH_AT);
  bytes.write(frame.kind, KIND_AT, 'utf8');
  const factsAt = KIND_AT + kindLength + FACTS_LENGTH_BYTES;
  bytes.writeUInt32LE(factsLength, factsAt - FACTS_LENGTH_BYTES);
  bytes.write(facts, factsAt, 'utf8');
  bytes.set(frame.bytes, factsAt + factsLength);
  return bytes;
}

/** Takes a link's bytes in pieces of any size and gives back its frames. */
export class FrameDecoder {
  #pieces: Uint8Array[] = [];
  #heldBytes = 0;
  /** Bytes that must be there before the next look is worthwhile. */
  #neededBytes = LENGTH_BYTES;
  #fault: string | null = null;
  /** What the other end may send at once: little, as long as nobody knows who it is. */
  frameBytesMax: number;

  constructor(frameBytesMax: number = LIMITS.linkFrameBytesMax) {
    this.frameBytesMax = frameBytesMax;
  }

  /** What was wrong with the bytes; from then on nothing is read and the link is to be cut. */
  get fault(): string | null {
    return this.#fault;
  }

  /** The frames that `piece` completes. */
  push(piece: Uint8Array): LinkFrame[] {
    const frames: LinkFrame[] = [];
    if (this.#fault !== null) return frames;
    this.#pieces.push(piece);
    this.#heldBytes += piece.length;
    // Joining only once enough is there keeps a frame of many pieces from being copied many times.
    if (this.#heldBytes < this.#neededBytes) return frames;
    let rest = this.#join();
    while (rest.length >= LENGTH_BYTES) {
      const length = rest.readUInt32LE(0);
      if (length > this.frameBytesMax) return this.#stop('the frame is too long', frames);
      const end = LENGTH_BYTES + length;
      if (rest.length < end) break;
      const frame = parseFrame(rest.subarray(0, end));
      if (typeof frame === 'string') return this.#stop(frame, frames);
      frames.push(frame);
      rest = rest.subarray(end);
    }
    this.#hold(rest);
    return frames;
  }

  #join(): Buffer {
    const [first] = this.#pieces;
    if (this.#pieces.length > 1 || first === undefined) return Buffer.concat(this.#pieces);
    return Buffer.from(first.buffer, first.byteOffset, first.byteLength);
  }

  #hold(rest: Buffer): void {
    this.#pieces = rest.length === 0 ? [] : [rest];
    this.#heldBytes = rest.length;
    this.#neededBytes = LENGTH_BYTES;
    if (rest.length >= LENGTH_BYTES) this.#neededBytes += rest.readUInt32LE(0);
  }

  #stop(fault: string, frames: LinkFrame[]): LinkFrame[] {
    this.#fault = fault;
    this.#pieces = [];
    return frames;
  }
}

/** Reads one whole frame, or says what is wrong with it. */
function parseFrame(frame: Buffer): LinkFrame | string {
  if (frame.length < FIXED_BYTES) return 'the frame is too short';
  const type = TYPES[frame[LENGTH_BYTES] as number];
  if (type === undefined) return 'the frame has no known type';
  const kindEnd = KIND_AT + frame.readUInt16LE(KIND_LENGTH_AT);
  const factsAt = kindEnd + FACTS_LENGTH_BYTES;
  if (factsAt > frame.length) return 'the kind is longer than its frame';
  const factsEnd = factsAt + frame.readUInt32LE(kindEnd);
  if (factsEnd > frame.length) return 'the facts are longer than their frame';
  const facts = parseFacts(frame.toString('utf8', factsAt, factsEnd));
  if (facts === undefined) return 'the facts are not JSON';
  return {
    type,
    id: frame.readUInt32LE(ID_AT),
    kind: frame.toString('utf8', KIND_AT, kindEnd),
    facts,
    // A copy: a receiver that keeps a short message must not keep the whole piece it came in.
    bytes: factsEnd === frame.length ? NO_BYTES : Buffer.from(frame.subarray(factsEnd)),
  };
}

function parseFacts(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
}
