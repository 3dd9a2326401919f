/**
 * A real node with an application in several processes: what clients notice when one of them dies,
 * hangs or is ill, and what the others hear.
 */
import { describe, expect, it } from 'vitest';
import {
  type Application,
  type BackendProcess,
  type CallbackKind,
  handshake,
  type RawClient,
  type RunningNode,
  request,
  startApplication,
  startBackendProcess,
  startNode,
} from '../support/index.ts';

const api = { listen: '127.0.0.1:0' };
/** Rests that a test can wait for. */
const breaker = { failures: 3, rest: '100ms', rest_max: '200ms' };

function urls(backends: readonly { readonly url: string }[], kind: CallbackKind): string[] {
  return backends.map(({ url }) => `${url}/${kind}`);
}

/** The status of the answer to each client; those that got a 101 stay connected. */
async function connectAll(node: RunningNode, keys: readonly string[]) {
  const { port } = node.addresses.public;
  const clients = keys.map((key) => handshake({ port, path: `/connect?key=${key}` }));
  const answers = await Promise.all(clients.map(({ answered }) => answered));
  return answers.map(({ status }, index) => ({
    key: keys[index] as string,
    status,
    client: clients[index] as RawClient,
  }));
}

function keysFrom(prefix: string, count: number): string[] {
  return Array.from({ length: count }, (_, number) => `${prefix}${number}`);
}

describe('a backend that is killed', () => {
  it('takes along the connects that it had, and no other; then it comes back', async () => {
    const dying = await startBackendProcess({ hold: true });
    const others = [await startBackendProcess(), await startBackendProcess()] as const;
    const all = [dying, ...others];
    const callback = { connect: urls(all, 'connect'), close: urls(all, 'close'), breaker };
    const node = await startNode({ config: { workers: 2, api, callback } });

    const first = connectAll(node, keysFrom('a', 60));
    await everybodyIsAsked(all, 60);
    const lost = dying.noted.items.map(({ key }) => key).sort();
    expect(lost.length).toBeGreaterThan(0);
    await dying.kill();
    const failed = (await first).filter(({ status }) => status !== 101);
    expect(failed.map(({ key }) => key).sort()).toEqual(lost);
    expect(failed.every(({ status }) => status === 502)).toBe(true);

    const second = await connectAll(node, keysFrom('b', 60));
    expect(second.filter(({ status }) => status !== 101)).toEqual([]);

    const revived = await startBackendProcess({ port: dying.port });
    const third = await connectUntil(node, () => revived.noted.items.length > 0);
    expect(third.filter(({ status }) => status !== 101)).toEqual([]);
    await node.waitForLog(({ msg, backend }) => msg === 'a backend works again' && backend === dying.url);

    const open = [...(await first), ...second, ...third].filter(({ status }) => status === 101);
    for (const { client } of open) client.socket.destroy();
    expect(await eventsOf([...others, revived], open.length)).toHaveLength(open.length);
  });

  /** Each connect callback has arrived somewhere. */
  async function everybodyIsAsked(backends: readonly BackendProcess[], count: number): Promise<void> {
    const heard = () => backends.flatMap(({ noted }) => noted.items).length;
    while (heard() < count) {
      await Promise.race(backends.map(({ noted }) => noted.atLeast(noted.items.length + 1)));
    }
  }

  async function connectUntil(node: RunningNode, done: () => boolean) {
    const all = [];
    for (let round = 0; !done(); round++) all.push(...(await connectAll(node, keysFrom(`c${round}-`, 4))));
    return all;
  }

  /** The ids of close events, each once, as soon as there are `count`; a repetition fails. */
  async function eventsOf(backends: readonly BackendProcess[], count: number): Promise<string[]> {
    const closes = () => backends.flatMap(({ noted }) => noted.items).filter(({ kind }) => kind === 'close');
    while (closes().length < count) {
      await Promise.race(backends.map(({ noted }) => noted.atLeast(noted.items.length + 1)));
    }
    const ids = closes().map(({ event }) => event);
    expect(new Set(ids).size).toBe(ids.length);
    return ids;
  }
});

async function startWith(backends: readonly Application[], more: Readonly<Record<string, unknown>> = {}) {
  const callback = { connect: urls(backends, 'connect'), breaker: { failures: 3 }, ...more };
  const node = await startNode({ config: { api, callback } });
  const connectOne = async (key: string) => {
    const { port } = node.addresses.public;
    return handshake({ port, path: `/connect?key=${key}` }).answered;
  };
  const statuses = async (count: number): Promise<number[]> => {
    const seen: number[] = [];
    for (let number = 0; number < count; number++) seen.push((await connectOne(`k${number}`)).status);
    return seen;
  };
  return { node, connectOne, statuses };
}

describe('a backend that is ill', () => {
  it('and never answers costs few clients their connect', async () => {
    const backends = [await startApplication({ connect: () => 'hang' }), await startApplication()];
    const { node, statuses } = await startWith(backends, { timeout: '100ms' });
    const seen = await statuses(20);
    expect(seen.filter((status) => status === 502)).toHaveLength(3);
    expect(seen.slice(-12)).toEqual(Array(12).fill(101));
    const line = await node.waitForLog(({ msg }) => msg === 'a backend failed too often and rests');
    expect(line).toMatchObject({ backend: backends[0]?.url, cause: 'timeout', level: 'warn' });
    const page = await request({ url: `${node.addresses.api?.url}/metrics` });
    expect(page.text).toMatch(
      new RegExp(
        `^arrokoth_backend_failures_total\\{backend="${backends[0]?.url}",kind="timeout",.* 3$`,
        'm',
      ),
    );
  });

  it('and answers 500 is heard, word for word, and then spared', async () => {
    const sick = { status: 500, headers: ['Content-Type', 'text/plain'], body: 'no database' };
    const { connectOne } = await startWith([
      await startApplication({ connect: () => sick }),
      await startApplication(),
    ]);
    const answers = [];
    for (let number = 0; number < 20; number++) answers.push(await connectOne(`k${number}`));
    const refused = answers.filter(({ status }) => status === 500);
    expect(refused).toHaveLength(3);
    for (const { body } of refused) expect(body).toBe('no database');
    expect(answers.slice(-12).every(({ status }) => status === 101)).toBe(true);
  });

  it('by its own word is not asked, until it is well again', async () => {
    let well = false;
    const [a, b] = await Promise.all([
      startApplication({ establish: () => ({ status: well ? 200 : 503 }) }),
      startApplication(),
    ]);
    const health = { path: '/establish', interval: '100ms', unhealthy_after: 2, healthy_after: 2 };
    const { node, statuses } = await startWith([a, b], { health, signing_keys: ['k'.repeat(32)] });
    const out = await node.waitForLog(({ msg }) => msg === 'a backend does not pass its health checks');
    expect(out).toMatchObject({ backend: a.url, cause: 'status 503' });
    expect(await statuses(6)).toEqual(Array(6).fill(101));
    expect(a.calls('connect')).toEqual([]);
    const check = a.calls('establish')[0];
    expect(check?.method).toBe('GET');
    expect(check?.header('X-Arrokoth-Signature')).toMatch(/^v1=/);
    well = true;
    await node.waitForLog(({ msg }) => msg === 'a backend works again');
    expect(await statuses(6)).toEqual(Array(6).fill(101));
    expect(a.calls('connect').length).toBeGreaterThan(0);
  });

  it('as all others are ends in a 503 that says when to come back', async () => {
    const backends = [await startApplication(), await startApplication()];
    const { connectOne, statuses } = await startWith(backends, {
      breaker: { failures: 1, rest: '1m', rest_max: '1m' },
    });
    for (const backend of backends) await backend.stop();
    expect(await statuses(1)).toEqual([502]);
    const answer = await connectOne('late');
    expect(answer).toMatchObject({
      status: 503,
      body: 'Service Unavailable: the application does not answer\n',
    });
    expect(Number(answer.header('Retry-After'))).toBeGreaterThan(1);
  });
});

it('a single backend is asked however often it fails', async () => {
  const application = await startApplication({ connect: () => ({ status: 500 }) });
  const { statuses } = await startWith([application], { breaker: { failures: 1 } });
  expect(await statuses(10)).toEqual(Array(10).fill(500));
  await application.stop();
  expect(await statuses(10)).toEqual(Array(10).fill(502));
});
