/** Bounded in number and bytes, and what is taken or given up on makes room. */

import { describe, expect, it } from 'vitest';
import { seatAt } from '../../test/fakes/worker-names.ts';
import { LIMITS } from '../base/index.ts';
import { WaitingAsks } from './waiting-asks.ts';

function makeAsk(deadlineMs: number, size = 0, done = () => {}) {
  return { message: { kind: 'k', facts: null, bytes: new Uint8Array(size) }, deadlineMs, done };
}

describe('questions that wait', () => {
  it('are given back by seat, in order, once', () => {
    const waiting = new WaitingAsks();
    const asks = [makeAsk(1), makeAsk(2), makeAsk(3)];
    for (const [index, ask] of asks.entries()) waiting.add(seatAt(index % 2), ask);
    expect(waiting.take(seatAt(0))).toEqual([asks[0], asks[2]]);
    expect(waiting.take(seatAt(0))).toEqual([]);
    expect(waiting.size).toBe(1);
  });

  it('are bounded in bytes, and make room when taken or overdue', () => {
    const waiting = new WaitingAsks();
    const half = LIMITS.linkOutboxBytesMax / 2;
    const fill = () => [waiting.add(seatAt(1), makeAsk(5, half)), waiting.add(seatAt(2), makeAsk(5, half))];
    expect([fill(), waiting.add(seatAt(3), makeAsk(5, 1))]).toEqual([[true, true], false]);
    waiting.take(seatAt(1));
    waiting.take(seatAt(2));
    expect([fill(), waiting.add(seatAt(3), makeAsk(5, 1))]).toEqual([[true, true], false]);
    waiting.sweep(5);
    expect([fill(), waiting.size]).toEqual([[true, true], 2]);
  });

  it('end one by one when their time is up', () => {
    const waiting = new WaitingAsks();
    const ended: number[] = [];
    for (const deadlineMs of [30, 10, 20]) {
      waiting.add(
        seatAt(1),
        makeAsk(deadlineMs, 0, () => void ended.push(deadlineMs)),
      );
    }
    waiting.sweep(9);
    waiting.sweep(20);
    expect([ended, waiting.size]).toEqual([[10, 20], 1]);
  });
});
