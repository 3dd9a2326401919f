/** Strings as Go's encoder writes them. */
import { expect, it } from 'vitest';
import { goJsonByteString, goJsonString } from './go-json.ts';

it.each([
  ['alice', '"alice"'],
  ['', '""'],
  ['a"b\\c', '"a\\"b\\\\c"'],
  ['<&>', '"\\u003c\\u0026\\u003e"'],
  ['\n\r\t\b\f\0\x1f\x7f', '"\\n\\r\\t\\u0008\\u000c\\u0000\\u001f\x7f"'],
  ['\u2028\u2029', '"\\u2028\\u2029"'],
  ['あ😀é', '"あ😀é"'],
  ['\ud83d', '"\\ufffd"'],
  ['\ufffd', '"\ufffd"'],
])('%j -> %s', (text, json) => {
  expect(goJsonString(text)).toBe(json);
});

it('writes one escape for each byte that is not UTF-8, and leaves a real U+FFFD alone', () => {
  expect(goJsonByteString('a\u00e3\u0081b')).toBe('"a\\ufffd\\ufffdb"');
  expect(goJsonByteString('\u00ef\u00bf\u00bd')).toBe('"\ufffd"');
});
