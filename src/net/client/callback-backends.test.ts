/** Calls with several backends: where they go, when they go elsewhere, and when they must not. */
import dns from 'node:dns';
import { createServer, type RequestListener } from 'node:http';
import { type AddressInfo, createServer as createNetServer } from 'node:net';
import { describe, expect, test, vi } from 'vitest';
import { CollectedLog } from '../../../test/fakes/collected-log.ts';
import { FakeRandom } from '../../../test/fakes/fake-random.ts';
import { FakeTime } from '../../../test/fakes/fake-time.ts';
import { AwaitedList, cleanUpAfterwards } from '../../../test/support/index.ts';
import { systemTimers } from '../../system/index.ts';
import { createMeter, renderSnapshots } from '../../telemetry/index.ts';
import {
  answerOf,
  call,
  DEFAULTS,
  failureOf,
  serve,
  serveBytes,
  textOf,
} from '../testdata/called-application.ts';
import { CallbackBackends } from './callback-backends.ts';
import { HttpClient } from './http-client.ts';

const RULES = {
  ...{ failuresInRow: 3, failureRate: 0, windowMs: 10_000, windowCallsMin: 10 },
  ...{ openMs: 1_000, openMaxMs: 8_000, healthyAfter: 1, unhealthyAfter: 2 },
};

/** A client of several backends; their rests go by `time`, which stands still. */
function clientOf(urls: readonly string[], options: { dialTimeoutMs?: number; private?: boolean } = {}) {
  const time = new FakeTime();
  const log = new CollectedLog();
  const figures = createMeter({ worker: 'w', processFigures: false });
  const backends = new CallbackBackends({
    urls: { connect: urls, establish: urls, receive: urls, close: urls },
    rules: RULES,
    dialTimeoutMs: options.dialTimeoutMs ?? 60_000,
    checks: false,
    ...{ clock: time, random: new FakeRandom(1), logger: log, meter: figures.meter },
  });
  const client = new HttpClient({
    ...{ maxInFlight: 64, maxQueued: 0, timers: systemTimers, backends },
    allowPrivateRedirects: options.private ?? false,
  });
  cleanUpAfterwards(() => client.close());
  const route = { url: urls[0] as string, urls, list: urls } as const;
  const page = async () => renderSnapshots([await figures.snapshot()]);
  const states = () => backends.states;
  return { client, route, time, log, page, states, backends };
}

/** Says its name, and keeps a list of what it was asked. */
async function named(name: string, seen: string[] = []): Promise<string> {
  return serve((request, response) => {
    seen.push(`${name} ${request.method} ${request.url}`);
    response.end(name);
  });
}

/** A port that refuses connections. */
async function refusing(): Promise<string> {
  const server = createNetServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return `http://127.0.0.1:${port}`;
}

/** Takes connections and says nothing, not even of TLS. */
function silent(asked?: AwaitedList<null>): Promise<string> {
  return serveBytes((socket) => {
    socket.on('data', () => asked?.push(null));
  });
}

async function namesOf(client: HttpClient, route: ReturnType<typeof clientOf>['route'], calls: number) {
  const names: string[] = [];
  for (let index = 0; index < calls; index++) names.push(textOf(await answerOf(client, route)));
  return names;
}

describe('choosing', () => {
  test('backends take turns, each asked at its own URL', async () => {
    const seen: string[] = [];
    const urls = [`${await named('a', seen)}/one`, `${await named('b', seen)}/two?x=1`];
    const { client, route } = clientOf(urls);
    expect((await namesOf(client, route, 4)).sort()).toEqual(['a', 'a', 'b', 'b']);
    expect([...new Set(seen)].sort()).toEqual(['a GET /one', 'b GET /two?x=1']);
  });

  test('one that is slow gets no more than the others have in flight', async () => {
    const held = new AwaitedList<() => void>('held requests');
    const slow = await serve((_request, response) => held.push(() => response.end('slow')));
    const quick = await named('quick');
    const { client, route } = clientOf([slow, quick]);
    const first = [answerOf(client, route), answerOf(client, route)];
    await Promise.all([held.atLeast(1), Promise.race(first)]);
    expect(await namesOf(client, route, 20)).toEqual(Array(20).fill('quick'));
    for (const answer of held.items) answer();
    expect((await Promise.all(first)).map(textOf).sort()).toEqual(['quick', 'slow']);
  });

  test('a call with one URL goes straight there', async () => {
    const only = await named('only');
    const { client, page } = clientOf([await refusing(), only]);
    expect(textOf(await answerOf(client, { url: only, urls: [], list: [only] }))).toBe('only');
    expect(await page()).not.toContain('arrokoth_backend_calls_total{');
  });
});

describe('who cannot be reached', () => {
  test.each(['GET', 'POST'])('is passed over within the same call (%s)', async (method) => {
    const dead = await refusing();
    const urls = [dead, await named('a')];
    const { client, route, page, states, log } = clientOf(urls);
    const names = [];
    for (let index = 0; index < 8; index++) names.push(textOf(await answerOf(client, { ...route, method })));
    expect(names).toEqual(Array(8).fill('a'));
    expect(states()).toEqual(['open', 'closed']);
    const text = await page();
    expect(text).toContain(`arrokoth_backend_retries_total{backend="${dead}",worker="w"} 3\n`);
    expect(text).toContain(
      `arrokoth_backend_failures_total{backend="${dead}",kind="unreachable",worker="w"} 3`,
    );
    expect(text).toContain(`arrokoth_backend_state{backend="${dead}",state="open",worker="w"} 1`);
    expect(text).toContain(`arrokoth_backend_in_flight{backend="${urls[1]}",worker="w"} 0`);
    expect(log.lines).toEqual([
      {
        level: 'warn',
        fields: { backend: dead, cause: 'unreachable' },
        message: 'a backend failed too often and rests',
      },
    ]);
  });

  test('is dialled for a bounded time only, and TLS is part of dialling', async () => {
    const mute = (await silent()).replace('http:', 'https:');
    const { client, route } = clientOf([mute, await named('a')], { dialTimeoutMs: 50 });
    expect(await namesOf(client, route, 3)).toEqual(['a', 'a', 'a']);
  });

  test('cannot hold a call for longer than its whole timeout', async () => {
    const mute = (await silent()).replace('http:', 'https:');
    const { client, route } = clientOf([mute, mute.replace('127.0.0.1', '127.0.0.2')]);
    expect(await failureOf(client, { ...route, timeoutMs: 50 })).toBe('timeout');
  });

  test('when it is everybody, the last failure is told; later, that nobody is asked', async () => {
    const { client, route, time, states } = clientOf([await refusing(), await refusing()]);
    for (let index = 0; index < 3; index++) expect(await failureOf(client, route)).toBe('unreachable');
    expect(states()).toEqual(['open', 'open']);
    const refused = await call(client, route);
    expect(refused).toMatchObject({ ok: false, error: { kind: 'no_backend' } });
    const { retryAfterMs = 0 } = refused.ok ? {} : refused.error;
    expect(retryAfterMs).toBeGreaterThan(0);
    time.advance(retryAfterMs);
    expect(await failureOf(client, route)).toBe('unreachable');
  });

  test('is asked again once it has rested, and comes back', async () => {
    const port = Number(new URL(await refusing()).port);
    const urls = [`http://127.0.0.1:${port}`, await named('a')];
    const { client, route, time, states, log } = clientOf(urls);
    await namesOf(client, route, 6);
    expect(states()).toEqual(['open', 'closed']);
    const server = createServer((_request, response) => response.end('back'));
    cleanUpAfterwards(() => {
      server.closeAllConnections();
      server.close();
    });
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    expect(await namesOf(client, route, 3)).toEqual(['a', 'a', 'a']);
    time.advance(1_000);
    expect(await namesOf(client, route, 4)).toContain('back');
    expect(states()).toEqual(['closed', 'closed']);
    expect(log.lines.at(-1)).toMatchObject({ level: 'info', message: 'a backend works again' });
  });
});

describe('who may have read the request', () => {
  async function bothWays(handle: Parameters<typeof serveBytes>[0], patch: { timeoutMs?: number } = {}) {
    const seen: string[] = [];
    const urls = [await serveBytes(handle), await named('a', seen)];
    const { client, route, states } = clientOf(urls);
    const outcomes = [];
    for (let index = 0; index < 6; index++) {
      const result = await call(client, { ...route, method: 'POST', ...patch });
      outcomes.push(result.ok ? textOf(result.value) : result.error.kind);
    }
    return { outcomes, states: states(), seen };
  }

  test('keeps the call when it breaks off', async () => {
    const { outcomes, states, seen } = await bothWays((socket) =>
      socket.once('data', () => socket.destroy()),
    );
    expect(outcomes.filter((outcome) => outcome === 'unreachable')).toHaveLength(3);
    expect(seen).toHaveLength(3);
    expect(states).toEqual(['open', 'closed']);
  });

  test('keeps it when it never answers', async () => {
    const { outcomes, seen } = await bothWays((socket) => socket.resume(), { timeoutMs: 30 });
    expect(outcomes.filter((outcome) => outcome === 'timeout')).toHaveLength(3);
    expect(seen).toHaveLength(3);
  });

  test('keeps it when it does not speak HTTP', async () => {
    const { outcomes, seen } = await bothWays((socket) =>
      socket.once('data', () => socket.end('hello\r\n\r\n')),
    );
    expect(outcomes.filter((outcome) => outcome === 'malformed')).toHaveLength(3);
    expect(seen).toHaveLength(3);
  });

  test('keeps it when a kept socket breaks while it is used', async () => {
    const seen: string[] = [];
    const first = await serve((request, response) => {
      seen.push(request.method ?? '');
      if (seen.length === 1) response.end('kept');
      else request.socket.destroy();
    });
    const { client, route } = clientOf([first, await named('b')]);
    const outcomes = [];
    for (let index = 0; index < 4; index++) {
      const result = await call(client, { ...route, method: 'POST' });
      outcomes.push(result.ok ? textOf(result.value) : result.error.kind);
    }
    expect(outcomes.sort()).toEqual(['b', 'b', 'kept', 'unreachable']);
    expect(seen).toEqual(['POST', 'POST']);
  });
});

describe('answers', () => {
  test('of 500 and more are passed on, and rest the backend while there is another', async () => {
    const sick: RequestListener = (_request, response) =>
      response.writeHead(503, { 'Retry-After': '7' }).end('no');
    const { client, route, states } = clientOf([await serve(sick), await named('a')]);
    const texts = await namesOf(client, route, 12);
    expect(texts.filter((text) => text === 'no')).toHaveLength(3);
    expect(states()).toEqual(['open', 'closed']);
  });

  test('of 500 and more from everybody are still answers', async () => {
    const sick: RequestListener = (_request, response) => response.writeHead(500).end('no');
    const { client, route, states } = clientOf([await serve(sick), await serve(sick)]);
    expect(await namesOf(client, route, 12)).toEqual(Array(12).fill('no'));
    expect(states()).toEqual(['open', 'open']);
  });

  test('below 500 are the application’s word and no failure', async () => {
    const refuses: RequestListener = (_request, response) => response.writeHead(403).end('no');
    const { client, route, states } = clientOf([await serve(refuses), await serve(refuses)]);
    await namesOf(client, route, 12);
    expect(states()).toEqual(['closed', 'closed']);
  });
});

describe('redirects', () => {
  test('lead within the backend that was asked, and not to the others', async () => {
    const b = await named('b');
    const a = await serve((request, response) => {
      const to = request.url === '/inside' ? '/end' : `${b}/end`;
      if (request.url === '/end') response.end('a');
      else response.writeHead(302, { Location: to }).end();
    });
    const inside = clientOf([`${a}/inside`, `${a.replace('127.0.0.1', 'localhost')}/inside`]);
    expect(textOf(await answerOf(inside.client, { ...inside.route, redirectsMax: 3 }))).toBe('a');
    const outside = clientOf([`${a}/outside`, b]);
    const outcomes = [];
    for (let index = 0; index < 2; index++) {
      outcomes.push(await failureOf(outside.client, { ...outside.route, redirectsMax: 3 }));
    }
    expect(outcomes.sort()).toEqual(['answered 200', 'redirects']);
    expect(outside.states()).toEqual(['closed', 'closed']);
  });
});

describe('lists that are read again', () => {
  test('have a new `callback.dial_timeout`', async () => {
    const urls = [await named('a'), await named('b')];
    const { route, backends } = clientOf(urls, { dialTimeoutMs: 1_234 });
    const dialTimeoutOf = () => backends.route({ ...DEFAULTS, ...route })?.dialTimeoutMs;
    const before = dialTimeoutOf();
    backends.replace({ connect: urls, establish: null, receive: null, close: null }, 4_321);
    expect([before, dialTimeoutOf()]).toEqual([1_234, 4_321]);
  });

  test('keep what is known of the same backends, and calls of the old lists find them', async () => {
    const urls = [await refusing(), await named('a')];
    const { client, route, states, backends } = clientOf(urls);
    await namesOf(client, route, 6);
    const again = [...urls];
    expect(backends.replace({ connect: again, establish: null, receive: null, close: null }, 1)).toBe(false);
    expect(states()).toEqual(['open', 'closed']);
    expect(await namesOf(client, { ...route, list: again, urls: again }, 2)).toEqual(['a', 'a']);
    expect(await namesOf(client, route, 2)).toEqual(['a', 'a']);
  });

  test('make other backends known, and end nothing that is under way', async () => {
    const held = new AwaitedList<() => void>('held requests');
    const slow = await serve((_request, response) => held.push(() => response.end('slow')));
    const dead = await refusing();
    const { client, route, states, backends } = clientOf([slow, dead]);
    const under = answerOf(client, route);
    await held.atLeast(1);
    const urls = [await named('b'), await named('c'), slow];
    expect(backends.replace({ connect: urls, establish: null, receive: null, close: null }, 1)).toBe(true);
    for (const answer of held.items) answer();
    expect(textOf(await under)).toBe('slow');
    expect(states()).toEqual(['closed', 'closed', 'closed']);
    // A list that names a backend of which nothing is known any more: straight to the first.
    const late = answerOf(client, route);
    await held.atLeast(2);
    held.items[1]?.();
    expect(textOf(await late)).toBe('slow');
  });
});

test('a client that is closed leaves nothing in flight and blames nobody', async () => {
  const asked = new AwaitedList<null>('requests');
  const urls = [await silent(asked), await silent(asked)];
  const { client, route, states, page } = clientOf(urls);
  const results = [call(client, route), call(client, route), call(client, route)];
  await asked.atLeast(3);
  client.close();
  for (const result of await Promise.all(results)) expect(result.ok).toBe(false);
  expect(states()).toEqual(['closed', 'closed']);
  expect(await page()).not.toMatch(/in_flight\{.*\} [1-9]/);
});

test('a name with several addresses is dialled at one after the other', async () => {
  const { port } = new URL(await named('a'));
  const dead = await refusing();
  // Nobody listens at the first one.
  const found = ['127.0.0.9', '127.0.0.1'].map((address) => ({ address, family: 4 }));
  const lookup = ((_name: string, _options: unknown, done: (error: null, all: typeof found) => void) =>
    done(null, found)) as unknown as typeof dns.lookup;
  const spy = vi.spyOn(dns, 'lookup').mockImplementation(lookup);
  cleanUpAfterwards(() => spy.mockRestore());
  const { client, route, states } = clientOf([`http://app.example:${port}`, dead]);
  expect(await namesOf(client, route, 4)).toEqual(['a', 'a', 'a', 'a']);
  expect(spy).toHaveBeenCalled();
  expect(states()[0]).toBe('closed');
});
