/** The contract: its page is fresh, its operations are sound, and shapes are told from others. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { check, findOperation, GENERIC_ERRORS, operations, renderOperatorReference } from './index.ts';
import {
  ANY_OBJECT,
  BOOLEAN,
  choice,
  type Json,
  list,
  needed,
  nullable,
  object,
  optional,
  text,
} from './schema.ts';

describe('docs/reference/operator-api.md', () => {
  it('is made from the contract', async () => {
    await expect(renderOperatorReference()).toMatchFileSnapshot('../../docs/reference/operator-api.md');
  });
});

describe('operations', () => {
  it('are found under their dates only', () => {
    const target = { service: 'Sora', version: '20171218', operation: 'GetLicense' };
    expect(findOperation(operations, target)?.name).toBe('GetLicense');
    for (const other of [{ service: 'Aros' }, { version: '20171219' }, { operation: 'getlicense' }]) {
      expect(findOperation(operations, { ...target, ...other })).toBeUndefined();
    }
  });

  it('have names of their own, dates, whole sentences and errors in upper kebab', () => {
    expect(new Set(operations.map(({ name }) => name)).size).toBe(operations.length);
    for (const { name, versions, summary, errors } of operations) {
      expect(name).toMatch(/^[A-Z][A-Za-z]+$/);
      expect(versions.length).toBeGreaterThan(0);
      for (const version of versions) expect(version).toMatch(/^20\d{6}$/);
      expect(summary).toMatch(/^[A-Z].*\.$/s);
      for (const { type, when } of errors) {
        expect(type).toMatch(/^[A-Z]+(-[A-Z]+)+$/);
        expect(when).toMatch(/[^.]$/);
      }
    }
  });

  it('answer errors of all operations with statuses that exist', () => {
    for (const { status } of Object.values(GENERIC_ERRORS)) {
      expect([400, 408, 413, 500, 503]).toContain(status);
    }
  });
});

describe('check', () => {
  const shape = object({
    name: needed(text(4), 'A name.'),
    mode: optional(choice('normal', 'initial'), 'A mode.'),
    nodes: optional(list(text(8), 2), 'Nodes.'),
    data: optional(ANY_OBJECT, 'Anything.'),
    channel: optional(nullable(text(8)), 'A channel.'),
    quiet: optional(BOOLEAN, 'Whether.'),
  });
  const faults = (value: Json) => check(shape, value).map(({ error, path }) => [error, path.join('.')]);

  it('accepts what fits, and keys that nobody asked for', () => {
    expect(faults({ name: 'a' })).toEqual([]);
    expect(
      faults({ name: 'ab', mode: 'initial', nodes: ['x'], data: { a: [1] }, channel: null, more: 1 }),
    ).toEqual([]);
  });

  it('says what is wrong, where, and what was expected', () => {
    expect(faults({})).toEqual([['missing_required_property', 'name']]);
    expect(faults([])).toEqual([['wrong_type', '']]);
    expect(faults(null)).toEqual([['wrong_type', '']]);
    expect(faults({ name: 1, mode: 'other', nodes: [1], quiet: 0 })).toEqual([
      ['wrong_type', 'name'],
      ['not_in_enum', 'mode'],
      ['wrong_type', 'nodes.0'],
      ['wrong_type', 'quiet'],
    ]);
    expect(faults({ name: 'a', mode: 1, data: [], channel: 1, nodes: ['a', 'b', 'c'] })).toEqual([
      ['wrong_type', 'mode'],
      ['wrong_length', 'nodes'],
      ['wrong_type', 'data'],
      ['wrong_type', 'channel'],
    ]);
    expect(check(shape, { name: 'a', mode: 'other' })).toEqual([
      {
        error: 'not_in_enum',
        path: ['mode'],
        schema: { type: 'string', enum: ['normal', 'initial'] },
        data: 'other',
      },
    ]);
  });

  it('counts bytes, not characters', () => {
    expect(faults({ name: 'abcd' })).toEqual([]);
    expect(faults({ name: 'äöü' })).toEqual([['wrong_length', 'name']]);
    expect(faults({ name: '😀' })).toEqual([]);
    expect(faults({ name: '' })).toEqual([['wrong_length', 'name']]);
  });

  it('does not take inherited keys for given ones', () => {
    expect(check(object({ toString: needed(text(9), 'Text.') }), {})).toHaveLength(1);
  });

  it('stops at deep data and at many problems', () => {
    const deep = JSON.parse(`${'{"a":'.repeat(70)}1${'}'.repeat(70)}`) as Json;
    expect(faults({ name: 'a', data: deep })).toEqual([['too_deep', 'data']]);
    const many = new Array(100).fill(1) as Json[];
    expect(check(list(text(1)), many)).toHaveLength(16);
  });

  it('never throws, whatever it is given', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        for (const { request } of operations) {
          if (request !== null) expect(Array.isArray(check(request, value as Json))).toBe(true);
        }
      }),
    );
  });
});
