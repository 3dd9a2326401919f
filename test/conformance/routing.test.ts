/** Which paths a listener knows, and how plainly HTTP may be spoken to it (kuiperbelt 4). */
import { connect as connectSocket } from 'node:net';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  type Application,
  cleanUpAfterwards,
  keepAliveAgent,
  openWebSocket,
  type RunningNode,
  startApplication,
  startNode,
} from '../support/index.ts';
import { ALL_WELL, ApplicationCalls, BODY, TEXT_TYPE, unknown } from './application-calls.ts';

describe('routing', () => {
  let application: Application;
  let node: RunningNode;
  let calls: ApplicationCalls;

  beforeAll(async () => {
    application = await startApplication();
    node = await startNode({
      config: { callback: application.callback, path: { close: '/admin/close/' } },
    });
    calls = new ApplicationCalls(node.addresses.public);
  });

  it.each(['/', '/sen', '/send/', '/send/x', '/Send', '/favicon.ico', '/%73end/x'])(
    'does not know %s',
    async (path) => {
      const answer = await calls.call(path);
      expect([answer.status, answer.text]).toEqual([404, BODY.notFound]);
      expect(answer.headerLines('Content-Type')).toEqual([TEXT_TYPE]);
      expect(answer.headerLines('X-Content-Type-Options')).toEqual(['nosniff']);
    },
  );

  it.each([
    ['//send', '/send'],
    ['/x/../send', '/send'],
    ['/./send?a=b&c', '/send?a=b&c'],
    ['//nowhere//', '/nowhere/'],
    ['/admin/close', '/admin/close/'],
  ])('redirects %s to %s', async (path, location) => {
    const answer = await calls.call(path, { sessions: ['nope'] });
    expect([answer.status, answer.header('Location')]).toEqual([301, location]);
  });

  it('ignores the query of a call', async () => {
    expect(await calls.told('/send?x-kuiperbelt-session=a', { sessions: ['nope'] })).toEqual(
      unknown(['nope']),
    );
  });

  it('serves the subtree of a configured path that ends in a slash', async () => {
    expect(await calls.told('/admin/close/', { sessions: ['nope'] })).toEqual(unknown(['nope']));
    expect(await calls.told('/admin/close/now', { sessions: ['nope'] })).toEqual(unknown(['nope']));
    expect((await calls.told('/close', { sessions: ['nope'] })).status).toBe(404);
  });

  it.each(['GET', 'POST', 'PUT', 'DELETE', 'HEAD', 'OPTIONS'])('answers %s /ping', async (method) => {
    const answer = await calls.told('/ping', { method });
    expect(answer).toEqual(method === 'HEAD' ? { ...ALL_WELL, body: '' } : ALL_WELL);
  });

  it('serves many calls over one connection', async () => {
    const agent = keepAliveAgent();
    let dials = 0;
    const dial = agent.createConnection.bind(agent);
    agent.createConnection = (...args: Parameters<typeof dial>) => {
      dials++;
      return dial(...args);
    };
    cleanUpAfterwards(() => agent.destroy());
    for (let round = 0; round < 3; round++) {
      expect(await calls.send({ sessions: ['nope'], body: 'x', agent })).toEqual(unknown(['nope']));
      expect(await calls.told('/ping', { agent })).toEqual(ALL_WELL);
    }
    expect(dials).toBe(1);
  });

  it('takes a body in chunks', async () => {
    const client = await openWebSocket({ port: node.addresses.public.port, path: '/connect?key=chunky' });
    const chunks = { headers: ['Transfer-Encoding', 'chunked'], body: 'in chunks' };
    expect(await calls.send({ sessions: ['chunky'], ...chunks })).toEqual(ALL_WELL);
    expect(await client.nextText()).toBe('in chunks');
  });

  it('understands HTTP/1.0', async () => {
    const client = await openWebSocket({ port: node.addresses.public.port, path: '/connect?key=old' });
    const text = await exchange(
      node.addresses.public.port,
      'POST /send HTTP/1.0\r\nX-Kuiperbelt-Session: old\r\nContent-Length: 5\r\n\r\nhello',
    );
    expect(text).toMatch(/^HTTP\/1\.[01] 200 OK\r\n/);
    expect(text.endsWith(`\r\n\r\n${BODY.ok}`)).toBe(true);
    expect(await client.nextText()).toBe('hello');
  });

  it('logs calls by path, status and size, but neither connects nor stats', async () => {
    const logged = await startNode({ config: { callback: application.callback } });
    const own = new ApplicationCalls(logged.addresses.public);
    await openWebSocket({ port: logged.addresses.public.port, path: '/connect?key=logged' });
    await own.stats();
    await own.send({ sessions: ['logged'], body: 'secret words' });
    await own.call('/nowhere?token=hidden', { method: 'GET' });
    const lines = await logged.log.atLeast(2, (line) => line.msg === 'access');
    expect(lines.map(({ method, url, status, size }) => ({ method, url, status, size }))).toEqual([
      { method: 'POST', url: '/send', status: 200, size: 15 },
      { method: 'GET', url: '/nowhere', status: 404, size: 19 },
    ]);
    expect(JSON.stringify(logged.log.items)).not.toMatch(/secret words|hidden/);
  });

  it('logs no calls when that is configured', async () => {
    const silent = await startNode({ config: { callback: application.callback, suppress_access_log: true } });
    await new ApplicationCalls(silent.addresses.public).call('/nowhere');
    await silent.stop();
    expect(silent.log.items.filter((line) => line.msg === 'access')).toEqual([]);
  });
});

/** Sends bytes and returns everything that is answered until the end. */
function exchange(port: number, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connectSocket({ host: '127.0.0.1', port });
    let answer = '';
    socket.on('data', (chunk: Buffer) => {
      answer += chunk.toString('latin1');
    });
    socket.on('end', () => resolve(answer));
    socket.on('error', reject);
    socket.write(text);
    cleanUpAfterwards(() => void socket.destroy());
  });
}
