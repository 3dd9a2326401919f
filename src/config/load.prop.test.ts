/** Arbitrary and damaged files: never an exception, and every problem has a place in the file. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { parseConfig } from './load.ts';
import { renderExample } from './reference.ts';

const EXAMPLE = renderExample();
const env = { A: 'a', B: '{ x: 1 }', C: '\n- y' };

function check(text: string): void {
  const outcome = parseConfig({ text, path: 'config.yml', env });
  if (outcome.ok) return;
  expect(outcome.error.length).toBeGreaterThan(0);
  const lines = text.split('\n');
  for (const problem of outcome.error) {
    expect(problem.line).toBeGreaterThanOrEqual(1);
    expect(problem.column).toBeGreaterThanOrEqual(1);
    expect(problem.line).toBeLessThanOrEqual(lines.length);
    expect(problem.column).toBeLessThanOrEqual((lines[problem.line - 1] ?? '').length + 1);
    expect(problem.message).not.toBe('');
  }
}

const hostile = fc.constantFrom(
  ...[
    '{{',
    '}}',
    '{{ env "A" }}',
    '{{ env "B" }}',
    '{{ env "C" }}',
    '$' + '{A}',
    '$' + '{',
    '&a ',
    '*a',
    '<<: *a',
  ],
  ...[
    '!!str ',
    '!x ',
    '[',
    ']',
    '{',
    '}',
    ': ',
    '- ',
    '? ',
    '|\n',
    '>',
    '"',
    "'",
    '#',
    '\n',
    '\t',
    '---\n',
    '%',
    '\0',
  ],
  ...['port: ', 'callback:\n  ', 'null', '__proto__: ', '-1', '1e999', '0x', '~', '\u2028', '\ud800'],
);

it('arbitrary text', () => {
  const text = fc.array(fc.oneof(hostile, fc.string({ unit: 'binary' })), { maxLength: 60 });
  fc.assert(
    fc.property(text, (parts) => check(parts.join(''))),
    { numRuns: 500 },
  );
});

it('a valid file with pieces cut out and put in', () => {
  const cut = fc.record({
    at: fc.nat(EXAMPLE.length),
    length: fc.nat(20),
    put: fc.oneof(hostile, fc.string({ maxLength: 10 })),
  });
  const damage = fc.array(cut, { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(damage, (cuts) => {
      let text = EXAMPLE;
      for (const { at, length, put } of cuts) text = text.slice(0, at) + put + text.slice(at + length);
      check(text);
    }),
    { numRuns: 500 },
  );
});

it('any value of a variable gives exactly that value, or a problem on its line', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', minLength: 1 }), (value) => {
      const text = `# first\nsock: $${'{V}'}\n`;
      const outcome = parseConfig({ text, path: 'config.yml', env: { V: value } });
      if (!outcome.ok) expect(outcome.error.map((problem) => problem.line)).toEqual([2]);
      else if (!['~', 'null', 'Null', 'NULL'].includes(value)) expect(outcome.value.config.sock).toBe(value);
    }),
  );
});
