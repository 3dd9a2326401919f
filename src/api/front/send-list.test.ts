/** Lists are sent while they are made, whatever their length, and never look whole when they are not. */
import { describe, expect, it } from 'vitest';
import { FakeResponse } from '../../../test/fakes/fake-net.ts';
import { FakeTime } from '../../../test/fakes/fake-time.ts';
import { OPERATOR_LIMITS } from '../../base/index.ts';
import type { LongAnswer } from '../../net/index.ts';
import { sendList } from './send-list.ts';

const turn = () => new Promise((resolve) => setImmediate(resolve));
const SLICE = JSON.stringify({ row: 'x'.repeat(10_000) });

interface Made {
  slices: number;
  finished: boolean;
}

async function* slices(count: number, made: Made, failAt = -1): AsyncGenerator<Uint8Array> {
  try {
    for (let number = 0; number < count; number++) {
      if (number === failAt) throw new Error('broken');
      made.slices++;
      yield Buffer.from(SLICE);
    }
  } finally {
    made.finished = true;
  }
}

function listOf(count: number, failAt?: number) {
  const made: Made = { slices: 0, finished: false };
  const outcome = { type: 'list', headers: ['x-more', '1'], slices: slices(count, made, failAt) } as const;
  return { made, outcome };
}

describe('sendList', () => {
  it('sends what is short in one piece', async () => {
    for (const count of [0, 1, 3]) {
      const response = new FakeResponse();
      expect(await sendList(response, ['a', 'b'], listOf(count).outcome, new FakeTime())).toBe('sent');
      expect(response.parts).toEqual([]);
      expect(response.answer).toMatchObject({ status: 200, headers: ['a', 'b', 'x-more', '1'] });
      expect(JSON.parse(response.answer?.body ?? '')).toHaveLength(count);
    }
  });

  it('sends what is long in parts that make one list', async () => {
    const response = new FakeResponse();
    expect(await sendList(response, [], listOf(100).outcome, new FakeTime())).toBe('sent');
    expect(response.parts.length).toBeGreaterThan(10);
    const largest = Math.max(...response.parts.map(({ length }) => length));
    expect(largest).toBeLessThan(OPERATOR_LIMITS.listPieceBytesMax + 2 * SLICE.length);
    expect(JSON.parse(response.answer?.body ?? '')).toHaveLength(100);
  });

  it('makes no slice that its reader has no room for, and cuts off a reader that stops', async () => {
    const response = new FakeResponse();
    let cut = false;
    const answer: LongAnswer = {
      write: () => {},
      end: () => {},
      breakOff: () => {
        cut = true;
      },
    };
    response.begin = () => answer;
    const time = new FakeTime();
    const { made, outcome } = listOf(100);
    const end = sendList(response, [], outcome, time);
    await turn();
    const before = made.slices;
    expect(before).toBeLessThan(10);
    await turn();
    expect(made.slices).toBe(before);
    time.advance(OPERATOR_LIMITS.listStallMs);
    expect(await end).toBe('left');
    expect([cut, made.finished, made.slices]).toEqual([true, true, before]);
  });

  it('ends with its reader', async () => {
    const response = new FakeResponse();
    const { made, outcome } = listOf(1_000);
    const end = sendList(response, [], outcome, new FakeTime());
    response.gone = true;
    expect(await end).toBe('left');
    expect(made.slices).toBeLessThan(20);
    expect(made.finished).toBe(true);
  });

  it('is broken off with what it is made from, or refused when nothing was sent', async () => {
    const response = new FakeResponse();
    expect(await sendList(response, [], listOf(100, 50).outcome, new FakeTime())).toBe('broken_off');
    expect([response.brokenOff, response.answer]).toEqual([true, null]);
    await expect(sendList(new FakeResponse(), [], listOf(3, 1).outcome, new FakeTime())).rejects.toThrow(
      'broken',
    );
  });
});
