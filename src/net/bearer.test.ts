import { describe, expect, test } from 'vitest';
import { showsToken } from './bearer.ts';

describe('showsToken', () => {
  test('takes the right token only', () => {
    expect(showsToken(undefined, null)).toBe(true);
    expect(showsToken('Bearer abc', 'abc')).toBe(true);
    expect(showsToken('bearer  abc', 'abc')).toBe(true);
    const wrong = ['', 'Bearer', 'Bearer ', 'Bearer abcd', 'Bearer ab', 'Basic abc', 'abc', 'Bearer abc abc'];
    for (const shown of [undefined, ...wrong]) expect(showsToken(shown, 'abc')).toBe(false);
    expect(showsToken(undefined, '')).toBe(false);
  });
});
