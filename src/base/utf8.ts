/**
 * UTF-8 for rooms that know neither Node nor the browser.
 *
 * For header values and other short texts; message bodies are passed on as bytes and never come
 * through here. Header values are *byte strings* inside the house: one character for each byte, as
 * HTTP parsers deliver them, so that a session key survives every copy unchanged.
 */

const REPLACEMENT = '\ufffd';
/** Characters that one call gets as arguments: far fewer than the stack has room for. */
const ASCII_RUN_MAX = 4_096;

/** The UTF-8 bytes of `text`; a lone surrogate becomes U+FFFD. */
export function encodeUtf8(text: string): Uint8Array {
  // Text is mostly ASCII, a byte for each unit; megabytes come through here at once.
  const ascii = new Uint8Array(text.length);
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if (unit >= 0x80) return encodeFrom(at, text, ascii);
    ascii[at] = unit;
  }
  return ascii;
}

/** The same for text that is ASCII only up to `start`. */
function encodeFrom(start: number, text: string, ascii: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(byteLengthOf(text));
  bytes.set(ascii.subarray(0, start));
  let end = start;
  for (let at = start; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if (unit < 0x80) {
      bytes[end++] = unit;
      continue;
    }
    const code = text.codePointAt(at) as number;
    const scalar = code >= 0xd800 && code <= 0xdfff ? 0xfffd : code;
    if (scalar < 0x800) {
      bytes[end++] = 0xc0 | (scalar >>> 6);
    } else if (scalar < 0x10000) {
      bytes[end++] = 0xe0 | (scalar >>> 12);
      bytes[end++] = continuation(scalar >>> 6);
    } else {
      bytes[end++] = 0xf0 | (scalar >>> 18);
      bytes[end++] = continuation(scalar >>> 12);
      bytes[end++] = continuation(scalar >>> 6);
      at += 1;
    }
    bytes[end++] = continuation(scalar);
  }
  return bytes;
}

/**
 * The text of `bytes`. Each byte that belongs to no valid sequence becomes one `replacement`, as in
 * Go (browsers put one for a whole truncated sequence).
 */
export function decodeUtf8(bytes: Uint8Array, replacement: string = REPLACEMENT): string {
  let text = '';
  let at = 0;
  while (at < bytes.length) {
    const end = asciiEnd(bytes, at);
    // Whole runs of ASCII at once, for the same reason as above.
    if (end > at) text += Reflect.apply(String.fromCharCode, null, bytes.subarray(at, end));
    at = end;
    if (at === bytes.length || (bytes[at] as number) < 0x80) continue;
    const width = sequenceWidth(bytes, at);
    text += width === 0 ? replacement : String.fromCodePoint(scalarAt(bytes, at, width));
    at += Math.max(width, 1);
  }
  return text;
}

/** The text that a byte string (see above) stands for, when it is read as UTF-8. */
export function decodeByteString(value: string, replacement: string = REPLACEMENT): string {
  const bytes = new Uint8Array(value.length);
  for (let index = 0; index < value.length; index++) bytes[index] = value.charCodeAt(index);
  return decodeUtf8(bytes, replacement);
}

/** Bytes that `encodeUtf8` writes. */
function byteLengthOf(text: string): number {
  let length = text.length;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if (unit < 0x80) continue;
    // A pair of surrogates is two units and four bytes; anything else adds one or two bytes to its unit.
    length += unit < 0x800 ? 1 : 2;
    if ((text.codePointAt(at) as number) > 0xffff) at += 1;
  }
  return length;
}

/** Where the run of ASCII that begins at `at` ends, or has become as long as one call can take. */
function asciiEnd(bytes: Uint8Array, at: number): number {
  const most = Math.min(bytes.length, at + ASCII_RUN_MAX);
  let end = at;
  while (end < most && (bytes[end] as number) < 0x80) end++;
  return end;
}

function continuation(bits: number): number {
  return 0x80 | (bits & 0x3f);
}

/** Bytes in the valid sequence that starts at `at`, or 0 (RFC 3629 section 4). */
function sequenceWidth(bytes: Uint8Array, at: number): number {
  const lead = bytes[at] as number;
  if (lead < 0x80) return 1;
  if (lead < 0xc2 || lead > 0xf4) return 0;
  const width = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  if (at + width > bytes.length) return 0;
  // The second byte's range refuses overlong forms, surrogates and what lies above U+10FFFF.
  const lowest = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80;
  const highest = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf;
  const second = bytes[at + 1] as number;
  if (second < lowest || second > highest) return 0;
  for (let index = 2; index < width; index++) {
    if (((bytes[at + index] as number) & 0xc0) !== 0x80) return 0;
  }
  return width;
}

function scalarAt(bytes: Uint8Array, at: number, width: number): number {
  const lead = bytes[at] as number;
  if (width === 1) return lead;
  let scalar = lead & (0x7f >>> width);
  for (let index = 1; index < width; index++) scalar = (scalar << 6) | ((bytes[at + index] as number) & 0x3f);
  return scalar;
}
