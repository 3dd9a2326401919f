import { describe, expect, test } from 'vitest';
import { HIDDEN, LOG_BOUNDS, scrubFields } from './scrub.ts';

const hiding = { showSecrets: false };

describe('scrubFields', () => {
  test('hides secrets under any spelling and at any depth', () => {
    const scrubbed = scrubFields(
      {
        Authorization: 'Bearer x',
        headers: { cookie: 'a=b', 'Set-Cookie': ['c'], accept: '*/*' },
        list: [{ token: 't' }],
      },
      hiding,
    );
    expect(scrubbed).toEqual({
      Authorization: HIDDEN,
      headers: { cookie: HIDDEN, 'Set-Cookie': HIDDEN, accept: '*/*' },
      list: [{ token: HIDDEN }],
    });
  });

  test('shows them when the operator asked for headers', () => {
    expect(scrubFields({ cookie: 'a=b' }, { showSecrets: true })).toEqual({ cookie: 'a=b' });
  });

  test('never shows bytes', () => {
    expect(
      scrubFields({ payload: new Uint8Array(3), more: Buffer.from('abc') }, { showSecrets: true }),
    ).toEqual({
      payload: '[3 bytes]',
      more: '[3 bytes]',
    });
  });

  test('cuts what is long, deep or wide', () => {
    let deep: unknown = 'bottom';
    for (let depth = 0; depth < 50; depth++) deep = { deep };
    const wide = Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`k${index}`, index]));
    const scrubbed = scrubFields(
      { text: 'x'.repeat(100_000), deep, wide, list: Array(1_000).fill(1) },
      hiding,
    );
    expect(String(scrubbed.text).length).toBeLessThan(LOG_BOUNDS.textCharsMax + 50);
    expect(JSON.stringify(scrubbed.deep)).toContain('[…]');
    expect(Object.keys(scrubbed.wide as object)).toHaveLength(LOG_BOUNDS.entriesMax + 1);
    expect(scrubbed.list).toHaveLength(LOG_BOUNDS.entriesMax + 1);
  });

  test('shows what a terminal would obey', () => {
    const { url } = scrubFields({ url: 'a\u009b31mb\u007fc\u202ed\u2028e é €' }, hiding);
    expect(url).toBe('a\\u009b31mb\\u007fc\\u202ed\\u2028e é €');
  });

  test('takes no field for the prototype of the line', () => {
    const fields = JSON.parse('{"__proto__":{"admin":true},"a":1}') as Record<string, unknown>;
    const scrubbed = scrubFields(fields, hiding);
    expect(scrubbed.admin).toBeUndefined();
    expect(JSON.stringify(scrubbed)).toBe('{"a":1}');
  });

  test('survives what JSON cannot say', () => {
    const circular: Record<string, unknown> = {};
    circular.self = circular;
    const scrubbed = scrubFields({ circular, big: 5n, run: () => 1, none: undefined, nil: null }, hiding);
    expect(() => JSON.stringify(scrubbed)).not.toThrow();
    expect(scrubbed.big).toBe('5');
  });

  test('keeps what matters of an error, its cause included', () => {
    const cause = Object.assign(new Error('inner'), { code: 'EADDRINUSE' });
    const { failure } = scrubFields({ failure: new Error('outer', { cause }) }, hiding);
    expect(failure).toMatchObject({ name: 'Error', message: 'outer', cause: { code: 'EADDRINUSE' } });
  });
});
