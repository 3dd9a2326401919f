import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  ArrokothError,
  assert,
  BoundedQueue,
  closedEventId,
  ERRORS,
  hash32,
  IdSource,
  LIMITS,
} from './index.ts';

describe('assert', () => {
  it('throws its sentence when the statement is false', () => {
    expect(() => assert(false, 'water is dry')).toThrow('water is dry');
    expect(() => assert(true, 'water is wet')).not.toThrow();
  });
});

describe('ArrokothError', () => {
  it('says what happened, where, and what to do', () => {
    const error = new ArrokothError('DATA_DIR_IN_USE', 'Process 42 holds /srv/data.');
    expect(error.message).toContain('Process 42 holds /srv/data.');
    expect(error.message).toContain(ERRORS.DATA_DIR_IN_USE.meaning);
    expect(error.message).toContain(ERRORS.DATA_DIR_IN_USE.action);
    expect(error.code).toBe('DATA_DIR_IN_USE');
  });
});

describe('hash32', () => {
  it('keeps the numbers that every release has to agree on', () => {
    expect(['', 'a', 'alice', 'lobby', 'é'].map(hash32)).toMatchInlineSnapshot(`
      [
        2872998923,
        2448022055,
        2263979945,
        3686757180,
        2705881783,
      ]
    `);
  });

  it('spreads similar keys evenly over four workers', () => {
    const counts = [0, 0, 0, 0];
    for (let index = 0; index < 4_000; index++) {
      const slot = hash32(`user-${index}`) % 4;
      counts[slot] = (counts[slot] ?? 0) + 1;
    }
    for (const count of counts) expect(Math.abs(count - 1_000)).toBeLessThan(120);
  });
});

describe('IdSource', () => {
  const doors = (wallMs: number, byte: number) => ({
    clock: { wallMs: () => wallMs, monotonicMs: () => 0 },
    random: { bytes: (count: number) => new Uint8Array(count).fill(byte), fraction: () => 0 },
  });

  it('draws 26 characters that sort by time', () => {
    const earlier = new IdSource(doors(1_700_000_000_000, 255)).connection();
    const later = new IdSource(doors(1_700_000_000_001, 0)).connection();
    expect(earlier).toMatch(/^[0-9a-z]{26}$/);
    expect(earlier < later).toBe(true);
  });

  it('uses every random bit it is given', () => {
    const seen = new Set([0, 1, 128, 255].map((byte) => new IdSource(doors(0, byte)).next()));
    expect(seen.size).toBe(4);
  });

  it('derives the event of an end from the connection alone', () => {
    const connection = new IdSource(doors(5, 7)).connection();
    expect(closedEventId(connection)).toBe(`${connection}.closed`);
  });
});

describe('BoundedQueue', () => {
  it('behaves like a list that refuses to grow past its capacity', () => {
    const act = fc.oneof(
      fc.record({ push: fc.integer() }),
      fc.constant('shift' as const),
      fc.constant('drain' as const),
    );
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 8 }), fc.array(act, { maxLength: 200 }), (capacity, acts) => {
        const queue = new BoundedQueue<number>(capacity);
        let model: number[] = [];
        for (const step of acts) {
          if (step === 'shift') expect(queue.shift()).toBe(model.shift());
          else if (step === 'drain') {
            expect(queue.drain()).toEqual(model);
            model = [];
          } else if (queue.push(step.push)) model.push(step.push);
          else expect(model.length).toBe(capacity);
          expect(queue.size).toBe(model.length);
          expect(queue.peek()).toBe(model[0]);
        }
      }),
    );
  });

  it('gives memory back while it is used for long', () => {
    const queue = new BoundedQueue<number>(4);
    for (let index = 0; index < 10_000; index++) {
      queue.push(index);
      expect(queue.shift()).toBe(index);
    }
    expect(queue.size).toBe(0);
  });

  it('keeps what it holds when its bound becomes smaller', () => {
    const queue = new BoundedQueue<number>(3);
    for (const value of [1, 2, 3]) queue.push(value);
    queue.resize(1);
    expect([queue.capacity, queue.push(4), queue.shift(), queue.shift()]).toEqual([1, false, 1, 2]);
    expect([queue.push(5), queue.shift(), queue.push(6)]).toEqual([false, 3, true]);
  });
});

describe('LIMITS', () => {
  it('leave a worker time to report before its grant is too old', () => {
    expect(LIMITS.grantPeriodMs * 3).toBeLessThan(3_000);
  });
});
