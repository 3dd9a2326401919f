import { beforeEach, describe, expect, it, test } from 'vitest';
import {
  IdempotencyRecords,
  type KeptAnswer,
  type KeyedEnd,
  keyedRefusalAnswer,
  readIdempotencyKey,
  replayedAnswer,
} from './idempotency.ts';

const HOLDER = { slot: 1, run: 1 };
const BOUNDS = { windowMs: 1_000, inFlightMs: 3_000, keysMax: 3, bytesMax: 1_000_000 };

const answerOf = (text: string): KeptAnswer => ({
  status: 200,
  headers: ['Content-Type', 'text/plain'],
  body: Uint8Array.from(text, (character) => character.charCodeAt(0)),
});
const attempt = (number: number, key = 'k', fingerprint = 'f') => {
  return { key, fingerprint, attempt: `a${number}` };
};

let records: IdempotencyRecords;
beforeEach(() => {
  records = new IdempotencyRecords(BOUNDS);
});

describe('records of keys', () => {
  it('let one attempt through, however often it asks', () => {
    expect(records.begin(attempt(1), HOLDER, 0)).toEqual({ type: 'first' });
    expect(records.begin(attempt(1), HOLDER, 1)).toEqual({ type: 'first' });
    expect(records.begin(attempt(2), HOLDER, 2)).toEqual({ type: 'in_flight' });
    expect(records.begin(attempt(3, 'other'), HOLDER, 3)).toEqual({ type: 'first' });
  });

  it('give the answer to whoever comes later, until the window has passed since it was given', () => {
    records.begin(attempt(1), HOLDER, 0);
    records.finish(attempt(1), answerOf('done'), 500);
    const again = { type: 'answered', answer: answerOf('done') };
    expect(records.begin(attempt(2), HOLDER, 1_499)).toEqual(again);
    expect(records.begin(attempt(3), HOLDER, 1_500)).toEqual({ type: 'first' });
  });

  it('refuse a key that says something else', () => {
    records.begin(attempt(1), HOLDER, 0);
    expect(records.begin(attempt(2, 'k', 'g'), HOLDER, 0)).toEqual({ type: 'reused' });
    records.finish(attempt(1), answerOf('done'), 0);
    expect(records.begin(attempt(3, 'k', 'g'), HOLDER, 0)).toEqual({ type: 'reused' });
  });

  it('do not confuse attempts', () => {
    records.begin(attempt(1), HOLDER, 0);
    records.finish(attempt(2), answerOf('not this'), 0);
    records.withdraw('k', 'a2');
    expect(records.begin(attempt(3), HOLDER, 0)).toEqual({ type: 'in_flight' });
    records.finish(attempt(1), answerOf('this'), 0);
    records.finish(attempt(4), answerOf('nor this'), 0);
    expect(records.begin(attempt(3), HOLDER, 0)).toMatchObject({ answer: answerOf('this') });
  });

  it('let the next one through when an attempt is withdrawn', () => {
    records.begin(attempt(1), HOLDER, 0);
    records.withdraw('k', 'a1');
    expect(records).toMatchObject({ size: 0, bytes: 0 });
    expect(records.begin(attempt(2), HOLDER, 0)).toEqual({ type: 'first' });
  });

  it('take over an answer whose beginning they have not seen', () => {
    records.finish(attempt(1), answerOf('done'), 0);
    expect(records.begin(attempt(2), HOLDER, 0)).toMatchObject({ type: 'answered' });
  });
});

describe('an outcome that nobody knows', () => {
  it('is not taken for a failure when the worker has died', () => {
    records.begin(attempt(1), HOLDER, 0);
    records.begin(attempt(2, 'elsewhere'), { slot: 1, run: 2 }, 0);
    records.dropRun(HOLDER, 10);
    expect(records.begin(attempt(3), HOLDER, 20)).toEqual({ type: 'unknown' });
    expect(records.begin(attempt(4, 'elsewhere'), HOLDER, 20)).toEqual({ type: 'in_flight' });
    expect(records.begin(attempt(5), HOLDER, 1_010)).toEqual({ type: 'first' });
  });

  it('becomes known when the answer comes after all', () => {
    records.begin(attempt(1), HOLDER, 0);
    records.dropRun(HOLDER, 10);
    records.finish(attempt(1), answerOf('done'), 20);
    expect(records.begin(attempt(2), HOLDER, 30)).toMatchObject({ type: 'answered' });
    expect(records.size).toBe(1);
  });

  it('is forgotten when an attempt takes for ever', () => {
    const ends: KeyedEnd[] = [];
    records.begin(attempt(1), HOLDER, 0);
    records.wait('k', (end) => ends.push(end));
    records.sweep(2_999);
    expect(ends).toEqual([]);
    records.sweep(3_000);
    expect(ends).toEqual([{ type: 'unknown' }]);
    expect(records).toMatchObject({ size: 0, bytes: 0 });
  });
});

describe('those who wait', () => {
  it('are all told of the end, whatever it is', () => {
    const ends: string[] = [];
    for (const key of ['answered', 'withdrawn', 'lost']) {
      records.begin(attempt(1, key), HOLDER, 0);
      for (const name of ['x', 'y']) records.wait(key, (end) => ends.push(`${key} ${name} ${end.type}`));
    }
    records.finish(attempt(1, 'answered'), answerOf('done'), 0);
    records.withdraw('withdrawn', 'a1');
    records.dropRun(HOLDER, 0);
    expect(ends).toEqual([
      ...['answered x answered', 'answered y answered', 'withdrawn x withdrawn', 'withdrawn y withdrawn'],
      ...['lost x unknown', 'lost y unknown'],
    ]);
  });

  it('hear at once what is settled already', () => {
    const ends: KeyedEnd[] = [];
    records.wait('k', (end) => ends.push(end));
    records.finish(attempt(1), answerOf('done'), 0);
    records.wait('k', (end) => ends.push(end));
    expect(ends).toEqual([{ type: 'withdrawn' }, { type: 'answered', answer: answerOf('done') }]);
  });

  it('are bounded in number', () => {
    records.begin(attempt(1), HOLDER, 0);
    let told = 0;
    const wait = () => records.wait('k', () => told++);
    const taken = Array.from({ length: 20 }, wait).filter(Boolean).length;
    expect(taken).toBe(16);
    records.finish(attempt(1), answerOf('done'), 0);
    expect(told).toBe(16);
  });
});

describe('at its bounds a worker', () => {
  it('takes no new key, keeps the known ones, and takes new ones when the old have gone', () => {
    for (const key of ['a', 'b', 'c']) records.begin(attempt(1, key), HOLDER, 0);
    expect(records.begin(attempt(1, 'd'), HOLDER, 0)).toEqual({ type: 'full' });
    expect(records.begin(attempt(2, 'a'), HOLDER, 0)).toEqual({ type: 'in_flight' });
    records.finish(attempt(1, 'e'), answerOf('not begun here'), 0);
    expect(records.size).toBe(3);
    records.finish(attempt(1, 'a'), answerOf('done'), 0);
    expect(records.begin(attempt(1, 'd'), HOLDER, 999)).toEqual({ type: 'full' });
    expect(records.begin(attempt(1, 'd'), HOLDER, 1_000)).toEqual({ type: 'first' });
  });

  it('keeps no answer for which there is no room, and never forgets the key for it', () => {
    const small = new IdempotencyRecords({ ...BOUNDS, bytesMax: 2_000 });
    small.begin(attempt(1), HOLDER, 0);
    small.finish(attempt(1), answerOf('x'.repeat(2_000)), 0);
    expect(small.begin(attempt(2), HOLDER, 0)).toEqual({ type: 'unknown' });
    small.begin(attempt(1, 'short'), HOLDER, 0);
    small.finish(attempt(1, 'short'), answerOf('ok'), 0);
    expect(small.begin(attempt(2, 'short'), HOLDER, 0)).toMatchObject({ type: 'answered' });
    expect(small.bytes).toBeLessThanOrEqual(2_000);
  });

  it('takes no new key when its bytes are used up', () => {
    const small = new IdempotencyRecords({ ...BOUNDS, bytesMax: 600 });
    expect(small.begin(attempt(1, 'a'), HOLDER, 0)).toEqual({ type: 'first' });
    expect(small.begin(attempt(1, 'b'), HOLDER, 0)).toEqual({ type: 'first' });
    expect(small.begin(attempt(1, 'c'), HOLDER, 0)).toEqual({ type: 'full' });
  });
});

test('a key is one short line of visible ASCII, with or without quotes', () => {
  expect(readIdempotencyKey(['8e03978e-40d5'])).toEqual({ ok: true, value: '8e03978e-40d5' });
  expect(readIdempotencyKey(['"8e03978e-40d5"'])).toEqual({ ok: true, value: '8e03978e-40d5' });
  expect(readIdempotencyKey(['x'.repeat(255)]).ok).toBe(true);
  for (const lines of [[], [''], ['""'], ['a', 'a'], ['x'.repeat(256)], ['ü'], ['a\tb']]) {
    expect(readIdempotencyKey(lines).ok, JSON.stringify(lines)).toBe(false);
  }
});

test('refusals are JSON like every refusal, and say when to come back', () => {
  expect(keyedRefusalAnswer('reused')).toEqual({
    status: 422,
    headers: ['Content-Type', 'application/json; charset=utf-8'],
    body: '{"errors":[{"error":"Idempotency-Key was used for another request"}],"result":"NG"}',
  });
  expect(keyedRefusalAnswer('invalid').status).toBe(400);
  for (const refusal of ['in_flight', 'unknown'] as const)
    expect(keyedRefusalAnswer(refusal).status).toBe(409);
  for (const refusal of ['full', 'unreachable'] as const)
    expect(keyedRefusalAnswer(refusal).status).toBe(503);
  for (const refusal of ['in_flight', 'full', 'unreachable'] as const) {
    expect(keyedRefusalAnswer(refusal).headers).toContain('Retry-After');
  }
  expect(keyedRefusalAnswer('unknown').headers).not.toContain('Retry-After');
});

test('a repeated answer is the first one, and says so', () => {
  expect(replayedAnswer(answerOf('done'))).toEqual({
    ...answerOf('done'),
    headers: ['Content-Type', 'text/plain', 'Idempotency-Replayed', 'true'],
  });
});
