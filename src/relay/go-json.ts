/**
 * JSON strings as Go's encoder writes them.
 *
 * Applications compare and log kuiperbelt's answers, so the bytes are the same, not only the
 * meaning: `<`, `>`, `&` and the two line separators are escaped, and what is not text is `\ufffd`.
 */
import { decodeByteString } from '../base/index.ts';

/** Stands for a byte that is not UTF-8 until it is written; no decoded text holds it otherwise. */
const INVALID = '\udfff';
const PLAIN = /^[\x20-\x7f]*$/;
const SPECIAL = /["\\<>&]/;
const SHORT_ESCAPES: Readonly<Record<string, string>> = {
  '"': '\\"',
  '\\': '\\\\',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
};

/** `text` in quotes. */
export function goJsonString(text: string): string {
  // Nearly every key is a plain word, and `/send` answers are on the hot path.
  if (PLAIN.test(text) && !SPECIAL.test(text)) return `"${text}"`;
  let json = '"';
  for (const character of text) json += SHORT_ESCAPES[character] ?? escapeRest(character);
  return `${json}"`;
}

/** A header value, read as UTF-8, in quotes. */
export function goJsonByteString(value: string): string {
  return goJsonString(decodeByteString(value, INVALID));
}

function escapeRest(character: string): string {
  const code = character.codePointAt(0) as number;
  if (code >= 0xd800 && code <= 0xdfff) return '\\ufffd';
  const escaped = code < 0x20 || code === 0x2028 || code === 0x2029 || SPECIAL.test(character);
  return escaped ? `\\u${code.toString(16).padStart(4, '0')}` : character;
}
