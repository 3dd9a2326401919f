/** Two nodes that apply different entries at one place are told apart from two that do not. */
import { describe, expect, it } from 'vitest';
import { OneValue } from './one-value.ts';
import { changesEntry, membersEntry } from './testdata/entries.ts';

describe('OneValue', () => {
  it('accepts equal entries that are not the same objects', () => {
    const checker = new OneValue();
    checker.applied('n1', changesEntry(1, 1, 'x'));
    checker.applied('n2', changesEntry(1, 1, 'x'));
    checker.applied('n1', membersEntry(2, 1, ['n1', 'n2']));
    checker.applied('n2', membersEntry(2, 1, ['n1', 'n2']));
    expect(checker.at(1)).toEqual(changesEntry(1, 1, 'x'));
    expect(checker.highest).toBe(2);
  });

  it('objects to another value, another ballot and another type', () => {
    const checker = new OneValue();
    checker.applied('n1', changesEntry(4, 2, 'x'));
    for (const other of [changesEntry(4, 2, 'y'), changesEntry(4, 3, 'x'), membersEntry(4, 2, ['n1'])])
      expect(() => checker.applied('n2', other)).toThrow(/one-value: n2 applied 4 of ballot/);
  });
});
