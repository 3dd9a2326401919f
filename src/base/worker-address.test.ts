import { describe, expect, it } from 'vitest';
import {
  isLaterRun,
  isSameWorker,
  seatOf,
  seatsOf,
  type WorkerName,
  workerAddress,
} from './worker-address.ts';

const address = (changed: Partial<WorkerName>) => {
  return workerAddress({ node: 'a@10.0.0.1', epoch: 2, slot: 0, run: 3, ...changed });
};

describe('addresses of workers', () => {
  it('have the seat of their slot and node, whoever has it', () => {
    expect(address({}).seat).toBe(seatOf('a@10.0.0.1', 0));
    expect(address({ epoch: 9, run: 9 }).seat).toBe(address({}).seat);
    expect(new Set([...seatsOf('a@10.0.0.1', 12), ...seatsOf('a@10.0.0.11', 12)]).size).toBe(24);
  });

  it('name one process each', () => {
    expect(isSameWorker(address({}), address({}))).toBe(true);
    for (const changed of [{ node: 'b@10.0.0.1' }, { epoch: 3 }, { slot: 1 }, { run: 4 }]) {
      expect([changed, isSameWorker(address({}), address(changed))]).toEqual([changed, false]);
    }
  });

  it('order the processes of a seat by epoch before run, because runs begin anew with an epoch', () => {
    expect(isLaterRun(address({ run: 4 }), address({}))).toBe(true);
    expect(isLaterRun(address({ epoch: 3, run: 1 }), address({}))).toBe(true);
    expect(isLaterRun(address({ epoch: 1, run: 9 }), address({}))).toBe(false);
    expect(isLaterRun(address({}), address({}))).toBe(false);
  });
});
