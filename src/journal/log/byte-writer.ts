/**
 * A buffer that grows at its end: where records of the log are put together.
 *
 * Kept from one group to the next, so that an append allocates nothing for its bytes. Not a file:
 * whoever owns it writes `written()` somewhere and begins again with `clear`.
 */
import { assert } from '../../base/index.ts';

const FIRST_BYTES = 64 * 1_024;
/** A buffer that one large group blew up is let go afterwards. */
const KEPT_BYTES_MAX = 4 * 1_024 * 1_024;
const U32 = 2 ** 32;

/** Little-endian integers, texts and bytes, one behind the other. */
export class ByteWriter {
  #bytes: Buffer = Buffer.allocUnsafeSlow(FIRST_BYTES);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  clear(): void {
    this.#length = 0;
    if (this.#bytes.length > KEPT_BYTES_MAX) this.#bytes = Buffer.allocUnsafeSlow(FIRST_BYTES);
  }

  /** Everything so far; valid until the next call that writes. */
  written(from = 0): Buffer {
    return this.#bytes.subarray(from, this.#length);
  }

  u8(value: number): void {
    this.#room(1);
    this.#bytes[this.#length] = value;
    this.#length += 1;
  }

  u32(value: number): void {
    this.#room(4);
    this.#bytes.writeUInt32LE(value, this.#length);
    this.#length += 4;
  }

  /** An index or a ballot: eight bytes, of which a number fills 53 bits. */
  u53(value: number): void {
    assert(Number.isSafeInteger(value) && value >= 0, 'a number of the log is a safe integer');
    this.#room(8);
    this.#bytes.writeUInt32LE(value % U32, this.#length);
    this.#bytes.writeUInt32LE(Math.floor(value / U32), this.#length + 4);
    this.#length += 8;
  }

  /**
   * Any text, exactly: half a surrogate pair, which UTF-8 has no bytes for, may be in what an
   * application submits. One bit of the length says whether a character takes one byte or two.
   */
  text(value: string): void {
    const isAscii = Buffer.byteLength(value) === value.length;
    const byteLength = isAscii ? value.length : value.length * 2;
    this.u32(isAscii ? byteLength * 2 : byteLength * 2 + 1);
    this.#room(byteLength);
    this.#bytes.write(value, this.#length, byteLength, isAscii ? 'latin1' : 'utf16le');
    this.#length += byteLength;
  }

  /** Bytes as they are, without their length. */
  raw(bytes: Uint8Array): void {
    this.#room(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** The same byte, up to a length. */
  fillTo(length: number, byte: number): void {
    this.#room(length - this.#length);
    this.#bytes.fill(byte, this.#length, length);
    this.#length = length;
  }

  #room(count: number): void {
    const needed = this.#length + count;
    if (needed <= this.#bytes.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(needed, this.#bytes.length * 2));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
  }
}
