/** Three listeners and two tokens: who serves what to whom. */
import { beforeAll, describe, expect, it } from 'vitest';
import {
  type Application,
  type NodeAddress,
  openWebSocket,
  type RunningNode,
  request,
  startApplication,
  startNode,
  type TestAnswer,
} from '../support/index.ts';
import { ALL_WELL, ApplicationCalls, BODY, JSON_TYPE, TEXT_TYPE } from './application-calls.ts';

const APP_TOKEN = 'application-token-0123456789';
const API_TOKEN = 'operator-token-0123456789';
const CALLS = ['/send', '/close', '/subscribe', '/unsubscribe', '/stats'];
const REFUSED = { status: 401, type: JSON_TYPE, body: BODY.unauthorized };
const NOT_HERE = { status: 404, type: TEXT_TYPE, body: BODY.notFound };

const bearer = (token: string): string[] => ['Authorization', `Bearer ${token}`];

/** What must not open a door. */
const WRONG: [what: string, lines: string[]][] = [
  ['no token', []],
  ['another token', bearer('application-token-0123456780')],
  ['a longer token', bearer(`${APP_TOKEN}x`)],
  ['a part of the token', bearer(APP_TOKEN.slice(0, -1))],
  ['an empty token', ['Authorization', 'Bearer ']],
  ['another scheme', ['Authorization', `Basic ${APP_TOKEN}`]],
  ['the bare token', ['Authorization', APP_TOKEN]],
  ["the operator's token", bearer(API_TOKEN)],
];

describe.each([1, 2])('listeners with %i worker(s)', (workers) => {
  let application: Application;
  let node: RunningNode;
  let outside: ApplicationCalls;
  let inside: ApplicationCalls;

  beforeAll(async () => {
    application = await startApplication();
    node = await startNode({
      config: {
        workers,
        callback: application.callback,
        app: { listen: '127.0.0.1:0', token: APP_TOKEN },
        api: { listen: '127.0.0.1:0', token: API_TOKEN },
      },
    });
    outside = new ApplicationCalls(node.addresses.public, bearer(APP_TOKEN));
    inside = new ApplicationCalls(node.addresses.app as NodeAddress, bearer(APP_TOKEN));
  });

  const openClient = (key: string) =>
    openWebSocket({ port: node.addresses.public.port, path: `/connect?key=${key}` });

  it.each(CALLS)("keep %s to the application's", async (path) => {
    expect(await outside.told(path, { sessions: ['x'] })).toEqual(NOT_HERE);
    expect((await inside.told(path, { sessions: ['x'], channels: ['c'] })).status).toBe(200);
  });

  it('keep clients to the public one, and answer /ping on both without a token', async () => {
    expect(await inside.told('/connect', { method: 'GET' })).toEqual(NOT_HERE);
    for (const address of [node.addresses.public, node.addresses.app as NodeAddress]) {
      expect(await new ApplicationCalls(address).told('/ping')).toEqual(ALL_WELL);
    }
  });

  it('carry messages from one to the other', async () => {
    const client = await openClient('inside');
    expect(await inside.send({ sessions: ['inside'], body: 'hello' })).toEqual(ALL_WELL);
    expect(await client.nextText()).toBe('hello');
  });

  it.each(WRONG)('refuse %s with 401, whatever is asked', async (_what, lines) => {
    const client = await openClient('untouched');
    const stranger = new ApplicationCalls(node.addresses.app as NodeAddress, lines);
    for (const path of CALLS) {
      const answer = await stranger.call(path, { sessions: ['untouched'], body: 'never' });
      expect([answer.status, answer.header('Content-Type'), answer.text]).toEqual(Object.values(REFUSED));
      expect(answer.header('WWW-Authenticate')).toMatch(/^Bearer/);
    }
    expect((await stranger.told('/nowhere')).status).toBe(404);
    expect(await inside.send({ sessions: ['untouched'], body: 'first' })).toEqual(ALL_WELL);
    expect(await client.nextText()).toBe('first');
  });

  it('take the scheme in any case', async () => {
    const calls = new ApplicationCalls(node.addresses.app as NodeAddress, [
      'authorization',
      `bEARER ${APP_TOKEN}`,
    ]);
    expect((await calls.call('/stats', { method: 'GET' })).status).toBe(200);
  });

  const operator = (path: string, lines: string[] = bearer(API_TOKEN), method = 'GET'): Promise<TestAnswer> =>
    request({ url: `${node.addresses.api?.url}${path}`, headers: lines, method });

  it("show health, readiness and figures on the operator's", async () => {
    const healthz = await operator('/healthz');
    expect([healthz.status, healthz.text]).toEqual([200, '{"status":"ok"}\n']);
    const readyz = await operator('/readyz');
    expect([readyz.status, readyz.text]).toEqual([200, '{"status":"ready"}\n']);
    const metrics = await operator('/metrics');
    expect(metrics.status).toBe(200);
    expect(metrics.header('Content-Type')).toMatch(/^text\/plain; version=0\.0\.4/);
    expect(metrics.text).toMatch(/^# HELP arrokoth_\w+ .+\n# TYPE arrokoth_\w+ (counter|gauge|histogram)$/m);
    for (let slot = 0; slot < workers; slot++) expect(metrics.text).toContain(`worker="gateway/${slot}"`);
  });

  it("refuse everybody else on the operator's, and serve nothing else there", async () => {
    for (const path of ['/healthz', '/readyz', '/metrics', '/nowhere']) {
      for (const lines of [[], bearer(APP_TOKEN), bearer(`${API_TOKEN} `.slice(1))]) {
        const answer = await operator(path, lines);
        expect([path, answer.status]).toEqual([path, 401]);
        expect(answer.header('WWW-Authenticate')).toMatch(/^Bearer/);
        expect(answer.text).not.toContain('arrokoth_');
      }
    }
    expect((await operator('/send')).status).toBe(404);
    expect((await operator('/metrics', bearer(API_TOKEN), 'POST')).status).toBe(405);
  });

  it('never write a token into the log', () => {
    const text = JSON.stringify(node.log.items);
    expect(text).not.toContain(APP_TOKEN);
    expect(text).not.toContain(API_TOKEN);
  });
});

describe('a token without a listener of its own', () => {
  it('guards the calls on the public one, but neither /connect nor /ping', async () => {
    const application = await startApplication();
    const node = await startNode({ config: { callback: application.callback, app: { token: APP_TOKEN } } });
    const client = await openWebSocket({ port: node.addresses.public.port, path: '/connect?key=k' });
    const stranger = new ApplicationCalls(node.addresses.public);
    for (const path of CALLS) expect(await stranger.told(path, { sessions: ['k'] })).toEqual(REFUSED);
    expect(await stranger.told('/ping')).toEqual(ALL_WELL);
    const calls = new ApplicationCalls(node.addresses.public, bearer(APP_TOKEN));
    expect(await calls.send({ sessions: ['k'], body: 'x' })).toEqual(ALL_WELL);
    expect(await client.nextText()).toBe('x');
  });
});
