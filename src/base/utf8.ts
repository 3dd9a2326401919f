/**
 * UTF-8 for rooms that know neither Node nor the browser.
 *
 * For header values and other short texts; message bodies are passed on as bytes and never come
 * through here. Header values are *byte strings* inside the house: one character for each byte, as
 * HTTP parsers deliver them, so that a session key survives every copy unchanged.
 */

const REPLACEMENT = '\ufffd';

/** The UTF-8 bytes of `text`; a lone surrogate becomes U+FFFD. */
export function encodeUtf8(text: string): Uint8Array {
  const bytes: number[] = [];
  for (const character of text) {
    const code = character.codePointAt(0) as number;
    const scalar = code >= 0xd800 && code <= 0xdfff ? 0xfffd : code;
    if (scalar < 0x80) {
      bytes.push(scalar);
    } else if (scalar < 0x800) {
      bytes.push(0xc0 | (scalar >>> 6), continuation(scalar));
    } else if (scalar < 0x10000) {
      bytes.push(0xe0 | (scalar >>> 12), continuation(scalar >>> 6), continuation(scalar));
    } else {
      bytes.push(0xf0 | (scalar >>> 18), continuation(scalar >>> 12));
      bytes.push(continuation(scalar >>> 6), continuation(scalar));
    }
  }
  return Uint8Array.from(bytes);
}

/**
 * The text of `bytes`. Each byte that belongs to no valid sequence becomes one `replacement`, as in
 * Go (browsers put one for a whole truncated sequence).
 */
export function decodeUtf8(bytes: Uint8Array, replacement: string = REPLACEMENT): string {
  let text = '';
  let at = 0;
  while (at < bytes.length) {
    const width = sequenceWidth(bytes, at);
    if (width === 0) {
      text += replacement;
      at += 1;
    } else {
      text += String.fromCodePoint(scalarAt(bytes, at, width));
      at += width;
    }
  }
  return text;
}

/** The text that a byte string (see above) stands for, when it is read as UTF-8. */
export function decodeByteString(value: string, replacement: string = REPLACEMENT): string {
  const bytes = new Uint8Array(value.length);
  for (let index = 0; index < value.length; index++) bytes[index] = value.charCodeAt(index);
  return decodeUtf8(bytes, replacement);
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
