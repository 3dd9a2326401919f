/** A worker that has too much to do, over fake connections and fake time. */
import { describe, expect, test } from 'vitest';
import { FakeGateways } from '../../test/fakes/fake-gateways.ts';
import { LIMITS } from '../base/index.ts';

const RISE_MS = LIMITS.overloadLookMs * LIMITS.overloadLooksToRise;
const CALM_MS = LIMITS.overloadLookMs * LIMITS.overloadLooksToCalm;
const MIB = 1_024 * 1_024;
const calm = { lagMs: 0, heapBytes: 0, heapBytesMax: 1_000 * MIB, descriptors: 0, descriptorsMax: 1_000 };

describe('a worker with too much to do', () => {
  test('answers connects with 503 until it has recovered, and serves those who are connected', () => {
    const node = new FakeGateways();
    const ann = node.connect('key=ann');
    const states: string[] = [];
    node.worker().gateway.onOverload((state) => states.push(state));
    node.vitals = { ...calm, lagMs: 2_000 };
    node.advance(RISE_MS);
    const asked = node.app.calls.length;
    expect(node.ask('key=bob').refused).toMatchObject({
      status: 503,
      headers: expect.arrayContaining(['Retry-After']),
      body: 'Service Unavailable: the worker has too much to do\n',
    });
    expect(node.app.calls).toHaveLength(asked);
    expect(node.call('/send', { sessions: ['ann'] })).toMatchObject({ result: 'OK' });
    expect(ann.received).toHaveLength(1);
    node.vitals = calm;
    node.advance(CALM_MS);
    node.connect('key=bob');
    expect(states).toEqual(['stop_admitting', 'normal']);
    const lines = node.log.lines.map(({ message }) => message);
    expect(lines.filter((line) => line === 'the worker is overloaded')).toHaveLength(1);
    expect(lines.filter((line) => line === 'the worker admits again')).toHaveLength(1);
  });

  test('lets those in who are on their way', () => {
    const node = new FakeGateways();
    const upgrade = node.ask('key=ann');
    node.vitals = { ...calm, descriptors: 1_000 };
    node.time.advance(RISE_MS);
    expect(node.log.lines.at(-1)?.fields).toMatchObject({ code: 'OVERLOADED', cause: 'descriptors' });
    node.settle();
    expect(upgrade.connection).not.toBeNull();
  });

  test('sheds the connections that most bytes wait for, a bounded number at each look', () => {
    const node = new FakeGateways();
    const slow = LIMITS.overloadShedMax + 10;
    const clients = Array.from({ length: slow }, (_, number) => {
      const client = node.connect(`key=k${number}`);
      client.queuedBytes = LIMITS.overloadShedQueueBytesMin + number;
      return client;
    });
    const fast = node.connect('key=fast');
    node.vitals = { ...calm, heapBytes: 950 * MIB };
    node.advance(RISE_MS);
    expect(clients.map(({ open }) => open)).toEqual(clients.map((_, number) => number < 10));
    expect(clients.at(-1)?.closed).toEqual({ code: 1013, reason: 'overload' });
    node.advance(LIMITS.overloadLookMs * LIMITS.overloadShedPauseLooks);
    expect(clients.some(({ open }) => open)).toBe(false);
    expect(fast.open).toBe(true);
    node.settle();
    const ends = node.app.calls.filter(({ path }) => path === '/close');
    expect(ends).toHaveLength(slow);
    expect(new Set(ends.map((call) => call.header('X-Arrokoth-Reason')))).toEqual(new Set(['overload']));
  });

  test('sheds no more than it needs', () => {
    const node = new FakeGateways();
    const clients = [50, 40, 30].map((mebibytes) => {
      const client = node.connect(`key=${mebibytes}`);
      client.queuedBytes = mebibytes * MIB;
      return client;
    });
    node.vitals = { ...calm, heapBytes: 950 * MIB };
    node.advance(RISE_MS);
    expect(clients.map(({ open }) => open)).toEqual([false, false, true]);
  });

  test('sheds nobody once it is below the mark', () => {
    const node = new FakeGateways();
    const client = node.connect('key=ann');
    node.vitals = { ...calm, heapBytes: 950 * MIB };
    node.advance(RISE_MS);
    client.queuedBytes = LIMITS.overloadShedQueueBytesMin;
    node.vitals = { ...calm, heapBytes: 900 * MIB };
    node.advance(RISE_MS);
    expect(client.open).toBe(true);
  });
});

test('a worker whose marks are all off minds nothing', () => {
  const keys = 'overload: { lag: 0s, lag_shed: 0s, heap: 0, heap_shed: 0, descriptors: 0 }';
  const node = new FakeGateways({ keys });
  node.vitals = { lagMs: 1e9, heapBytes: 1e9, heapBytesMax: 1, descriptors: 1e9, descriptorsMax: 1 };
  node.advance(RISE_MS);
  node.connect('key=ann');
});
