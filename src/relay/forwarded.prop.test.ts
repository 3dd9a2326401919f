/** No client can make the application believe that it is somebody else. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { formatAddress, isInRange, parseAddress, parseRange } from './address-range.ts';
import { ForwardedRule } from './forwarded.ts';

const v4 = fc.tuple(...([0, 1, 2, 3].map(() => fc.nat(255)) as fc.Arbitrary<number>[]));
const v6 = fc.array(fc.oneof(fc.constant(0), fc.nat(0xffff)), { minLength: 8, maxLength: 8 });
const anyAddress = fc.oneof(v4, v6).map(formatAddress);
const trustedAddress = v4.map(([, b, c, d]) => `10.${b}.${c}.${d}`);
const stranger = fc
  .oneof(v4, v6)
  .map(formatAddress)
  .filter((text) => !text.startsWith('10.'));
const anyWord = fc.oneof(
  anyAddress,
  trustedAddress,
  fc.string(),
  fc.constantFrom(',', ' ', 'unknown', '10.0.0.1'),
);

function read(remoteAddress: string, lines: Readonly<Record<string, readonly string[]>>) {
  const headerLines = (name: string) => lines[name] ?? [];
  const request = { remoteAddress, tls: null, headerLines, header: (name: string) => headerLines(name)[0] };
  return new ForwardedRule(['10.0.0.0/8']).read(request);
}

it('reads what it writes', () => {
  fc.assert(
    fc.property(anyAddress, (text) => {
      const mapped = /^::ffff:[\da-f]+:[\da-f]+$/.test(text);
      const again = formatAddress(parseAddress(text) ?? []);
      expect(mapped ? again.includes('.') : again === text).toBe(true);
    }),
    { numRuns: 1_000 },
  );
});

it('finds in a range exactly the addresses that begin as it does', () => {
  const binary = (address: readonly number[]) =>
    address.map((part) => part.toString(2).padStart(address.length === 4 ? 8 : 16, '0')).join('');
  fc.assert(
    fc.property(fc.oneof(fc.tuple(v4, v4), fc.tuple(v6, v6)), fc.nat(128), ([base, other], wish) => {
      const bits = Math.min(wish, binary(base).length);
      const same = binary(base).slice(0, bits) === binary(other).slice(0, bits);
      expect(isInRange({ base, bits }, other)).toBe(same);
      expect(isInRange({ base, bits }, base)).toBe(true);
    }),
    { numRuns: 1_000 },
  );
});

it('survives any text', () => {
  const hostile = fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom(...'0123456789abf:./%[]') }));
  fc.assert(
    fc.property(hostile, (text) => {
      const address = parseAddress(text);
      if (address !== null) expect(parseAddress(formatAddress(address))).toEqual(address);
      const range = parseRange(text);
      if (range.ok) expect(isInRange(range.value, range.value.base)).toBe(true);
    }),
    { numRuns: 5_000 },
  );
});

it('takes no stranger for anybody else, whatever it says', () => {
  fc.assert(
    fc.property(stranger, fc.array(anyWord), fc.array(anyWord), (peer, chain, words) => {
      const said = { 'x-forwarded-for': chain, 'x-forwarded-proto': words, 'x-forwarded-host': words };
      expect(read(peer, said)).toEqual(read(peer, {}));
    }),
  );
});

it('finds the stranger who spoke to the first trusted proxy, whatever the stranger said', () => {
  fc.assert(
    fc.property(
      ...([stranger, fc.array(anyWord), fc.array(trustedAddress, { maxLength: 30 })] as const),
      (client, hearsay, proxies) => {
        const lines = [hearsay.join(', '), [client, ...proxies].join(', ')];
        const origin = read('10.9.9.9', { 'x-forwarded-for': lines });
        const known = formatAddress(parseAddress(client) ?? []);
        expect(origin.address).toBe(known);
        expect(origin.lines?.[1]).toBe([known, ...proxies, '10.9.9.9'].join(', '));
      },
    ),
  );
});

it('writes header lines only', () => {
  fc.assert(
    fc.property(fc.array(anyWord), fc.array(fc.string(), { maxLength: 3 }), (chain, words) => {
      const said = { 'x-forwarded-for': chain, 'x-forwarded-proto': words, 'x-forwarded-host': words };
      const { lines } = read('10.9.9.9', { ...said, host: words });
      expect(lines?.every((text) => /^[\x21-\x7e]+(?:, [\x21-\x7e]+)*$/.test(text))).toBe(true);
    }),
  );
});
