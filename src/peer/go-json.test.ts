/** Each peculiarity of Go's JSON that a peer of the original meets, one row each; and that nothing throws. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { failed, ok, PEER_LIMITS } from '../base/index.ts';
import { type GoJson, readGoJson } from './go-json.ts';

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

function read<Value>(text: string | Uint8Array, take: (json: GoJson) => Value) {
  const result = readGoJson(typeof text === 'string' ? bytesOf(text) : text, take);
  return result.ok ? result.value : 'refused';
}

describe('integers', () => {
  it.each<[string, bigint | 'refused']>([
    ['0', 0n],
    ['7', 7n],
    ['9007199254740993', 9_007_199_254_740_993n],
    ['18446744073709551615', 18_446_744_073_709_551_615n],
    ['18446744073709551616', 'refused'],
    ['99999999999999999999', 'refused'],
    [`1${'0'.repeat(100_000)}`, 'refused'],
    ['null', 42n],
    ['2.0', 'refused'],
    ['2e0', 'refused'],
    ['2E1', 'refused'],
    ['"2"', 'refused'],
    ['-1', 'refused'],
    ['-0', 'refused'],
    ['+1', 'refused'],
    ['01', 'refused'],
    ['0x1', 'refused'],
    ['.5', 'refused'],
    ['true', 'refused'],
    ['{}', 'refused'],
    ['', 'refused'],
  ])('%s', (text, value) => {
    expect(read(text, (json) => json.uint64(42n))).toBe(value);
  });
});

describe('byte strings', () => {
  it.each<[string, string | 'refused']>([
    ['""', ''],
    ['null', ''],
    ['"YQ=="', 'a'],
    ['"YWI="', 'ab'],
    ['"YWJj"', 'abc'],
    ['"YW\\r\\nJj"', 'abc'],
    ['"YQ=\\n=\\r\\n"', 'a'],
    ['"\\u0059Q=="', 'a'],
    ['"YQ\\/\\/"', 'a\x0f\xff'],
    ['"YQ"', 'refused'],
    ['"YQ="', 'refused'],
    ['"Y==="', 'refused'],
    ['"YQ==YQ=="', 'refused'],
    ['"_-_-"', 'refused'],
    ['"YQ =="', 'refused'],
    ['"Y\u00e4=="', 'refused'],
    ['[97,98]', 'ab'],
    ['[]', ''],
    ['[97, null]', 'a\x00'],
    ['[256]', 'refused'],
    ['[-1]', 'refused'],
    ['[1.0]', 'refused'],
    ['["a"]', 'refused'],
    ['5', 'refused'],
    ['{}', 'refused'],
  ])('%s', (text, value) => {
    const bytes = read(text, (json) => json.bytes());
    expect(bytes === 'refused' ? bytes : Buffer.from(bytes).toString('latin1')).toBe(value);
  });

  it('may be long lists of numbers', () => {
    const numbers = Array.from({ length: 1_000 }, (_, at) => at % 256);
    expect(read(JSON.stringify(numbers), (json) => [...json.bytes()])).toEqual(numbers);
  });
});

describe('texts', () => {
  it.each<[string | Uint8Array, string]>([
    ['"plain"', 'plain'],
    ['null', 'before'],
    ['"\\"\\\\\\/\\b\\f\\n\\r\\t"', '"\\/\b\f\n\r\t'],
    ['"\\u00e9\\u20AC"', '\u00e9\u20ac'],
    ['"\\ud83d\\ude00"', '\u{1f600}'],
    ['"\\ud83d"', '\ufffd'],
    ['"\\ud83dx"', '\ufffdx'],
    ['"\\ud83d\\u0041"', '\ufffdA'],
    ['"\\ude00\\ud83d"', '\ufffd\ufffd'],
    ['"gr\u00fc\u00dfe \u{1f600}"', 'gr\u00fc\u00dfe \u{1f600}'],
    // Each byte that is no UTF-8 stands for itself.
    [Uint8Array.of(0x22, 0xff, 0xe2, 0x82, 0x41, 0x22), '\ufffd\ufffd\ufffdA'],
    [Uint8Array.of(0x22, 0xed, 0xa0, 0x80, 0x22), '\ufffd\ufffd\ufffd'],
    ['"\\x41"', 'refused'],
    ['"\\u12g4"', 'refused'],
    ['"\\u12', 'refused'],
    ['"open', 'refused'],
    ['"open\\', 'refused'],
    ['"a\nb"', 'refused'],
    ['"a\u0000b"', 'refused'],
    ["'single'", 'refused'],
    ['5', 'refused'],
    ['[]', 'refused'],
  ])('%j', (text, value) => {
    expect(read(text, (json) => json.string('before'))).toBe(value);
  });

  it('are bounded where they have to be converted', () => {
    const long = `"${'\u00e9'.repeat(PEER_LIMITS.jsonTextBytesMax)}"`;
    expect(read(long, (json) => json.string(''))).toBe('refused');
  });
});

describe('truth', () => {
  it.each<[string, boolean | 'refused']>([
    ['true', true],
    ['false', false],
    ['null', true],
    ['True', 'refused'],
    ['1', 'refused'],
    ['"true"', 'refused'],
    ['truely', 'refused'],
  ])('%s', (text, value) => {
    expect(read(text, (json) => json.bool(true))).toBe(value);
  });
});

describe('objects', () => {
  const keysOf = (text: string | Uint8Array) =>
    read(text, (json) => {
      const seen: string[] = [];
      json.object((folded) => {
        seen.push(folded);
        return false;
      });
      return seen;
    });

  it.each<[string | Uint8Array, string[] | 'refused']>([
    ['{}', []],
    ['null', []],
    [' \t\r\n{ } \n', []],
    ['{"Instance":1,"instance":2}', ['instance', 'instance']],
    ['{"iNsTaNcE" : [ 1 , {"a":[ ]} ] }', ['instance']],
    // Go folds the long s and the Kelvin sign.
    ['{"\u017felf":1,"\u212aind":2}', ['self', 'kind']],
    [`{"${'x'.repeat(65)}":1}`, ['']],
    ['{"a":1,}', 'refused'],
    ['{"a":1 "b":2}', 'refused'],
    ['{"a" 1}', 'refused'],
    ['{a:1}', 'refused'],
    ['{,}', 'refused'],
    ['{"a":}', 'refused'],
    ['{"a":1', 'refused'],
    ['{"a":1]', 'refused'],
    ['{"a":[1}', 'refused'],
    ['{"a":[1,]}', 'refused'],
    ['{"a":[,1]}', 'refused'],
    ['{"a":{"b"}}', 'refused'],
    ['{"a":nul}', 'refused'],
    ['{"a":01}', 'refused'],
    ['{"a":1.}', 'refused'],
    ['{"a":1e}', 'refused'],
    ['{"a":NaN}', 'refused'],
    ['{} {}', 'refused'],
    ['{}x', 'refused'],
    ['{}\u0000', 'refused'],
    ['\ufeff{}', 'refused'],
    ['\u00a0{}', 'refused'],
    ['[]', 'refused'],
    ['"x"', 'refused'],
    ['// no\n{}', 'refused'],
    ['', 'refused'],
  ])('%j', (text, keys) => {
    expect(keysOf(text)).toEqual(keys);
  });

  it('may nest what is skipped as deeply as in Go, and no deeper', () => {
    const nested = (depth: number) => `{"x":${'['.repeat(depth)}${']'.repeat(depth)}}`;
    expect(keysOf(nested(PEER_LIMITS.jsonDepthMax - 1))).toEqual(['x']);
    expect(keysOf(nested(PEER_LIMITS.jsonDepthMax))).toBe('refused');
    expect(keysOf(`{"x":${'{"y":'.repeat(20_000)}1${'}'.repeat(20_000)}}`)).toBe('refused');
    expect(keysOf('['.repeat(1_000_000))).toBe('refused');
  });
});

describe('lists', () => {
  it('are bounded by whoever reads them', () => {
    const count = (text: string, max: number) =>
      read(text, (json) => {
        let values = 0;
        json.list(max, () => {
          json.skip();
          values++;
        });
        return values;
      });
    expect(count('[1,[2],{"a":3}]', 3)).toBe(3);
    expect(count('[1,[2],{"a":3}]', 2)).toBe('refused');
    expect(count('null', 2)).toBe(0);
    expect(count('[]', 0)).toBe(0);
    expect(count('{}', 2)).toBe('refused');
  });
});

describe('any bytes', () => {
  const skip = (bytes: Uint8Array) => readGoJson(bytes, (json) => json.skip());

  it('are taken where JSON.parse takes them, and refused where it does not', () => {
    const words = [
      '{',
      '}',
      '[',
      ']',
      ',',
      ':',
      '"a"',
      '"\\u00"',
      '1',
      '-0.5e3',
      '01',
      'null',
      'tru',
      ' ',
      '\n',
      '"',
    ];
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...words), { maxLength: 12 }), (parts) => {
        const text = parts.join('');
        let parses = true;
        try {
          JSON.parse(text);
        } catch {
          parses = false;
        }
        expect([text, skip(bytesOf(text)).ok]).toEqual([text, parses]);
      }),
      { numRuns: 3_000 },
    );
  });

  it('never throw', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        for (const take of [skip, wholeOf]) expect(typeof take(bytes).ok).toBe('boolean');
      }),
    );
    fc.assert(
      fc.property(fc.json(), (text) => {
        expect(skip(bytesOf(text))).toEqual(ok(undefined));
      }),
    );
  });

  it('say what was expected where, and nothing of themselves', () => {
    expect(readGoJson(bytesOf('{"secret":"x"'), (json) => json.object(() => false))).toEqual(
      failed('expected "," or "}" at byte 13'),
    );
  });
});

const wholeOf = (bytes: Uint8Array) => readGoJson(bytes, (json) => json.bytes());
