/** Offers of extensions: the examples of RFC 7692, what is declined, and what is malformed. */
import { describe, expect, it } from 'vitest';
import { agreedDeflate, readExtensionOffers } from './websocket-extensions.ts';

const PLAIN = 'permessage-deflate; server_no_context_takeover; client_no_context_takeover';

describe('agreedDeflate', () => {
  it.each([
    ['what browsers offer', 'permessage-deflate; client_max_window_bits', PLAIN],
    ['nothing but the name', 'permessage-deflate', PLAIN],
    ['both promises of the client', PLAIN, PLAIN],
    ['a window of the client', 'permessage-deflate; client_max_window_bits=8', PLAIN],
    [
      'a window of ours',
      'permessage-deflate; server_max_window_bits=15',
      `${PLAIN}; server_max_window_bits=15`,
    ],
    [
      'a quoted value',
      'permessage-deflate; server_max_window_bits="1\\5"',
      `${PLAIN}; server_max_window_bits=15`,
    ],
    [
      'a fallback behind a wish (RFC 7692 5.1)',
      'permessage-deflate; server_max_window_bits=10, permessage-deflate',
      PLAIN,
    ],
    ['an offer behind unknown ones', 'x-webkit-deflate-frame, a;b=c;d="e" , ,permessage-deflate', PLAIN],
    ['spaces wherever they may be', ' permessage-deflate\t;\tclient_max_window_bits = 9 ,', PLAIN],
  ])('agrees to %s', (_, line, answer) => {
    expect(agreedDeflate([line], 15)).toBe(answer);
  });

  it.each([
    ['another extension', 'permessage-bzip2'],
    ['another case: names are compared as they are', 'Permessage-Deflate'],
    ['an unknown parameter', 'permessage-deflate; level=9'],
    ['a repeated parameter', 'permessage-deflate; client_max_window_bits; client_max_window_bits=10'],
    ['a value where none belongs', 'permessage-deflate; server_no_context_takeover=true'],
    ['a value where none belongs, of the client', 'permessage-deflate; client_no_context_takeover=1'],
    ['a window without its size', 'permessage-deflate; server_max_window_bits'],
    ['a smaller window than ours', 'permessage-deflate; server_max_window_bits=14'],
    ...['7', '16', '015', '+9', '1e1', '0xF', '-9'].map((bits) => [
      `a window of ${bits}`,
      `permessage-deflate; server_max_window_bits=${bits}`,
    ]),
    ...['7', '16', '08', 'x'].map((bits) => [
      `a window of the client of ${bits}`,
      `permessage-deflate; client_max_window_bits=${bits}`,
    ]),
  ])('declines %s', (_, line) => {
    expect(agreedDeflate([line as string], 15)).toBeNull();
  });

  it('tells a window that is smaller than what clients expect, and accepts wishes for it', () => {
    const answer = `${PLAIN}; server_max_window_bits=10`;
    expect(agreedDeflate(['permessage-deflate'], 10)).toBe(answer);
    expect(agreedDeflate(['permessage-deflate; server_max_window_bits=12'], 10)).toBe(answer);
    expect(agreedDeflate(['permessage-deflate; server_max_window_bits=9'], 10)).toBeNull();
  });

  it('looks at a bounded number of offers', () => {
    const others = 'a, '.repeat(31);
    expect(agreedDeflate([`${others}permessage-deflate`], 15)).toBe(PLAIN);
    expect(agreedDeflate([`a, ${others}permessage-deflate`], 15)).toBeNull();
  });
});

describe('readExtensionOffers', () => {
  it('reads several lines as one list, and no line as none', () => {
    expect(readExtensionOffers([])).toEqual([]);
    expect(readExtensionOffers(['', ' , ,'])).toEqual([]);
    expect(readExtensionOffers(['a; b=1; c', 'd;e="f"'])).toEqual([
      {
        name: 'a',
        parameters: [
          ['b', '1'],
          ['c', null],
        ],
      },
      { name: 'd', parameters: [['e', 'f']] },
    ]);
  });

  it.each([
    ['a parameter without a name', 'a;'],
    ['a parameter without a name, and more', 'a;;b'],
    ['a name without an extension', ';a'],
    ['a value that is missing', 'a; b='],
    ['an empty quoted value', 'a; b=""'],
    ['a quoted value that is no token', 'a; b="c d"'],
    ['a quoted value without its end', 'a; b="c'],
    ['a backslash before nothing', 'a; b="c\\"'],
    ['two words without a separator', 'a b'],
    ['two values', 'a; b=c=d'],
    ['text behind a quoted value', 'a; b="c"d'],
    ['a byte that is no token', 'a\u00e9'],
  ])('does not read %s', (_, line) => {
    expect(readExtensionOffers([line])).toBeNull();
    expect(agreedDeflate(['permessage-deflate', line], 15)).toBeNull();
  });
});
