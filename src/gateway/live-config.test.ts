/**
 * Live keys of a gateway whose effect takes a clock or another worker in the test's hands. What can be
 * seen from outside is in `test/integration/live-keys.test.ts`.
 */
import { expect, test } from 'vitest';
import { FakeGateways } from '../../test/fakes/fake-gateways.ts';
import { parseConfig } from '../config/index.ts';

/** All workers act on a file with these lines besides those of the start. */
function reload(node: FakeGateways, keys: string): void {
  const parsed = parseConfig({ text: `host: 127.0.0.1\n${keys}`, path: 'test.yml', env: {} });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.error));
  const { callback, workers } = node.config;
  const config = { ...parsed.value.config, workers, callback };
  for (const { live } of node.living) live.replace({ ...config, endpoint: 'e:1' });
}

test('`send_timeout`: how long the next send waits for a worker that keeps silent', () => {
  const node = new FakeGateways({ workers: 2 });
  const key = node.nameAt(1, 'session');
  reload(node, 'send_timeout: 100ms\n');
  node.network.hold(0, 1);
  const response = node.post('/send', { sessions: [key] }, 'word', 0);
  node.advance(50);
  expect(response.answer).toBeNull();
  node.advance(200);
  expect(response.answer).not.toBeNull();
});

test('`isolation_timeout`: how old a grant may be', () => {
  const node = new FakeGateways();
  node.granting = false;
  reload(node, 'isolation_timeout: 10s\n');
  node.advance(9_000);
  expect(node.connect('key=alice').open).toBe(true);
  reload(node, 'isolation_timeout: 1s\n');
  const upgrade = node.ask('key=bob');
  node.settle();
  expect(upgrade.refused?.status).toBe(503);
});

test('`limits.receive_queue`: how many messages wait before a client is read no further', () => {
  const node = new FakeGateways({ callbacks: ['receive'] });
  const client = node.connect('key=alice');
  for (let time = 0; time < 3; time++) client.say('word');
  expect(client.readingPaused).toBe(false);
  node.settle();
  reload(node, 'limits: { receive_queue: 2 }\n');
  for (let time = 0; time < 3; time++) client.say('word');
  expect(client.readingPaused).toBe(true);
  // What waits is passed on all the same.
  node.settle();
  expect(node.app.to('/receive')).toHaveLength(6);
  expect(client.readingPaused).toBe(false);
});

test('`idempotency.bytes`: how much memory keys may take', () => {
  const node = new FakeGateways();
  const statuses = (prefix: string): Set<number> => {
    const found = new Set<number>();
    for (let number = 0; number < 200; number++) {
      const headers = ['X-Kuiperbelt-Session', 'nobody', 'Idempotency-Key', `${prefix}${number}`];
      const response = node.worker().servers[0].request({ method: 'POST', path: '/send', headers, body: '' });
      node.settle();
      found.add(response.answer?.status ?? 0);
    }
    return found;
  };
  expect(statuses('first')).toEqual(new Set([200]));
  reload(node, 'idempotency: { bytes: 64KiB }\n');
  expect(statuses('second')).toEqual(new Set([503]));
  // Keys that are kept keep their time, and then there is room again.
  node.advance(61_000);
  expect(statuses('third')).toEqual(new Set([200, 503]));
});

const MIB = 1_024 * 1_024;
const CALM = { lagMs: 0, heapBytes: 0, heapBytesMax: 100 * MIB, descriptors: 0, descriptorsMax: 100 };

test.each([
  { key: '`overload.lag`', vitals: { lagMs: 300 }, keys: 'lag: 300ms' },
  { key: '`overload.heap`', vitals: { heapBytes: 30 * MIB }, keys: 'heap: 30' },
  { key: '`overload.descriptors`', vitals: { descriptors: 30 }, keys: 'descriptors: 30' },
])('$key: from where on nobody is admitted', ({ vitals, keys }) => {
  const node = new FakeGateways();
  node.vitals = { ...CALM, ...vitals };
  node.advance(10_000);
  node.connect('key=alice');
  reload(node, `overload: { ${keys} }\n`);
  node.advance(10_000);
  expect(node.ask('key=bob').refused?.status).toBe(503);
  reload(node, '');
  node.advance(10_000);
  node.connect('key=carol');
});

test.each([
  { key: '`overload.lag_shed`', vitals: { lagMs: 2_000 }, keys: 'lag_shed: 2s' },
  { key: '`overload.heap_shed`', vitals: { heapBytes: 89 * MIB }, keys: 'heap_shed: 86' },
])('$key: from where on slow clients are shed', ({ vitals, keys }) => {
  const node = new FakeGateways();
  const client = node.connect('key=alice');
  client.queuedBytes = MIB;
  node.vitals = { ...CALM, ...vitals };
  node.advance(10_000);
  expect(client.open).toBe(true);
  reload(node, `overload: { ${keys} }\n`);
  node.advance(10_000);
  expect(client.closed?.code).toBe(1013);
});
