/**
 * Messages in and out of the form that RFC 7692 section 7.2 gives them, each one alone.
 *
 * Only zlib and the bounds of its output. Both ways are synchronous: a message of 1 KiB takes 10 us,
 * less than the way to zlib's threads and back, and no message can overtake another one. Who may
 * spend how much of a turn on it is the business of `message-compression.ts`.
 */
import { constants, deflateRawSync, type InflateRaw, inflateRawSync } from 'node:zlib';
import { assert, failed, ok, type Result } from '../../base/index.ts';

/** How messages are compressed; the words are zlib's. */
export interface DeflateSettings {
  /** 1 to 9. */
  readonly level: number;
  /** 9 to 15. */
  readonly windowBits: number;
  /** 1 to 9. */
  readonly memoryLevel: number;
}

/** Why a message cannot be inflated. */
export type InflateFailure = 'too_large' | 'invalid';

/** RFC 7692 7.2.1: how a flush ends; it is left out of a message. */
const TAIL = Buffer.from([0x00, 0x00, 0xff, 0xff]);
/** RFC 7692 7.2.3.4 allows final blocks within a message. Each costs a decoder, and nobody sends many. */
const FINAL_BLOCKS_MAX = 16;
/** No back reference reaches further. */
const WINDOW_BYTES = 32_768;
/** Output is made in pieces: large enough to be few, small enough that a short message wastes little. */
const PIECE_BYTES_MIN = 1_024;
const PIECE_BYTES_MAX = 65_536;
const USUAL_RATIO = 8;

/** `payload` in compressed form; may be longer than it was. */
export function deflateMessage(payload: Uint8Array, settings: DeflateSettings): Buffer {
  const flushed = deflateRawSync(payload, {
    level: settings.level,
    windowBits: settings.windowBits,
    memLevel: settings.memoryLevel,
    finishFlush: constants.Z_SYNC_FLUSH,
    chunkSize: pieceBytes(payload.length),
  });
  const end = flushed.length - TAIL.length;
  assert(flushed.indexOf(TAIL, end) === end, 'a flush ends with an empty block');
  return flushed.subarray(0, end);
}

/**
 * The message that `fragments` are the compressed form of, at most `bytesMax` long. Beyond that it
 * is given up at once, so a bomb costs what it may become and not what it would.
 */
export function inflateMessage(
  fragments: readonly Uint8Array[],
  bytesMax: number,
): Result<Buffer, InflateFailure> {
  let input = Buffer.concat([...fragments, TAIL]);
  let output: Buffer = Buffer.alloc(0);
  for (let blocks = 0; blocks < FINAL_BLOCKS_MAX; blocks++) {
    const part = inflatePart(input, output, bytesMax);
    if (!part.ok) return part;
    const { bytes, consumed } = part.value;
    output = output.length === 0 ? bytes : Buffer.concat([output, bytes]);
    if (output.length > bytesMax) return failed('too_large');
    if (consumed === input.length) return ok(output);
    input = input.subarray(consumed);
  }
  return failed('invalid');
}

/** Inflates up to the end of the input or of a final block; `before` is what came out so far. */
function inflatePart(
  input: Buffer,
  before: Buffer,
  bytesMax: number,
): Result<{ readonly bytes: Buffer; readonly consumed: number }, InflateFailure> {
  try {
    const { buffer, engine } = inflateRawSync(input, {
      finishFlush: constants.Z_SYNC_FLUSH,
      maxOutputLength: Math.max(1, bytesMax - before.length),
      chunkSize: pieceBytes(input.length * USUAL_RATIO),
      info: true,
      ...(before.length === 0 ? {} : { dictionary: before.subarray(-WINDOW_BYTES) }),
    }) as unknown as { readonly buffer: Buffer; readonly engine: InflateRaw };
    return ok({ bytes: withoutSlack(buffer), consumed: engine.bytesWritten });
  } catch (error) {
    const tooLarge = (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE';
    return failed(tooLarge ? 'too_large' : 'invalid');
  }
}

function pieceBytes(expectedBytes: number): number {
  return Math.min(PIECE_BYTES_MAX, Math.max(PIECE_BYTES_MIN, expectedBytes));
}

/** A short message would keep the whole piece that it was made in, for as long as it waits. */
function withoutSlack(bytes: Buffer): Buffer {
  return bytes.length * 2 < bytes.buffer.byteLength ? Buffer.from(bytes) : bytes;
}
