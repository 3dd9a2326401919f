/** The example's bytes and flags; its processes are in `test/integration/replicated-kv.test.ts`. */
import { describe, expect, it } from 'vitest';
import { addressOf, parseFlags } from './flags.ts';
import { KeyValues, type KvChange, kvCodec } from './key-values.ts';

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
const bytes = (words: string): Uint8Array => new TextEncoder().encode(words);

function holding(...pairs: [string, string][]): KeyValues {
  const values = new KeyValues();
  for (const [key, value] of pairs) values.apply({ type: 'add', key, value });
  return values;
}

describe('changes', () => {
  const both: [KvChange, string][] = [
    [{ type: 'add', key: 'k', value: 'v' }, 'ADD×k×v'],
    [{ type: 'add', key: '', value: '' }, 'ADD××'],
    [{ type: 'remove', key: 'k' }, 'RM×k×'],
  ];
  it.each(both)('%j is written and read as %s', (change, words) => {
    expect(text(kvCodec.encode(change))).toBe(words);
    expect(kvCodec.decode(bytes(words), 1)).toEqual(change);
  });

  it.each(['', 'ADD', 'ADD×k', 'RM', 'add×k×v', '\u0000'])('%j is none', (words) => {
    expect(() => kvCodec.decode(bytes(words), 1)).toThrow();
  });

  it('with the separator in a word are refused, and read up to it where others sent them', () => {
    expect(() => kvCodec.encode({ type: 'add', key: 'a×b', value: 'v' })).toThrow('×');
    expect(kvCodec.decode(bytes('ADD×a×b×c'), 1)).toEqual({ type: 'add', key: 'a', value: 'b' });
  });
});

describe('the state', () => {
  it('is equal bytes when it is equal, whatever the order of its making', () => {
    expect(text(holding(['b', '2'], ['a', '1']).snapshot())).toBe('a×1×b×2×');
    expect(text(new KeyValues().snapshot())).toBe('');
  });

  it('is replaced by a snapshot, not merged with it', () => {
    const values = holding(['old', '1'], ['a', '0']);
    values.install(bytes('a×1×b××'));
    expect(values.toJSON()).toEqual({ a: '1', b: '' });
    values.install(bytes(''));
    expect(values.toJSON()).toEqual({});
  });

  it('shows keys that objects have anyway', () => {
    expect(JSON.stringify(holding(['__proto__', 'x'], ['constructor', 'y']))).toBe(
      '{"__proto__":"x","constructor":"y"}',
    );
  });
});

describe('flags', () => {
  it('are those of the original, in all ways of Go', () => {
    const words = ['-initMaster', '-participants', '127.0.0.2:9000,:9001', '--listen=127.0.0.1:9000'];
    expect(
      parseFlags([...words, '-cluster', 'c', '-interval=86400', '--data', 'd', '-mode', 'interop']),
    ).toEqual({
      initMaster: true,
      participants: ['http://127.0.0.2:9000', 'http://127.0.0.1:9001'],
      host: '127.0.0.1',
      port: 9000,
      cluster: 'c',
      intervalSeconds: 86_400,
      dataDir: 'd',
      mode: 'interop',
      secretFile: null,
      heartbeatMs: null,
      electionMs: null,
    });
  });

  it('have defaults, and no participant where none is named', () => {
    const flags = parseFlags(['-initMaster=false', '-participants', '']);
    expect(flags).toMatchObject({ initMaster: false, participants: [], cluster: 'cluster1', mode: 'strict' });
    expect(addressOf(flags)).toBe('http://127.0.0.1:9000');
  });

  it.each([
    ['-listen', 'nowhere'],
    ['-mode', 'legacy'],
    ['-interval', 'soon'],
    ['-interval', '0'],
    ['-unknown', 'x'],
  ])('%s %s is refused', (...words) => {
    expect(() => parseFlags(words)).toThrow();
  });
});
