/** Operations on connections, over gateway workers that say what the test wants. */
import { describe, expect, it } from 'vitest';
import { failed, ok, type Result } from '../../base/index.ts';
import type { Bus, BusAnswer, BusFailure, BusMessage, Json, ListFacts } from '../../bus/index.ts';
import { LIST_PORTION_ROWS } from '../../bus/index.ts';
import type { Handler, OperationAnswer, OperationValues } from '../front/operation-answer.ts';
import { connectionLists } from './connection-lists.ts';
import { connectionOrders } from './connection-orders.ts';
import { GatewayWorkers } from './gateway-workers.ts';
import { nodeFigures } from './node-figures.ts';

type Said = Result<BusAnswer, BusFailure>;
type Worker = (message: BusMessage) => Said;

const says = (facts: Json, text = ''): Said => ok({ facts, bytes: Buffer.from(text) });

function workersOf(...workers: Worker[]) {
  const asked: { slot: number; message: BusMessage }[] = [];
  const bus = {
    self: { node: 'a@b' },
    ask: (seat: string, message: BusMessage, _timeoutMs: number, done: (said: Said) => void) => {
      const slot = Number.parseInt(seat, 10);
      asked.push({ slot, message });
      queueMicrotask(() => done((workers[slot] as Worker)(message)));
    },
  } as unknown as Bus;
  return { asked, workers: new GatewayWorkers({ bus, workers: workers.length }) };
}

const run = (handlers: Record<string, Handler>, name: string, values: OperationValues = {}) =>
  (handlers[name] as Handler)(values);

async function rowsOf(answer: OperationAnswer, seen: (bytes: number) => void = () => {}): Promise<unknown[]> {
  if (answer.type !== 'list') throw new Error(answer.type);
  const rows: unknown[] = [];
  for await (const slice of answer.slices) {
    seen(slice.length);
    rows.push(...(JSON.parse(`[${Buffer.from(slice).toString()}]`) as unknown[]));
  }
  return rows;
}

/** A worker that holds `count` rows; `failAt`: the portion that never comes. */
function holder(name: string, count: number, failAt = Number.POSITIVE_INFINITY): Worker {
  let portions = 0;
  return ({ facts }) => {
    const { cursor } = facts as unknown as ListFacts;
    if (portions++ >= failAt) return failed('timeout');
    const rows = Math.min(LIST_PORTION_ROWS, count - cursor);
    const text = Array.from({ length: rows }, (_, index) => JSON.stringify(`${name}${cursor + index}`));
    const next = cursor + rows < count ? cursor + rows : 0;
    return says({ rows, cursor: next, refused: false }, text.join(','));
  };
}

describe('lists', () => {
  it('of 40,000 rows are joined from portions, one of which is held at a time', async () => {
    const { workers, asked } = workersOf(holder('a', 25_000), holder('b', 15_000), holder('c', 0));
    const answer = await run(connectionLists(workers), 'ListConnections');
    expect(asked).toHaveLength(3);
    let portions = 0;
    const rows = await rowsOf(answer, (bytes) => {
      portions++;
      expect(bytes).toBeLessThan(LIST_PORTION_ROWS * 10);
      // Nothing is asked for ahead of the reader but the first portion of each worker.
      expect(asked.length).toBeLessThanOrEqual(portions + 3);
    });
    expect(new Set(rows).size).toBe(40_000);
    expect(portions).toBe(80);
  });

  it('name who kept silent from the start, and break off when somebody falls silent', async () => {
    const { workers } = workersOf(
      holder('a', 2),
      () => failed('timeout'),
      () => failed('unreachable'),
    );
    const answer = await run(connectionLists(workers), 'ListChannels');
    expect(answer).toMatchObject({ headers: ['x-arrokoth-silent-workers', 'gateway/1, gateway/2'] });
    expect(await rowsOf(answer)).toHaveLength(2);
    const broken = await run(connectionLists(workersOf(holder('a', 2_000, 2)).workers), 'ListConnections');
    await expect(rowsOf(broken)).rejects.toThrow('gateway/0');
  });

  it('are refused where too many are open', async () => {
    const { workers } = workersOf(() => says({ rows: 0, cursor: 0, refused: true }));
    expect(await run(connectionLists(workers), 'ListChannels')).toEqual({ type: 'busy' });
  });

  it('ask for one channel only', async () => {
    const { workers, asked } = workersOf(holder('a', 1));
    await run(connectionLists(workers), 'ListChannelConnections', { channel_id: 'lobby' });
    expect(asked[0]?.message.facts).toEqual({ list: 'connections', channel: 'lobby', cursor: 0 });
  });
});

describe('orders', () => {
  const counts = (...numbers: (number | null)[]) =>
    workersOf(...numbers.map((count) => () => (count === null ? failed('timeout' as const) : says(count))));

  it('echo what they were given when somebody was reached', async () => {
    const { workers, asked } = counts(0, 2);
    const values = { channel_id: 'lobby', client_id: 'alice', reason: {} };
    expect(await run(connectionOrders(workers), 'DisconnectClient', values)).toEqual({
      type: 'answer',
      value: { channel_id: 'lobby', client_id: 'alice' },
    });
    expect(asked[1]?.message.facts).toEqual({ channel: 'lobby', client: 'alice', connection: null });
  });

  it('say that nobody was there only when everybody has said so', async () => {
    const values = { channel_id: 'lobby', connection_id: 'c1', client_id: undefined };
    const outcome = async (name: string, ...numbers: (number | null)[]) => {
      const answer = await run(connectionOrders(counts(...numbers).workers), name, values);
      return answer.type === 'refused' ? answer.error : answer.type;
    };
    expect(await outcome('DisconnectConnection', 0, 0)).toBe('CONNECTION-NOT-FOUND');
    expect(await outcome('DisconnectConnection', 0, null)).toBe('WORKER-UNAVAILABLE');
    expect(await outcome('DisconnectConnection', 1, null)).toBe('answer');
    expect(await outcome('DisconnectChannel', 1, null)).toBe('WORKER-UNAVAILABLE');
    expect(await outcome('DisconnectChannel', 0, 0)).toBe('CHANNEL-NOT-FOUND');
  });

  it('send a message to a channel through one worker, because it has one order', async () => {
    const { workers, asked } = counts(3, 3, 3);
    const values = { channel_id: 'lobby', data: { a: 1 } };
    expect(await run(connectionOrders(workers), 'PushChannel', values)).toEqual({
      type: 'answer',
      value: { type: 'push', data: { a: 1 } },
    });
    expect(asked).toHaveLength(1);
    expect(Buffer.from(asked[0]?.message.bytes ?? []).toString()).toBe('{"type":"push","data":{"a":1}}');
    const unavailable = await run(
      connectionOrders(workersOf(() => says(null)).workers),
      'PushChannel',
      values,
    );
    expect(unavailable).toMatchObject({ error: 'WORKER-UNAVAILABLE' });
  });
});

describe('figures', () => {
  const stats = {
    connections: 3,
    totalConnections: 10,
    totalMessages: 7,
    connectErrors: 2,
    messageErrors: 1,
  };
  const figures = (...workers: Worker[]) => {
    const capacity = () => ({ maxConnections: 500, maxNodes: 3 });
    const own = () => null;
    return nodeFigures({ version: '1.2.3', capacity, own, workers: workersOf(...workers).workers });
  };

  it('come from the first worker that answers', async () => {
    const handlers = figures(
      () => failed('timeout'),
      () => says({ ...stats, closingConnections: 0 }),
    );
    expect(await run(handlers, 'GetStatsReport')).toEqual({
      type: 'answer',
      value: {
        version: '1.2.3',
        total_connection_created: 10,
        total_connection_destroyed: 7,
        total_ongoing_connections: 3,
        total_successful_connections: 8,
        total_failed_connections: 2,
        total_sent_messages: 7,
        total_failed_messages: 1,
      },
    });
    const silent = figures(() => failed('timeout'));
    expect(await run(silent, 'GetStatsReport')).toMatchObject({ error: 'WORKER-UNAVAILABLE' });
  });

  it('show the capacity as a licence', async () => {
    expect(await run(figures(), 'GetLicense')).toMatchObject({
      value: { max_connections: 500, max_nodes: 3, serial_code: 'ARROKOTH-N3-500' },
    });
  });
});
