import { describe, expect, test } from 'vitest';
import { workerAt } from '../../../test/fakes/worker-names.ts';
import { failed, ok, type Result, type Seat } from '../../base/index.ts';
import type { Bus, BusAnswer, BusFailure, Json } from '../../bus/index.ts';
import { NO_BYTES } from '../../bus/index.ts';
import { NO_STATS, type StatsCounters, type WorkerPlace } from '../../process/index.ts';
import { NodeStats } from './node-stats.ts';

const counted = (totalMessages: number): StatsCounters => ({ ...NO_STATS, totalMessages });
const place = (slot: number, run = 1): WorkerPlace => ({ kind: 'gateway', slot, run, meshPath: '' });

/** Stats of worker 0, whose sisters answer when the test says so. */
function setUp() {
  const asks: { slot: number; done: (answer: Result<BusAnswer, BusFailure>) => void }[] = [];
  const bus = {
    handle: () => {},
    self: workerAt(0),
    ask: (seat: Seat, _message: unknown, _timeoutMs: number, done: (typeof asks)[0]['done']) => {
      const slot = Number.parseInt(seat, 10);
      asks.push({ slot, done });
    },
  } as unknown as Bus;
  const nodeStats = new NodeStats({ bus, own: () => counted(1) });
  const told: number[] = [];
  return {
    nodeStats,
    told,
    sum: () => nodeStats.sum(({ totalMessages }) => told.push(totalMessages)),
    /** Answers the oldest question to `slot`. */
    answer: (slot: number, outcome: number | BusFailure) => {
      const index = asks.findIndex((ask) => ask.slot === slot);
      const [ask] = asks.splice(index, 1);
      if (typeof outcome === 'string') ask?.done(failed(outcome));
      else ask?.done(ok({ facts: counted(outcome) as unknown as Json, bytes: NO_BYTES }));
    },
  };
}

describe('NodeStats', () => {
  test('adds what sisters count and what ended runs had counted', () => {
    const { nodeStats, told, sum, answer } = setUp();
    nodeStats.peers([place(1), place(2)], counted(1_000));
    sum();
    answer(1, 10);
    answer(2, 100);
    expect(told).toEqual([1_111]);
  });

  test('counts anew when a run ends meanwhile, so that its figures are in the sum once', () => {
    const { nodeStats, told, sum, answer } = setUp();
    nodeStats.peers([place(1), place(2)], NO_STATS);
    sum();
    answer(2, 100);
    answer(1, 'unreachable');
    expect(told).toEqual([]);
    nodeStats.peers([place(2)], counted(10));
    answer(1, 'unreachable');
    answer(2, 105);
    expect(told).toEqual([116]);
  });

  test('lets the supervisor know before it tells figures to others', () => {
    const { nodeStats, told, sum } = setUp();
    const order: string[] = [];
    nodeStats.beforeTelling(() => order.push(`reported, told ${told.length}`));
    sum();
    expect(order).toEqual(['reported, told 0']);
    expect(told).toEqual([1]);
  });

  test('takes the last word of a sister that keeps silent', () => {
    const { nodeStats, told, sum, answer } = setUp();
    nodeStats.peers([place(1)], NO_STATS);
    sum();
    answer(1, 10);
    sum();
    answer(1, 'timeout');
    expect(told).toEqual([11, 11]);
    // A later run counts from nothing; its predecessor's figures come with the list.
    nodeStats.peers([place(1, 2)], counted(12));
    sum();
    answer(1, 'timeout');
    expect(told).toEqual([11, 11, 13]);
  });

  test('answers with what is known when workers come and go without end', () => {
    const { nodeStats, told, sum, answer } = setUp();
    nodeStats.peers([place(1)], NO_STATS);
    sum();
    for (let run = 2; run < 100; run++) nodeStats.peers([place(1, run)], counted(run));
    for (let question = 1; question <= 5; question++) answer(1, 7);
    expect(told).toEqual([1 + 5 + 7]);
  });
});
