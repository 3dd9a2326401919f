/** How the application learns that a connection has ended, and that it learns it for certain. */
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  type Application,
  type CallbackAnswer,
  openWebSocket,
  type RunningNode,
  startApplication,
  startNode,
} from '../support/index.ts';
import { ApplicationCalls, isQuiet } from './application-calls.ts';

describe('the close callback', () => {
  let application: Application;
  let node: RunningNode;
  let calls: ApplicationCalls;

  beforeAll(async () => {
    application = await startApplication();
    node = await startNode({
      config: {
        callback: {
          ...application.callback,
          close_backoff: '20ms',
          close_backoff_max: '40ms',
          close_attempts: 3,
          close_timeout: '300ms',
        },
        node: { name: 'n@127.0.0.1' },
        proxy_set_header: { 'X-Zone': 'north' },
      },
    });
    calls = new ApplicationCalls(node.addresses.public);
  });

  beforeEach(() => {
    delete application.handlers.close;
  });

  const closesOf = (key: string) => application.calls('close').filter(({ session }) => session === key);
  const leave = async (key: string): Promise<void> => {
    const client = await openWebSocket({ port: node.addresses.public.port, path: `/connect?key=${key}` });
    client.sendClose(4001, 'enough');
    await client.closed;
  };

  it('is one POST without a body that says what ended, and why', async () => {
    await leave('plain');
    await calls.statsWhen(isQuiet);
    const [call, ...others] = closesOf('plain');
    expect(others).toEqual([]);
    expect([call?.method, call?.url, call?.body.length]).toEqual(['POST', '/close', 0]);
    const [connect] = application.calls('connect').filter(({ query }) => query.get('key') === 'plain');
    const connection = connect?.header('X-Arrokoth-Connection');
    expect(connection).toMatch(/^\w{20,}$/);
    for (const [name, value] of [
      ['Content-Length', '0'],
      ['X-Kuiperbelt-Session', 'plain'],
      ['X-Zone', 'north'],
      ['X-Kuiperbelt-Endpoint', `127.0.0.1:${node.addresses.public.port}`],
      ['X-Arrokoth-Connection', connection],
      ['X-Arrokoth-Event-Id', `${connection}.closed`],
      ['X-Arrokoth-Reason', 'client_close'],
      ['X-Arrokoth-Close-Code', '4001'],
    ] as const) {
      expect(call?.headerLines(name), name).toEqual([value]);
    }
    expect(call?.header('X-Request-Id')).not.toBe(connect?.header('X-Request-Id'));
  });

  const FAILURES: [what: string, answer: CallbackAnswer][] = [
    ['503', { status: 503 }],
    ['500', { status: 500 }],
    ['429', { status: 429 }],
    ['a cut connection', 'cut'],
    ['no answer in time', 'hang'],
  ];

  it.each(FAILURES)('is repeated after %s, as the same event', async (what, failure) => {
    const key = `again-${what.replaceAll(' ', '-')}`;
    application.handlers.close = ({ session }) =>
      session === key && closesOf(key).length === 1 ? failure : undefined;
    await leave(key);
    await application.waitForCall(() => closesOf(key).length === 2);
    await calls.statsWhen(isQuiet);
    const events = closesOf(key).map((call) => call.header('X-Arrokoth-Event-Id'));
    expect(events).toHaveLength(2);
    expect(new Set(events).size).toBe(1);
  });

  it('is given up after the last attempt', async () => {
    application.handlers.close = () => ({ status: 503 });
    await leave('hopeless');
    await node.waitForLog(({ msg }) => msg.includes('given up'));
    await calls.statsWhen(isQuiet);
    expect(closesOf('hopeless')).toHaveLength(3);
  });

  it.each([400, 404, 201, 204])('is not repeated after %i', async (status) => {
    application.handlers.close = () => ({ status });
    await leave(`done-${status}`);
    await application.waitForCall(({ kind, session }) => kind === 'close' && session === `done-${status}`);
    await calls.statsWhen(isQuiet);
    expect(closesOf(`done-${status}`)).toHaveLength(1);
  });

  it('is a GET behind a redirect, as the original sends it', async () => {
    application.handlers.close = ({ query }) =>
      query.get('again') === null ? { status: 302, headers: ['Location', '/close?again=1'] } : undefined;
    await leave('moved');
    await calls.statsWhen(isQuiet);
    expect(closesOf('moved').map(({ method, url }) => [method, url])).toEqual([
      ['POST', '/close'],
      ['GET', '/close?again=1'],
    ]);
  });
});

describe.each([1, 2])('a stop with %i worker(s)', (workers) => {
  it('closes everybody with 1001, tells every end, and exits with 0', async () => {
    const application = await startApplication();
    const node = await startNode({ config: { workers, callback: application.callback } });
    const { port } = node.addresses.public;
    const clients = await Promise.all(
      Array.from({ length: 20 }, (_, n) => openWebSocket({ port, path: `/connect?key=k${n}` })),
    );
    const leaving = clients.map(async (client) => {
      const frame = await client.nextFrame();
      client.sendClose(frame.closeCode as number);
      return frame.closeCode;
    });
    const exit = await node.stop();
    expect(new Set(await Promise.all(leaving))).toEqual(new Set([1001]));
    expect(exit.code).toBe(0);
    expect(
      application
        .calls('close')
        .map(({ session }) => session)
        .sort(),
    ).toEqual(clients.map((_, n) => `k${n}`).sort());
    expect(new Set(application.calls('close').map((call) => call.header('X-Arrokoth-Reason')))).toEqual(
      new Set(['drain']),
    );
    const stopped = node.log.items.find(({ msg }) => msg === 'node stopped');
    expect(stopped).toMatchObject({ connectionsClosed: 20, closeCallbacksGivenUp: 0 });
  });
});

describe('a stop that waits in vain', () => {
  it('says how many close callbacks it gave up, and the next start sends them', async () => {
    const application = await startApplication({ close: () => 'hang' });
    const config = { callback: application.callback, drain: { timeout: '500ms' } };
    const node = await startNode({ config });
    const client = await openWebSocket({ port: node.addresses.public.port, path: '/connect?key=k' });
    client.socket.on('data', () => client.sendClose(1001));
    const exit = await node.stop();
    expect(exit.code).toBe(0);
    const stopped = node.log.items.find(({ msg }) => msg === 'node stopped');
    expect(stopped).toMatchObject({ connectionsClosed: 1, closeCallbacksGivenUp: 1 });
    const before = application.calls('close').length;
    delete application.handlers.close;
    await startNode({ config, folder: node.folder });
    const closes = await application.waitFor('close', before + 1);
    const events = closes.map((call) => call.header('X-Arrokoth-Event-Id'));
    expect(new Set(events).size).toBe(1);
    expect(closes.at(-1)?.header('X-Arrokoth-Reason')).toBe('drain');
  });
});
