/** `${VAR}` inside one value: forms, escapes, failures, bounds. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { escapeVariables, expandVariables } from './expand-variables.ts';

const open = '$' + '{';
const environment = { A: 'a', EMPTY: '', NESTED: `${open}A}` };

function expand(text: string): string {
  const outcome = expandVariables(text, environment);
  return outcome.ok ? outcome.value : `! ${outcome.error}`;
}

describe('expandVariables', () => {
  it.each([
    [`x${open}A}y${open}A}`, 'xaya'],
    [`${open}EMPTY}`, ''],
    [`${open}EMPTY:-d}`, 'd'],
    [`${open}NONE:-d:-e}`, 'd:-e'],
    [`${open}NONE:-}`, ''],
    [`$${open}A}`, `${open}A}`],
    ['$A $ {A}', '$A $ {A}'],
    [`${open}NESTED}`, `${open}A}`],
  ])('makes %j to %j', (text, expected) => {
    expect(expand(text)).toBe(expected);
  });

  it.each([
    [`${open}NONE}`, 'NONE is not set'],
    [`${open}constructor}`, 'constructor is not set'],
    [`${open}A`, 'not closed'],
    [`${open}}`, 'is not a reference'],
    [`${open}A-b}`, 'is not a reference'],
    [`${open}1A}`, 'is not a reference'],
    [`${open}A:-${open}B}}`, 'may not refer to another'],
  ])('refuses %j', (text, message) => {
    expect(expand(text)).toContain(message);
  });

  it('bounds the result', () => {
    const outcome = expandVariables(`${open}A}`.repeat(10), { A: 'x'.repeat(10_000) });
    expect(outcome.ok).toBe(false);
  });

  it('gives any escaped text back', () => {
    const parts = fc.array(fc.oneof(fc.constantFrom('$', '{', '}', open, 'A', ':-'), fc.string()));
    fc.assert(
      fc.property(parts, (pieces) => {
        const text = pieces.join('');
        expect(expand(escapeVariables(text))).toBe(text);
      }),
    );
  });
});
