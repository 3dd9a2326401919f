/** YAML 1.1's words for booleans, numbers and nothing. */
import { expect, it } from 'vitest';
import { readBoolean, readNumber, Scalar } from './scalar.ts';

const plain = (text: string) => new Scalar(text, { plain: true });
const quoted = (text: string) => new Scalar(text, { plain: false });

it.each(['y', 'Yes', 'ON', 'true', 'TRUE'])('takes %s for true', (text) => {
  expect(readBoolean(plain(text))).toBe(true);
  expect(readBoolean(quoted(text))).toBeNull();
});

it.each(['n', 'No', 'OFF', 'false', 'False'])('takes %s for false', (text) => {
  expect(readBoolean(plain(text))).toBe(false);
});

it.each(['yEs', 'tRUE', '1', '0', '', 'enabled'])('takes %j for no boolean', (text) => {
  expect(readBoolean(plain(text))).toBeNull();
});

it.each([
  ['0', 0],
  ['-0', 0],
  ['10', 10],
  ['+10', 10],
  ['-10', -10],
  ['1_000', 1_000],
  ['0x1F', 31],
  ['-0x1F', -31],
  ['017', 15],
  ['0o17', 15],
  ['0b11', 3],
  ['1.5', 1.5],
  ['.5', 0.5],
  ['1e3', 1_000],
  ['-2.', -2],
])('reads the number %s', (text, expected) => {
  expect(readNumber(plain(text))).toBe(expected);
  expect(readNumber(quoted(text))).toBeNull();
});

it.each(['', '10:30', '.', 'e3', '0x', '1e999', '.inf', '.nan', '10s', '0b', '_'])(
  'takes %j for no number',
  (text) => {
    expect(readNumber(plain(text))).toBeNull();
  },
);

it('knows the ways to write nothing', () => {
  expect(['', '~', 'null', 'Null', 'NULL'].map((text) => plain(text).empty)).not.toContain(false);
  expect(quoted('').empty).toBe(true);
  expect(quoted('null').empty).toBe(false);
});
