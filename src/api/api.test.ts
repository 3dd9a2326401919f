import assert from 'node:assert/strict';
import { describe, expect, test } from 'vitest';
import { FakeTime } from '../../test/fakes/fake-time.ts';
import { workerAt } from '../../test/fakes/worker-names.ts';
import { type Logger, type Mode, ok, type Result, type Seat } from '../base/index.ts';
import type { Bus, BusAnswer, BusFailure } from '../bus/index.ts';
import { LiveConfig, type Settings } from '../config/index.ts';
import type { HttpHandlers, HttpRequest } from '../net/index.ts';
import { NO_STATS, type WorkerInit } from '../process/index.ts';
import { createMeter } from '../telemetry/index.ts';
import { Api } from './api.ts';
import { unreadyReason } from './readiness.ts';

const silentLogger: Logger = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
  child: () => silentLogger,
  debugEnabled: false,
};

interface Answer {
  readonly status: number;
  readonly headers: readonly string[];
  readonly body: string;
}

type Told = Result<BusAnswer, BusFailure>;

function gatewayFigures(slot: number): () => Promise<Told> {
  const { meter, snapshot } = createMeter({ worker: `gateway/${slot}`, processFigures: false });
  meter.counter({ name: 'arrokoth_sends_total', help: 'Sends.' }).add(slot + 1);
  return async () => ok({ facts: null, bytes: new TextEncoder().encode(JSON.stringify(await snapshot())) });
}

/** An api whose gateway workers answer as `told` says; a slot without an entry is unreachable. */
function makeApi(options: { token?: string; told?: Record<number, () => Promise<Told>> } = {}) {
  const asked: number[] = [];
  const bus = {
    self: workerAt(0),
    ask: (seat: Seat, _message: unknown, timeoutMs: number, done: (told: Told) => void) => {
      const slot = Number.parseInt(seat, 10);
      expect(timeoutMs).toBeLessThanOrEqual(1_000);
      asked.push(slot);
      const tell = options.told?.[slot] ?? (async () => ({ ok: false, error: 'unreachable' }) as const);
      tell().then(done);
    },
  } as unknown as Bus;
  let handlers: HttpHandlers | null = null;
  let closed = false;
  const close = async () => {
    closed = true;
  };
  const { meter, snapshot } = createMeter({ worker: 'api/0', processFigures: false });
  const tokens = options.token === undefined ? [] : [options.token];
  const time = new FakeTime();
  const settings = { api: { listen: null, tokens, corsOrigin: null }, isolationTimeoutMs: 3_000 };
  const live = new LiveConfig(settings as unknown as Settings);
  const api = new Api({
    init: { workers: 2 } as unknown as WorkerInit,
    live,
    clock: time,
    bus,
    createServer: (given) => {
      handlers = given;
      return { listen: () => {}, stopListening: () => {}, close };
    },
    logger: silentLogger,
    meter,
    snapshot,
    timers: time,
    operate: () => {},
    version: '0.0.0',
  });
  const ask = (path: string, method = 'GET', authorization?: string): Promise<Answer> =>
    new Promise((resolve) => {
      const header = (name: string) => (name === 'authorization' ? authorization : undefined);
      const send = (status: number, headers: readonly string[], body: string | Uint8Array) =>
        resolve({ status, headers, body: String(body) });
      const begin = () => assert.fail('none of these answers is long');
      const response = { gone: false, send, sendLast: send, begin };
      handlers?.request({ path, method, header } as unknown as HttpRequest, response);
    });
  return { api, live, time, ask, asked, isClosed: () => closed };
}

const granted = (mode: Mode) => ({ mode, isolated: false, contactAgeMs: 0 });
const place = (slot: number, run = 0) => ({ kind: 'gateway' as const, slot, run, meshPath: '' });

describe('Api', () => {
  test('is ready while one worker admits, and names those that do not', async () => {
    const { api, ask } = makeApi();
    api.peers([place(0), place(1)], NO_STATS);
    api.health({ overloaded: [1], hung: 0 });
    const body = '{"status":"ready","overloaded":["gateway/1"]}\n';
    expect(await ask('/readyz')).toMatchObject({ status: 200, body });
    api.health({ overloaded: [1, 0], hung: 0 });
    expect(await ask('/readyz')).toMatchObject({ status: 503, body: expect.stringContaining('too much') });
  });

  test('shows how many workers hung', async () => {
    const { api, ask } = makeApi();
    api.health({ overloaded: [], hung: 3 });
    expect((await ask('/metrics')).body).toContain('arrokoth_workers_hung_total{worker="api/0"} 3\n');
  });

  test('is alive, and says in words what it does not have', async () => {
    const { ask } = makeApi();
    expect(await ask('/healthz')).toMatchObject({ status: 200, body: '{"status":"ok"}\n' });
    expect((await ask('/healthz', 'HEAD')).status).toBe(200);
    expect(await ask('/nope')).toMatchObject({ status: 404, body: expect.stringContaining('/readyz') });
    const refused = await ask('/metrics', 'POST');
    expect(refused.status).toBe(405);
    expect(refused.headers).toContain('Allow');
    expect(JSON.parse(refused.body).message).toContain('GET');
  });

  test('is ready when all gateways are up, admitting and not draining', async () => {
    const { api, ask, isClosed } = makeApi();
    const reason = async () => JSON.parse((await ask('/readyz')).body).reason;
    expect((await ask('/readyz')).status).toBe(503);
    api.peers([place(0)], NO_STATS);
    expect(await reason()).toBe('1 of 2 gateway workers are up; missing: gateway/1');
    api.peers([place(0), place(1), { ...place(0), kind: 'api' }], NO_STATS);
    expect(await ask('/readyz')).toMatchObject({ status: 200, body: '{"status":"ready"}\n' });
    api.grant(granted('initial'));
    expect(await reason()).toContain('initial');
    api.grant(granted('normal'));
    expect((await ask('/readyz')).status).toBe(200);
    await api.drain(100);
    expect(await reason()).toContain('draining');
    expect(isClosed()).toBe(true);
  });

  test.each(['block_new_session', 'block_new_connection', 'initial'] as const)(
    'is not ready in mode %s, and says so',
    async (mode) => {
      const { api, ask } = makeApi();
      api.peers([place(0), place(1)], NO_STATS);
      api.grant(granted(mode));
      const body = `{"status":"not_ready","reason":"the node's mode is ${mode}"}\n`;
      expect(await ask('/readyz')).toMatchObject({ status: 503, body });
    },
  );

  test('shows the mode, which is initial when the supervisor has fallen silent', async () => {
    const { api, ask, time } = makeApi();
    const modes = async () => {
      const page = (await ask('/metrics')).body;
      return [...page.matchAll(/^arrokoth_mode\{.*mode="(\w+)".*\} 1$/gm)].map(([, mode]) => mode);
    };
    expect(await modes()).toEqual([]);
    api.grant(granted('block_new_session'));
    expect(await modes()).toEqual(['block_new_session']);
    time.advance(3_001);
    expect(await modes()).toEqual(['initial']);
    expect((await ask('/readyz')).status).toBe(503);
    api.grant(granted('normal'));
    expect(await modes()).toEqual(['normal']);
  });

  test('asks for the token first, whatever the path', async () => {
    const { ask } = makeApi({ token: 'tulip' });
    for (const path of ['/healthz', '/readyz', '/metrics', '/nope']) {
      const refused = await ask(path, 'GET', 'Bearer rose');
      expect(refused.status).toBe(401);
      expect(refused.headers).toContain('WWW-Authenticate');
    }
    expect((await ask('/healthz', 'GET', 'Bearer tulip')).status).toBe(200);
  });

  test('shows the figures of all workers, and which of them kept silent', async () => {
    const { api, ask } = makeApi({ told: { 0: gatewayFigures(0) } });
    api.peers([place(0, 3)], NO_STATS);
    await ask('/healthz');
    const { status, headers, body } = await ask('/metrics');
    expect(status).toBe(200);
    expect(headers[1]).toContain('text/plain; version=0.0.4');
    expect(body).toContain('arrokoth_sends_total{worker="gateway/0"} 1\n');
    expect(body).toContain('arrokoth_api_requests_total{path="/healthz",status="200",worker="api/0"} 1\n');
    expect(body).toContain('arrokoth_worker_up{worker="gateway/0"} 1\n');
    expect(body).toContain('arrokoth_worker_up{worker="gateway/1"} 0\n');
    expect(body).toContain('arrokoth_worker_run{worker="gateway/0"} 3\n');
  });

  test('takes nonsense from a worker for silence', async () => {
    const nonsense = async () => ok({ facts: null, bytes: new TextEncoder().encode('{"a":') });
    const { ask } = makeApi({ told: { 0: nonsense, 1: gatewayFigures(1) } });
    const { body } = await ask('/metrics');
    expect(body).toContain('arrokoth_worker_up{worker="gateway/0"} 0\n');
    expect(body).toContain('arrokoth_sends_total{worker="gateway/1"} 2\n');
  });

  test('scrapes that overlap ask the workers once', async () => {
    const { ask, asked } = makeApi({ told: { 0: gatewayFigures(0), 1: gatewayFigures(1) } });
    await Promise.all([ask('/metrics'), ask('/metrics'), ask('/metrics')]);
    expect(asked).toEqual([0, 1]);
    await ask('/metrics');
    expect(asked).toHaveLength(4);
  });

  test('strangers cannot choose label values', async () => {
    const { ask } = makeApi({ told: { 0: gatewayFigures(0), 1: gatewayFigures(1) } });
    for (const path of ['/a', '/b', '/c']) await ask(path);
    expect((await ask('/metrics')).body).toContain(
      'arrokoth_api_requests_total{path="other",status="404",worker="api/0"} 3',
    );
  });
});

describe('unreadyReason', () => {
  test('names what is missing', () => {
    const overloaded = new Set<number>();
    const facts = { draining: false, mode: null, workers: 4, slotsUp: new Set([1, 3]), overloaded };
    expect(unreadyReason(facts)).toBe('2 of 4 gateway workers are up; missing: gateway/0, gateway/2');
    const complete = { ...facts, slotsUp: new Set([0, 1, 2, 3]) };
    expect(unreadyReason(complete)).toBeNull();
    expect(unreadyReason({ ...complete, overloaded: new Set([0, 1, 2]) })).toBeNull();
    expect(unreadyReason({ ...complete, overloaded: complete.slotsUp })).toMatch(/every gateway worker/);
  });
});
