/**
 * JSON as Go's `encoding/json` reads it into a struct: a cursor over one body.
 *
 * The caller says which kind of value it wants next; whatever it has no name for is skipped without
 * being built. Letter case of keys does not matter, `null` leaves a value as it was, integers are
 * exact up to 2^64-1, bytes are base64 or a list of numbers, and a byte that is no UTF-8 is U+FFFD.
 * A hostile body costs time and memory in proportion to its length. What the values mean is the
 * codecs' business; `relay/` has the string encoder.
 */
import { decodeByteString, failed, ok, PEER_LIMITS, type Result } from '../base/index.ts';

const UINT64_MAX = 2n ** 64n - 1n;
const UINT64_DIGITS = 20;
/** Longer keys are nobody's; they are not even folded. */
const KEY_CHARACTERS_MAX = 64;
const BYTE_MAX = 255;

const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
/** Ends a run of plain characters in a string; a search for one character class cannot backtrack. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: raw control characters are what JSON forbids.
const SPECIAL = /["\\\x00-\x1f]/g;
// biome-ignore lint/suspicious/noControlCharactersInRegex: raw control characters are what JSON forbids.
const UNPLAIN = /[\\\x00-\x1f\x80-\xff]/;
const BEYOND_ASCII = /[\x80-\xff]/;
const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;
const UNPRINTED: Readonly<Record<string, string>> = {
  '"': '"',
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
};

/** Why a body cannot be read; caught by `readGoJson`, and by nobody else. */
class Fault extends Error {}

/**
 * Reads `body`, which must be one value and white space, with `read`. The failure says what was
 * expected where; it holds nothing of the body.
 */
export function readGoJson<Value>(body: Uint8Array, read: (cursor: GoJson) => Value): Result<Value, string> {
  const cursor = new GoJson(body);
  try {
    const value = read(cursor);
    cursor.finish();
    return ok(value);
  } catch (error) {
    if (error instanceof Fault) return failed(error.message);
    throw error;
  }
}

/** The place in a body up to which it is read. Its methods take one value each, or throw a `Fault`. */
export class GoJson {
  /** One character a byte: nothing beyond ASCII has a meaning outside of strings. */
  readonly #text: string;
  #at = 0;
  #depth = 0;

  constructor(body: Uint8Array) {
    this.#text = Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('latin1');
  }

  /**
   * An object; `null` is one without keys. `field` gets each key, and the same in lower case; it
   * takes the value and answers true, or leaves it to be skipped.
   */
  object(field: (folded: string, key: string) => boolean): void {
    this.#blank();
    if (this.#takeNull()) return;
    this.#open('{', 'an object');
    if (this.#close('}')) return;
    do {
      const key = this.#key();
      if (!field(fold(key), key)) this.skip();
    } while (this.#continues('}'));
    this.#depth--;
  }

  /** A list; `null` is an empty one. More than `max` values are a fault. */
  list(max: number, each: () => void): void {
    this.#blank();
    if (this.#takeNull()) return;
    this.#open('[', 'a list');
    if (this.#close(']')) return;
    let count = 0;
    do {
      if (++count > max) this.#fail(`at most ${max} values`);
      each();
    } while (this.#continues(']'));
    this.#depth--;
  }

  /** A plain integer literal. `previous`: what `null` leaves in place. */
  uint64(previous: bigint): bigint {
    this.#blank();
    if (this.#takeNull()) return previous;
    const literal = this.#number();
    if (literal === null || !/^[0-9]+$/.test(literal) || literal.length > UINT64_DIGITS) {
      return this.#fail('an unsigned 64-bit integer');
    }
    const value = BigInt(literal);
    return value > UINT64_MAX ? this.#fail('an unsigned 64-bit integer') : value;
  }

  /** `true` or `false`. `previous`: what `null` leaves in place. */
  bool(previous: boolean): boolean {
    this.#blank();
    if (this.#takeNull()) return previous;
    if (this.#takeWord('true')) return true;
    return this.#takeWord('false') ? false : this.#fail('true or false');
  }

  /** A string. `previous`: what `null` leaves in place. */
  string(previous: string): string {
    this.#blank();
    if (this.#takeNull()) return previous;
    if (this.#text[this.#at] !== '"') return this.#fail('a string');
    return this.#string();
  }

  /** Bytes, as base64 or as a list of numbers; `null` is none. */
  bytes(): Uint8Array {
    this.#blank();
    if (this.#takeNull()) return new Uint8Array(0);
    if (this.#text[this.#at] === '[') return this.#numberedBytes();
    if (this.#text[this.#at] !== '"') return this.#fail('base64');
    const base64 = this.#string().replace(/[\r\n]+/g, '');
    if (base64.length % 4 !== 0 || !BASE64.test(base64)) return this.#fail('base64 with padding');
    return Buffer.from(base64, 'base64');
  }

  /** Any value; it is checked for its form only. */
  skip(): void {
    const closers: string[] = [];
    for (;;) {
      this.#blank();
      const closer = this.#opensNested();
      if (closer !== null) {
        closers.push(closer);
        if (this.#depth + closers.length > PEER_LIMITS.jsonDepthMax) this.#fail('less nesting');
        this.#blank();
        if (this.#text[this.#at] !== closer) {
          if (closer === '}') this.#key();
          continue;
        }
      } else {
        this.#scalar();
      }
      if (this.#unwind(closers)) return;
    }
  }

  /** Nothing but white space may follow. */
  finish(): void {
    this.#blank();
    if (this.#at < this.#text.length) this.#fail('nothing more');
  }

  /** After a whole value: closes what ends here. True when nothing is open any more. */
  #unwind(closers: string[]): boolean {
    for (;;) {
      const closer = closers.at(-1);
      if (closer === undefined) return true;
      this.#blank();
      const next = this.#text[this.#at];
      // An empty object or list has its closer here, without a value before it.
      if (next === closer) {
        this.#at++;
        closers.pop();
      } else if (next === ',') {
        this.#at++;
        if (closer === '}') this.#key();
        return false;
      } else {
        this.#fail(`"," or "${closer}"`);
      }
    }
  }

  #opensNested(): '}' | ']' | null {
    const opener = this.#text[this.#at];
    if (opener !== '{' && opener !== '[') return null;
    this.#at++;
    return opener === '{' ? '}' : ']';
  }

  #scalar(): void {
    if (this.#text[this.#at] === '"') this.#scanString(null);
    else if (this.#takeNull() || this.#takeWord('true') || this.#takeWord('false')) return;
    else if (this.#number() === null) this.#fail('a value');
  }

  #open(opener: '{' | '[', wanted: string): void {
    if (this.#text[this.#at] !== opener) this.#fail(wanted);
    this.#at++;
    if (++this.#depth > PEER_LIMITS.jsonDepthMax) this.#fail('less nesting');
  }

  /** True when what was just opened is empty. */
  #close(closer: '}' | ']'): boolean {
    this.#blank();
    if (this.#text[this.#at] !== closer) return false;
    this.#at++;
    this.#depth--;
    return true;
  }

  #continues(closer: '}' | ']'): boolean {
    this.#blank();
    const next = this.#text[this.#at];
    if (next !== ',' && next !== closer) this.#fail(`"," or "${closer}"`);
    this.#at++;
    return next === ',';
  }

  #key(): string {
    this.#blank();
    if (this.#text[this.#at] !== '"') this.#fail('a key');
    const key = this.#string();
    this.#blank();
    if (this.#text[this.#at] !== ':') this.#fail('":"');
    this.#at++;
    return key;
  }

  #string(): string {
    const plain = this.#plainString();
    if (plain !== null) return plain;
    const parts: string[] = [];
    this.#scanString(parts);
    return parts.join('');
  }

  /** Takes a string without escapes, which most are; null: it has some, or is none. */
  #plainString(): string | null {
    const from = this.#at + 1;
    const end = this.#text.indexOf('"', from);
    if (end === -1) return null;
    const run = this.#text.slice(from, end);
    if (UNPLAIN.test(run)) return null;
    this.#at = end + 1;
    return run;
  }

  /** Takes a string; its text goes to `parts`, unless nobody wants it. */
  #scanString(parts: string[] | null): void {
    this.#at++;
    for (;;) {
      SPECIAL.lastIndex = this.#at;
      const end = SPECIAL.exec(this.#text)?.index ?? this.#text.length;
      if (parts !== null && end > this.#at) parts.push(this.#plain(this.#at, end));
      this.#at = end + 1;
      const special = this.#text[end];
      if (special === '"') return;
      if (special !== '\\') this.#fail('the end of a string');
      const character = this.#escape();
      parts?.push(character);
    }
  }

  #plain(from: number, to: number): string {
    const run = this.#text.slice(from, to);
    if (!BEYOND_ASCII.test(run)) return run;
    // Base64 has no such bytes, and texts are short: converting more would cost more than it says.
    if (run.length > PEER_LIMITS.jsonTextBytesMax) this.#fail('a shorter text');
    return decodeByteString(run);
  }

  #escape(): string {
    const letter = this.#text[this.#at++] ?? '';
    const plain = UNPRINTED[letter];
    if (plain !== undefined) return plain;
    if (letter !== 'u') return this.#fail('an escape of JSON');
    const unit = this.#hex();
    if (unit < 0xd800 || unit > 0xdfff) return String.fromCharCode(unit);
    // Half of a pair that has no other half stands for nothing.
    if (unit > 0xdbff || !this.#text.startsWith('\\u', this.#at)) return '\ufffd';
    const before = this.#at;
    this.#at += 2;
    const second = this.#hex();
    if (second >= 0xdc00 && second <= 0xdfff) return String.fromCharCode(unit, second);
    this.#at = before;
    return '\ufffd';
  }

  #hex(): number {
    const digits = this.#text.slice(this.#at, this.#at + 4);
    if (!/^[0-9A-Fa-f]{4}$/.test(digits)) this.#fail('four hexadecimal digits');
    this.#at += 4;
    return Number.parseInt(digits, 16);
  }

  #number(): string | null {
    NUMBER.lastIndex = this.#at;
    const literal = NUMBER.exec(this.#text)?.[0] ?? null;
    if (literal !== null) this.#at += literal.length;
    return literal;
  }

  #numberedBytes(): Uint8Array {
    let bytes = new Uint8Array(64);
    let length = 0;
    this.list(PEER_LIMITS.bodyBytesMax, () => {
      const value = this.uint64(0n);
      if (value > BYTE_MAX) this.#fail('a byte');
      if (length === bytes.length) {
        const larger = new Uint8Array(2 * length);
        larger.set(bytes);
        bytes = larger;
      }
      bytes[length++] = Number(value);
    });
    return bytes.subarray(0, length);
  }

  #takeNull(): boolean {
    return this.#takeWord('null');
  }

  #takeWord(word: string): boolean {
    if (!this.#text.startsWith(word, this.#at)) return false;
    this.#at += word.length;
    return true;
  }

  #blank(): void {
    for (;;) {
      const code = this.#text.charCodeAt(this.#at);
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return;
      this.#at++;
    }
  }

  #fail(wanted: string): never {
    throw new Fault(`expected ${wanted} at byte ${this.#at}`);
  }
}

/** Go folds two letters beyond ASCII into ours: the long s and the Kelvin sign. */
function fold(key: string): string {
  if (key.length > KEY_CHARACTERS_MAX) return '';
  // The Kelvin sign in lower case is ours by itself.
  const folded = key.toLowerCase();
  return folded.includes('\u017f') ? folded.replaceAll('\u017f', 's') : folded;
}
