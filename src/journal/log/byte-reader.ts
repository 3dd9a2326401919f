/**
 * Reads what `ByteWriter` wrote.
 *
 * Its bytes have passed a checksum, so they are as somebody wrote them; if they still make no sense,
 * that somebody was a newer release or a bug, and `MalformedBytes` is thrown. Whoever reads a
 * record catches it, once.
 */
const U32 = 2 ** 32;

/** Bytes that were written so, and that this release does not understand. */
export class MalformedBytes extends Error {
  override name = 'MalformedBytes';
}

/** A place in bytes, moving forward. */
export class ByteReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get atEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  u8(): number {
    return this.#bytes[this.#step(1)] as number;
  }

  u32(): number {
    return this.#bytes.readUInt32LE(this.#step(4));
  }

  u53(): number {
    const at = this.#step(8);
    const value = this.#bytes.readUInt32LE(at) + this.#bytes.readUInt32LE(at + 4) * U32;
    if (!Number.isSafeInteger(value)) throw new MalformedBytes('a number is beyond 53 bits');
    return value;
  }

  text(): string {
    const head = this.u32();
    const byteLength = Math.floor(head / 2);
    const at = this.#step(byteLength);
    return this.#bytes.toString(head % 2 === 0 ? 'latin1' : 'utf16le', at, at + byteLength);
  }

  /** A copy, so that a few bytes do not keep a whole file in memory. */
  raw(length: number): Uint8Array {
    const at = this.#step(length);
    return new Uint8Array(this.#bytes.subarray(at, at + length));
  }

  #step(count: number): number {
    const at = this.#at;
    if (at + count > this.#bytes.length) throw new MalformedBytes('a record ends too early');
    this.#at = at + count;
    return at;
  }
}
