/** Each question ends once, by whoever was asked or by nobody. */
import { describe, expect, it } from 'vitest';
import { ok } from '../base/index.ts';
import { AskTable } from './ask-table.ts';
import { NO_BYTES } from './bus.ts';

const answer = (facts: number) => ok({ facts, bytes: NO_BYTES });

function makeTable() {
  const table = new AskTable();
  const outcomes: string[] = [];
  const add = (owner: object, deadlineMs: number, name: string) => {
    const id = table.add({
      owner,
      deadlineMs,
      done: (result) => outcomes.push(`${name} ${result.ok ? result.value.facts : result.error}`),
    });
    return id as number;
  };
  return { table, outcomes, add };
}

describe('the table of open questions', () => {
  it('believes answers only from where the question went', () => {
    const { table, outcomes, add } = makeTable();
    const [here, there] = [{}, {}];
    const id = add(here, 10, 'a');
    table.settle(id, there, answer(1));
    table.settle(id + 1, here, answer(2));
    expect(outcomes).toEqual([]);
    table.settle(id, here, answer(3));
    table.settle(id, here, answer(4));
    expect(outcomes).toEqual(['a 3']);
  });

  it('ends what is due, and what went where nobody is any more, and nothing else', () => {
    const { table, outcomes, add } = makeTable();
    const [here, there] = [{}, {}];
    add(here, 10, 'a');
    add(here, 11, 'b');
    add(there, 11, 'c');
    table.sweep(10, 'timeout');
    expect(outcomes).toEqual(['a timeout']);
    table.failOwner(there, 'unreachable');
    expect(outcomes).toEqual(['a timeout', 'c unreachable']);
    expect(table.size).toBe(1);
  });

  it('forgets what was withdrawn', () => {
    const { table, outcomes, add } = makeTable();
    table.withdraw(add({}, 10, 'a'));
    table.sweep(Number.POSITIVE_INFINITY, 'timeout');
    expect(outcomes).toEqual([]);
  });

  it('lets an end ask the next question without ending that one as well', () => {
    const { table, outcomes } = makeTable();
    const owner = {};
    let asked = 0;
    const done = () => {
      asked++;
      if (asked < 3) table.add({ owner, deadlineMs: 0, done });
    };
    table.add({ owner, deadlineMs: 0, done });
    table.sweep(0, 'timeout');
    expect([asked, table.size, outcomes]).toEqual([1, 1, []]);
  });
});
