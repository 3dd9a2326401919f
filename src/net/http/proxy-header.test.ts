/** The PROXY protocol's header, whole, in pieces, and wrong. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ProxyHeader, ProxyHeaderReader } from './proxy-header.ts';

const START = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');

/** A header of version 2. */
function v2(command: number, family: number, rest: Uint8Array): Buffer {
  const fixed = Buffer.from([command, family, rest.length >> 8, rest.length & 0xff]);
  return Buffer.concat([START, fixed, rest]);
}

const V4 = Buffer.from([203, 0, 113, 7, 10, 0, 0, 1, 0x12, 0x34, 0, 80]);
const V6 = Buffer.from(`20010db8${'0'.repeat(22)}07${'0'.repeat(31)}1${'12340050'}`, 'hex');
const TLV = Buffer.from([0xea, 0, 3, 1, 2, 3]);
/** What AWS adds: a checksum (0x03), the name of a VPC endpoint (0xea, subtype 1), padding (0x04). */
const OF_AWS = Buffer.concat([
  Buffer.from([0x03, 0, 4, 0xde, 0xad, 0xbe, 0xef]),
  Buffer.from([0xea, 0, 23, 0x01]),
  Buffer.from('vpce-08d2bf15fac5001c9'),
  Buffer.from([0x04, 0, 5]),
  Buffer.alloc(5),
]);

/** Feeds pieces until a verdict; says how many bytes of all belong to the header. */
function read(...pieces: Uint8Array[]): {
  verdict: ProxyHeader['type'];
  source?: string | null;
  bytes?: number;
} {
  const reader = new ProxyHeaderReader();
  let before = 0;
  for (const piece of pieces) {
    const header = reader.read(piece);
    if (header.type === 'malformed') return { verdict: header.type };
    if (header.type === 'complete') {
      return { verdict: header.type, source: header.source, bytes: before + header.byteLength };
    }
    before += piece.length;
  }
  return { verdict: 'incomplete' };
}

const valid: [name: string, header: Buffer, source: string | null][] = [
  ['TCP4', Buffer.from('PROXY TCP4 203.0.113.7 10.0.0.1 4660 80\r\n'), '203.0.113.7'],
  ['TCP6', Buffer.from('PROXY TCP6 2001:db8::7 ::1 4660 80\r\n'), '2001:db8::7'],
  ['UNKNOWN', Buffer.from('PROXY UNKNOWN\r\n'), 'unknown'],
  ['UNKNOWN with words', Buffer.from('PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n'), 'unknown'],
  ['the longest line', Buffer.from(`PROXY UNKNOWN ${'f'.repeat(91)}\r\n`), 'unknown'],
  ['v2 over IPv4', v2(0x21, 0x11, V4), '203.0.113.7'],
  ['v2 over IPv4, datagrams', v2(0x21, 0x12, V4), '203.0.113.7'],
  ['v2 over IPv6', v2(0x21, 0x21, V6), '2001:db8:0:0:0:0:0:7'],
  ['v2 with TLVs', v2(0x21, 0x11, Buffer.concat([V4, TLV, TLV])), '203.0.113.7'],
  ['v2 over IPv4, as AWS says that it writes it', v2(0x21, 0x11, Buffer.concat([V4, OF_AWS])), '203.0.113.7'],
  ['v2 over IPv6, the same', v2(0x21, 0x21, Buffer.concat([V6, OF_AWS])), '2001:db8:0:0:0:0:0:7'],
  [
    'v2 with TLVs up to the bound',
    v2(0x21, 0x21, Buffer.concat([V6, Buffer.alloc(4_060)])),
    '2001:db8:0:0:0:0:0:7',
  ],
  [
    'v2 exactly as long as what is kept',
    v2(0x21, 0x11, Buffer.concat([V4, Buffer.alloc(79)])),
    '203.0.113.7',
  ],
  ['v2 of a unix socket', v2(0x21, 0x31, Buffer.alloc(216, '/')), 'unknown'],
  ['v2 without a family', v2(0x21, 0x00, Buffer.alloc(0)), 'unknown'],
  ['v2 local', v2(0x20, 0x00, Buffer.alloc(0)), null],
  ['v2 local with an address that means nothing', v2(0x20, 0x77, V4), null],
];

describe('a valid header', () => {
  it.each(valid)('is read: %s', (_name, header, source) => {
    expect(header.length === 0 ? null : read(header)).toEqual({
      verdict: 'complete',
      source,
      bytes: header.length,
    });
  });

  it('leaves what follows alone, wherever it is cut', () => {
    const cuts = fc.array(fc.nat(4_200), { maxLength: 8 });
    const tail = fc.uint8Array({ maxLength: 40 });
    fc.assert(
      fc.property(fc.constantFrom(...valid), cuts, tail, ([, header, source], places, rest) => {
        const whole = Buffer.concat([header, rest]);
        const at = [0, ...places.filter((place) => place < whole.length).sort((a, b) => a - b), whole.length];
        const pieces = at.slice(1).map((end, index) => whole.subarray(at[index], end));
        expect(read(...pieces)).toEqual({ verdict: 'complete', source, bytes: header.length });
      }),
      { numRuns: 500 },
    );
  });

  it.each(valid)(
    'is incomplete one byte earlier, and comes in single bytes too: %s',
    (_name, header, source) => {
      const bytes = [...header].map((byte) => Uint8Array.of(byte));
      expect(read(...bytes.slice(0, -1))).toEqual({ verdict: 'incomplete' });
      expect(read(...bytes)).toMatchObject({ verdict: 'complete', source });
    },
  );
});

describe('a wrong header', () => {
  it.each([
    ['GET / HTTP/1.1\r\n'],
    ['PROXX'],
    ['proxy TCP4 203.0.113.7 10.0.0.1 1 2\r\n'],
    ['PROXY TCP4 203.0.113.7 10.0.0.1 4660 80\n'],
    ['PROXY TCP4 203.0.113.7  10.0.0.1 4660 80\r\n'],
    ['PROXY TCP4 203.0.113.7 10.0.0.1 4660\r\n'],
    ['PROXY TCP4 203.0.113.7 10.0.0.1 04660 80\r\n'],
    ['PROXY TCP4 203.0.113.7 10.0.0.1 4660 65536\r\n'],
    ['PROXY TCP4 203.0.113.7 10.0.0.1 4660 80 \r\n'],
    ['PROXY TCP4 203.0.113.07 10.0.0.1 4660 80\r\n'],
    ['PROXY TCP4 2001:db8::7 ::1 4660 80\r\n'],
    ['PROXY TCP6 203.0.113.7 10.0.0.1 4660 80\r\n'],
    ['PROXY TCP6 fe80::1%eth0 ::1 4660 80\r\n'],
    ['PROXY UDP4 203.0.113.7 10.0.0.1 4660 80\r\n'],
    ['PROXY UNKNOWNS\r\n'],
    ['PROXY UNKNOWN \r \r\n'],
    [`PROXY UNKNOWN ${'f'.repeat(93)}`],
    ['\r\n\r\n\0\r\nQUIX'],
  ])('is refused: %j', (text) => {
    expect(read(Buffer.from(text, 'latin1'))).toEqual({ verdict: 'malformed' });
  });

  it.each([
    ['version 1 in binary', v2(0x11, 0x11, V4)],
    ['an unknown command', v2(0x22, 0x11, V4)],
    ['an unknown family', v2(0x21, 0x41, V4)],
    ['an unknown transport', v2(0x21, 0x13, V4)],
    ['addresses that are too short', v2(0x21, 0x11, V4.subarray(1))],
    ['IPv6 in the room of IPv4', v2(0x21, 0x21, V4)],
    ['a unix path that is cut', v2(0x21, 0x31, Buffer.alloc(215))],
    ['more than the bound', v2(0x21, 0x11, Buffer.alloc(4_097))],
    ['a local one beyond the bound', v2(0x20, 0x00, Buffer.alloc(65_535))],
  ])('is refused at its sixteenth byte: %s', (_name, header) => {
    expect(read(header.subarray(0, 15))).toEqual({ verdict: 'incomplete' });
    expect(read(header.subarray(0, 16))).toEqual({ verdict: 'malformed' });
  });

  it('is told from a right one at the first byte that cannot be right', () => {
    expect(read(Buffer.from('G'))).toEqual({ verdict: 'malformed' });
    expect(read(Buffer.from('PG'))).toEqual({ verdict: 'malformed' });
    expect(read(Buffer.from('\r\nG'))).toEqual({ verdict: 'malformed' });
  });

  it('never takes more than its bound, whatever comes', () => {
    const starts = fc
      .constantFrom('', 'PROXY ', 'PROXY TCP4 ', `${START.toString('latin1')}!`)
      .map((text) => Buffer.from(text, 'latin1'));
    fc.assert(
      fc.property(starts, fc.uint8Array({ maxLength: 4_300, size: 'max' }), (start, rest) => {
        const { verdict, bytes = 0 } = read(start, rest, Buffer.alloc(4_200, 'x'));
        expect(verdict).not.toBe('incomplete');
        expect(bytes).toBeLessThanOrEqual(4_112);
      }),
    );
  });
});
