/** Offers of extensions against the parser of `ws`, and against whatever comes. */
import { createRequire } from 'node:module';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { agreedDeflate, type ExtensionOffer, readExtensionOffers } from './websocket-extensions.ts';

/** What `ws` reads: names, and for each offer its parameters with all their values. */
type Oracle = Record<string, Record<string, (string | true)[]>[]>;
const require = createRequire(import.meta.url);
const { parse } = require(require.resolve('ws').replace('index.js', 'lib/extension.js')) as {
  readonly parse: (line: string) => Oracle;
};

const token = fc.constantFrom('a', 'permessage-deflate', 'server_max_window_bits', 'x!#', '10', '9');
const space = fc.constantFrom('', '', ' ', '\t ');
const parameter = fc.tuple(token, fc.option(token));
const offer = fc.record({ name: token, parameters: fc.array(parameter, { maxLength: 4 }) });
const offers = fc.array(offer, { minLength: 1, maxLength: 4 });

function write(list: readonly ExtensionOffer[], gap: string, quoted: boolean): string {
  const value = (text: string) => (quoted ? `"${text.replace('a', '\\a')}"` : text);
  const written = list.map(({ name, parameters }) =>
    [name, ...parameters.map(([key, text]) => (text === null ? key : `${key}=${value(text)}`))].join(
      `${gap};${gap}`,
    ),
  );
  return written.join(`${gap},${gap}`);
}

/** The same in the shape of the oracle. */
function asOracle(list: readonly ExtensionOffer[]): Oracle {
  const all: Oracle = Object.create(null);
  for (const { name, parameters } of list) {
    const values: Record<string, (string | true)[]> = Object.create(null);
    for (const [key, text] of parameters) values[key] = [...(values[key] ?? []), text ?? true];
    all[name] = [...(all[name] ?? []), values];
  }
  return all;
}

it('reads what is well-formed, as the oracle does', () => {
  fc.assert(
    fc.property(offers, space, fc.boolean(), (list, gap, quoted) => {
      const line = write(list, gap, quoted);
      expect(readExtensionOffers([line])).toEqual(list);
      expect(asOracle(list)).toEqual(parse(line));
    }),
    { numRuns: 500 },
  );
});

it('reads nothing that the oracle reads otherwise', () => {
  const soup = fc
    .array(fc.constantFrom('a', 'b', '=', ';', ',', ' ', '"', '\\', '1', '\t', '\u00e9'), { maxLength: 16 })
    .map((letters) => letters.join(''));
  const oracle = (line: string): Oracle | null => {
    try {
      return parse(line);
    } catch {
      return null;
    }
  };
  fc.assert(
    fc.property(soup, (line) => {
      const read = readExtensionOffers([line]);
      const theirs = oracle(line);
      // The oracle is stricter about spaces and empty elements, never more generous.
      if (theirs !== null) expect(asOracle(read ?? [])).toEqual(theirs);
    }),
    { numRuns: 5_000 },
  );
});

it('answers any bytes with nothing or with what every client understands', () => {
  const line = fc.oneof(
    fc.string(),
    offers.map((list) => write(list, ' ', false)),
  );
  fc.assert(
    fc.property(fc.array(line, { maxLength: 4 }), fc.integer({ min: 9, max: 15 }), (lines, windowBits) => {
      const answer = agreedDeflate(lines, windowBits);
      if (answer === null) return;
      expect(readExtensionOffers(lines)).not.toBeNull();
      // The answer is an offer as well, and is answered by itself.
      expect(agreedDeflate([answer], windowBits)).toBe(answer);
    }),
    { numRuns: 2_000 },
  );
});
