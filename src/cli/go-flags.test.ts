import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type GoFlag, goUsage, parseGoFlags } from './go-flags.ts';

const flags: readonly GoFlag[] = [
  { name: 'port', type: 'text', help: 'a port' },
  { name: 'config', type: 'text', help: 'a file', fallback: 'config.yml' },
  { name: 'version', type: 'switch', help: 'the version' },
];

function values(...words: string[]) {
  const outcome = parseGoFlags(flags, words);
  if (outcome.type !== 'parsed') throw new Error(JSON.stringify(outcome));
  return outcome;
}

describe('parseGoFlags', () => {
  test('takes all spellings of a value', () => {
    for (const words of [['-port', '1'], ['-port=1'], ['--port', '1'], ['--port=1']]) {
      expect(values(...words).values).toEqual({ port: '1', config: 'config.yml', version: 'false' });
    }
    expect(values('-config=a=b').values.config).toBe('a=b');
    expect(values('-config=').values.config).toBe('');
    expect(values('-port', '-version').values).toMatchObject({ port: '-version', version: 'false' });
    expect(values('-port', '1', '-port', '2').values.port).toBe('2');
  });

  test('a switch takes a value only behind an equals sign', () => {
    expect(values('-version').values.version).toBe('true');
    expect(values('-version=F').values.version).toBe('false');
    expect(values('-version', 'false')).toMatchObject({ values: { version: 'true' }, rest: ['false'] });
    expect(parseGoFlags(flags, ['-version=yes'])).toMatchObject({ type: 'invalid' });
  });

  test('stops at the first word that is no flag', () => {
    expect(values('-port', '1', 'file', '-version')).toMatchObject({
      rest: ['file', '-version'],
      given: new Set(['port']),
    });
    expect(values('--', '-version').rest).toEqual(['-version']);
    expect(values('-', '-version').rest).toEqual(['-', '-version']);
  });

  test('refuses what it does not know', () => {
    expect(parseGoFlags(flags, ['-nope'])).toEqual({ type: 'invalid', message: 'unknown flag: -nope' });
    expect(parseGoFlags(flags, ['-port'])).toEqual({ type: 'invalid', message: '-port needs a value' });
    for (const bad of ['---port', '-=1', '--=']) {
      expect(parseGoFlags(flags, [bad])).toEqual({ type: 'invalid', message: `bad flag syntax: ${bad}` });
    }
  });

  test('asks for help', () => {
    for (const word of ['-h', '--h', '-help', '--help']) {
      expect(parseGoFlags(flags, [word])).toEqual({ type: 'help' });
    }
  });

  test('any value survives behind an equals sign, and any words get an answer', () => {
    fc.assert(
      fc.property(fc.string(), (value) => {
        expect(values(`-port=${value}`).values.port).toBe(value);
        expect(values('-port', value).values.port).toBe(value);
      }),
    );
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.string(), fc.constantFrom('-', '--', '-port', '-version='))),
        (words) => {
          const outcome = parseGoFlags(flags, words);
          if (outcome.type === 'parsed')
            expect(words.slice(words.length - outcome.rest.length)).toEqual(outcome.rest);
        },
      ),
    );
  });
});

test('goUsage lists every flag with its default', () => {
  expect(goUsage('ekbo', flags)).toBe(
    'Usage of ekbo:\n' +
      '  -config string\n    \ta file (default "config.yml")\n' +
      '  -port string\n    \ta port\n' +
      '  -version\n    \tthe version\n',
  );
});
