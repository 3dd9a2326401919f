/** Checks of backends: what is asked, when, and what counts as well. */
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { CollectedLog } from '../../../test/fakes/collected-log.ts';
import { FakeRandom } from '../../../test/fakes/fake-random.ts';
import { FakeTime } from '../../../test/fakes/fake-time.ts';
import { AwaitedList, cleanUpAfterwards } from '../../../test/support/index.ts';
import { createMeter } from '../../telemetry/index.ts';
import { checkBackends } from './backend-checks.ts';
import { CallbackBackends } from './callback-backends.ts';
import { HttpClient } from './http-client.ts';

const HEALTH = {
  ...{ path: '/up?deep=1', intervalMs: 1_000, timeoutMs: 500, healthyAfter: 2, unhealthyAfter: 2 },
  status: { min: 200, max: 299 },
};

type Answer = number | 'redirect' | 'hang';

/** A backend whose word about itself a test changes. */
async function backend() {
  const seen = new AwaitedList<IncomingMessage>('checks');
  const state: { answer: Answer } = { answer: 204 };
  const server = createServer((request, response) => {
    seen.push(request);
    if (state.answer === 'hang') return;
    if (state.answer === 'redirect') response.writeHead(302, { Location: '/well' }).end();
    else response.writeHead(state.answer).end();
  });
  cleanUpAfterwards(() => {
    server.closeAllConnections();
    server.close();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, seen, state };
}

function checking(urls: readonly string[]) {
  const time = new FakeTime();
  const log = new CollectedLog();
  const random = new FakeRandom(7);
  const { meter } = createMeter({ worker: 'w', processFigures: false });
  const checked = new AwaitedList<null>('outcomes');
  const backends = new CallbackBackends({
    urls: { connect: urls, establish: null, receive: null, close: null },
    rules: {
      ...{ failuresInRow: 5, failureRate: 0, windowMs: 1_000, windowCallsMin: 1, openMs: 1, openMaxMs: 1 },
      ...{ healthyAfter: HEALTH.healthyAfter, unhealthyAfter: HEALTH.unhealthyAfter },
    },
    ...{ dialTimeoutMs: 1_000, checks: true, clock: time, random, logger: log, meter },
  });
  const told = backends.checked.bind(backends);
  backends.checked = (...outcome) => {
    told(...outcome);
    checked.push(null);
  };
  const signed: string[] = [];
  const client = new HttpClient({
    ...{ maxInFlight: urls.length, maxQueued: 0, timers: time },
    sign: ({ target }) => {
      signed.push(target);
      return ['X-Signed', 'yes'];
    },
  });
  cleanUpAfterwards(() => client.close());
  const checks = checkBackends({ backends, health: HEALTH, client, timers: time, random });
  const states = () => backends.states;
  /** One more check of each backend. */
  let rounds = 0;
  const round = async (): Promise<void> => {
    rounds++;
    time.advance(1.1 * HEALTH.intervalMs);
    await checked.atLeast(rounds * urls.length);
  };
  return { time, log, checks, states, round, signed, checked };
}

test('a check is a signed GET on a connection of its own', async () => {
  const { url, seen } = await backend();
  const { round, signed } = checking([`${url}/connect`]);
  await round();
  await round();
  expect(seen.items.map(({ method, url: target }) => `${method} ${target}`)).toEqual([
    'GET /up?deep=1',
    'GET /up?deep=1',
  ]);
  const [first, second] = seen.items as [IncomingMessage, IncomingMessage];
  expect(first.headers).toMatchObject({ 'x-signed': 'yes', connection: 'close' });
  expect(first.socket === second.socket).toBe(false);
  expect(signed).toEqual(['/up?deep=1', '/up?deep=1']);
});

test.each<[Answer, string]>([
  [500, 'status 500'],
  [301, 'status 301'],
  ['redirect', 'status 302'],
])('as many bad answers as it takes put a backend out, good ones bring it back (%s)', async (bad, cause) => {
  const [a, b] = [await backend(), await backend()];
  const { round, states, log } = checking([a.url, b.url]);
  await round();
  a.state.answer = bad;
  await round();
  expect(states()).toEqual(['closed', 'closed']);
  await round();
  expect(states()).toEqual(['unhealthy', 'closed']);
  a.state.answer = 200;
  await round();
  expect(states()).toEqual(['unhealthy', 'closed']);
  await round();
  expect(states()).toEqual(['closed', 'closed']);
  expect(log.lines).toEqual([
    {
      level: 'warn',
      fields: { backend: a.url, cause },
      message: 'a backend does not pass its health checks',
    },
    { level: 'info', fields: { backend: a.url }, message: 'a backend works again' },
  ]);
});

test('a check that hangs is given up, and the next one does not come before', async () => {
  const { url, seen, state } = await backend();
  state.answer = 'hang';
  const { time, states, checked } = checking([url]);
  for (let index = 1; index <= 2; index++) {
    time.advance(1.1 * HEALTH.intervalMs);
    await seen.atLeast(index);
    time.advance(HEALTH.timeoutMs);
    await checked.atLeast(index);
  }
  expect(seen.items).toHaveLength(2);
  expect(states()).toEqual(['unhealthy']);
});

test('stopped checks leave no timer behind', async () => {
  const { url } = await backend();
  const { time, checks, round } = checking([url]);
  await round();
  checks.cancel();
  expect(time.pending).toBe(0);
});
