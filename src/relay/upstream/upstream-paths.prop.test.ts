/** Whatever is done to the spelling of a path that is not for clients, it does not go on. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { UpstreamPaths } from './upstream-paths.ts';

const CALLBACK = '/hooks/v1/connect';
const paths = new UpstreamPaths({ own: ['/send'], callbacks: [CALLBACK] });

const escaped = (text: string) => `%${text.charCodeAt(0).toString(16).padStart(2, '0')}`;
/** How one character of a path may be written so that some backend reads the same. */
const spellings: readonly ((character: string) => string)[] = [
  (character) => character,
  (character) => character.toUpperCase(),
  (character) => escaped(character),
  (character) => escaped(character).toUpperCase(),
  (character) => escaped(character).replace('%', '%25'),
  (character) => (character === '/' ? '//' : character),
  (character) => (character === '/' ? '/./' : character),
  (character) => (character === '/' ? '\\' : character),
  (character) => (character === '/' ? '/x/../' : character),
  (character) => (character === '/' ? '/%2e/' : character),
  (character) => (character === '/' ? ';p=1/' : character),
  (character) => `${character}%09`,
];
const ends = fc.constantFrom('', '/', '.json', '/x', ';a', '%20', '%3f', '?', '#', '/..', '/.', '%2f');

function spelled(path: string) {
  return fc
    .tuple(fc.tuple(...[...path].map(() => fc.constantFrom(...spellings))), ends)
    .map(([choices, end]) => `/${[...path].map((character, at) => choices[at]?.(character)).join('')}${end}`);
}

it('a callback has no spelling that goes on', () => {
  fc.assert(
    fc.property(spelled(CALLBACK.slice(1)), (path) => {
      expect(paths.verdict(path)).toBe('refused');
    }),
  );
});

it('a path of the gateway has none either', () => {
  const sameEnds = /(?:\/x|\.json)$/;
  fc.assert(
    fc.property(
      spelled('send').filter((path) => !sameEnds.test(path)),
      (path) => {
        expect(paths.verdict(path)).toBe('own');
      },
    ),
  );
});

it('pages of other names go on', () => {
  const segment = fc.stringMatching(/^[a-z0-9][a-z0-9._~-]{0,8}$/).filter((text) => text !== 'send');
  fc.assert(
    fc.property(fc.array(segment, { minLength: 1, maxLength: 4 }), (segments) => {
      expect(paths.verdict(`/pages/${segments.join('/')}`)).toBe('pass');
    }),
  );
});

it('any text at all is read without an accident', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (text) => {
      expect(['own', 'refused', 'pass']).toContain(paths.verdict(text));
    }),
  );
});
