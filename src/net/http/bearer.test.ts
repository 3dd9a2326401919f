import { describe, expect, test } from 'vitest';
import { BearerTokens } from './bearer.ts';

describe('BearerTokens', () => {
  test('asks nobody when there is none', () => {
    expect(new BearerTokens([]).accept(undefined)).toBe(true);
    expect(new BearerTokens([]).accept('Bearer abc')).toBe(true);
  });

  test('takes the right token only', () => {
    const tokens = new BearerTokens(['abc']);
    expect(tokens.accept('Bearer abc')).toBe(true);
    expect(tokens.accept('bearer  abc')).toBe(true);
    const wrong = ['', 'Bearer', 'Bearer ', 'Bearer abcd', 'Bearer ab', 'Basic abc', 'abc', 'Bearer abc abc'];
    for (const shown of [undefined, ...wrong]) expect(tokens.accept(shown)).toBe(false);
    expect(new BearerTokens(['']).accept(undefined)).toBe(false);
  });

  test('takes any of several, wherever it stands', () => {
    const tokens = new BearerTokens(['one', 'two', 'three']);
    for (const right of ['one', 'two', 'three']) expect(tokens.accept(`Bearer ${right}`)).toBe(true);
    for (const wrong of ['four', 'onetwo', 'one,two', ''])
      expect(tokens.accept(`Bearer ${wrong}`)).toBe(false);
  });

  test('takes only the new ones once they are replaced', () => {
    const tokens = new BearerTokens(['old', 'staying']);
    tokens.replace(['staying', 'new']);
    expect(tokens.accept('Bearer old')).toBe(false);
    expect(tokens.accept('Bearer staying')).toBe(true);
    expect(tokens.accept('Bearer new')).toBe(true);
  });
});
