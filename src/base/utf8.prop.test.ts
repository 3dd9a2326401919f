/** UTF-8 against the platform's own encoder, and Go's rule for bytes that are not UTF-8. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeByteString, decodeUtf8, encodeUtf8 } from './utf8.ts';

/** The bytes at which the rules of RFC 3629 change. */
const EDGE_BYTES = [
  0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xec, 0xed, 0xef, 0xf0, 0xf3,
  0xf4, 0xf5, 0xff,
];
const INVALID = '<invalid byte>';

const anyText = fc.string({
  unit: fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)),
});

describe('UTF-8', () => {
  it('encodes any text as the platform does', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        expect([...encodeUtf8(text)]).toEqual([...new TextEncoder().encode(text)]);
      }),
    );
  });

  it('reads back what it wrote', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(decodeUtf8(encodeUtf8(text))).toBe(text);
      }),
    );
  });

  it('finds the same bytes valid as the platform does', () => {
    const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
    const nearlyValid = fc.oneof(
      fc.uint8Array({ maxLength: 6 }),
      fc.array(fc.constantFrom(...EDGE_BYTES), { maxLength: 5 }).map((bytes) => Uint8Array.from(bytes)),
    );
    fc.assert(
      fc.property(nearlyValid, (bytes) => {
        let expected: string | null;
        try {
          expected = strict.decode(bytes);
        } catch {
          expected = null;
        }
        const text = decodeUtf8(bytes, INVALID);
        expect(text.includes(INVALID) ? null : text).toBe(expected);
      }),
      { numRuns: 2_000 },
    );
  });

  it('replaces each invalid byte by itself', () => {
    expect(decodeUtf8(Uint8Array.of(0x61, 0xe3, 0x81, 0x62, 0xff))).toBe('a\ufffd\ufffdb\ufffd');
  });

  it('reads a header value that carries UTF-8', () => {
    expect(decodeByteString('\u00e3\u0081\u0082')).toBe('あ');
    expect(decodeByteString('alice')).toBe('alice');
    expect(decodeByteString('\u00e9', '?')).toBe('?');
  });
});
