/** Hand-made histories, good and bad: the judge of reads and writes has to tell them apart. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Operation } from '../history.ts';
import { checkLinearizable, judgeRegister } from './linearizable.ts';

const put = (value: string, startedAt: number, endedAt: number | null): Operation => ({
  key: 'k',
  type: 'put',
  value,
  startedAt,
  endedAt,
});
const get = (value: string | null, startedAt: number, endedAt: number | null): Operation => ({
  ...put('', startedAt, endedAt),
  type: 'get',
  value,
});

describe('judgeRegister', () => {
  const good: [string, Operation[]][] = [
    ['nothing', []],
    ['a read of what was never written', [get(null, 1, 2)]],
    ['one after the other', [put('a', 1, 2), get('a', 3, 4), put('b', 5, 6), get('b', 7, 8)]],
    ['a read beside a write sees the old value', [put('a', 1, 2), put('b', 3, 6), get('a', 4, 5)]],
    ['a read beside a write sees the new value', [put('a', 1, 2), put('b', 3, 6), get('b', 4, 5)]],
    ['an open write happens late', [put('a', 1, null), put('b', 2, 3), get('b', 4, 5), get('a', 6, 7)]],
    ['an open write never happens', [put('a', 1, null), put('b', 2, 3), get('b', 4, 5)]],
    ['two writes at once, either order', [put('a', 1, 4), put('b', 2, 3), get('a', 5, 6)]],
  ];
  for (const [name, history] of good)
    it(`accepts ${name}`, () => expect(judgeRegister(history)).toBe('linearizable'));

  const bad: [string, Operation[]][] = [
    ['a stale read', [put('a', 1, 2), put('b', 3, 4), get('a', 5, 6)]],
    ['a lost write', [put('a', 1, 2), get(null, 3, 4)]],
    ['a read from nowhere', [put('a', 1, 2), get('z', 3, 4)]],
    [
      'time that goes back between two reads',
      [put('a', 1, 2), put('b', 3, 10), get('b', 4, 5), get('a', 6, 7)],
    ],
    ['a write that happens before it was asked for', [get('a', 1, 2), put('a', 3, 4)]],
    [
      'an open write that happens twice',
      [put('a', 1, null), get('a', 2, 3), put('b', 4, 5), get('b', 6, 7), get('a', 8, 9), get('b', 10, 11)],
    ],
  ];
  for (const [name, history] of bad)
    it(`objects to ${name}`, () => expect(judgeRegister(history)).toBe('broken'));

  it('gives up after its steps and says so', () => {
    const many = Array.from({ length: 14 }, (_, index) => put(`v${index}`, index + 1, 100 + index));
    expect(judgeRegister([...many, get('z', 200, 201)], 500)).toBe('undecided');
  });

  it('agrees with trying every order', () => {
    const operation = fc.record({
      type: fc.constantFrom('put' as const, 'get' as const),
      value: fc.constantFrom('a', 'b', null),
      from: fc.integer({ min: 0, max: 9 }),
      length: fc.integer({ min: 1, max: 9 }),
      open: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 5 }), (drawn) => {
        const history = drawn.map(({ type, value, from, length, open }, index) => {
          const startedAt = from + index / 100;
          const endedAt = open ? null : startedAt + length + 0.001;
          return type === 'put' ? put(value ?? 'c', startedAt, endedAt) : get(value, startedAt, endedAt);
        });
        expect(judgeRegister(history) === 'linearizable').toBe(someOrderExplains(history));
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('checkLinearizable', () => {
  it('says which register and which operations', () => {
    expect(() => checkLinearizable('k7', [put('a', 1, 2), get(null, 3, 4)])).toThrow(
      /linearizable: .*k7: put a \[1, 2\]/,
    );
  });
});

/** The slow twin: every subset of open operations, every order. */
function someOrderExplains(history: readonly Operation[]): boolean {
  const search = (left: readonly Operation[], value: string | null): boolean => {
    if (left.every(({ endedAt }) => endedAt === null)) return true;
    const firstEnd = Math.min(...left.map(({ endedAt }) => endedAt ?? Number.POSITIVE_INFINITY));
    return left.some((operation) => {
      if (operation.startedAt > firstEnd) return false;
      const others = left.filter((other) => other !== operation);
      if (operation.type === 'put') return search(others, operation.value);
      return (operation.endedAt === null || operation.value === value) && search(others, value);
    });
  };
  return search(history, null);
}
