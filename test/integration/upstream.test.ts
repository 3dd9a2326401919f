/**
 * Requests that are not for the gateway, passed on by a real node: which ones, with what, to whom.
 */
import { createHash, randomBytes } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  type Application,
  type Backend,
  type RunningNode,
  request,
  startApplication,
  startBackend,
  startNode,
  talk,
} from '../support/index.ts';

async function startBehind(
  backends: string | readonly string[],
  more: Readonly<Record<string, unknown>> = {},
) {
  const { upstream, ...rest } = more;
  return startNode({ config: { ...rest, upstream: { backends, ...(upstream as object) } } });
}
const portOf = (node: RunningNode) => node.addresses.public.port;
const get = (path: string, ...lines: readonly string[]) =>
  `GET ${path} HTTP/1.1\r\nHost: chat.example\r\n${lines.map((line) => `${line}\r\n`).join('')}\r\n`;

describe('one node', () => {
  let application: Application;
  let backend: Backend;
  let node: RunningNode;
  let port: number;

  beforeAll(async () => {
    application = await startApplication();
    backend = await startBackend();
    const hooks = (name: string) => `${application.url}/${name}?from=hook`;
    node = await startBehind(backend.url, {
      callback: { connect: hooks('connect'), close: `${backend.url}/hooks/close`, trace: 'off' },
      app: { listen: '127.0.0.1:0' },
    });
    port = portOf(node);
  });

  const ask = async (path: string, ...lines: readonly string[]) => {
    const client = talk(port, get(path, ...lines, 'Connection: close'));
    return { words: await client.all, seen: backend.requests.items.length };
  };

  it.each([
    '/',
    '/a?b=c',
    '/a//b/../c',
    '/a%2Fb%20%C3%A9',
    '/q?',
    '/q?a=%0d%0a&b=?',

    "/~u/!$&'()*+,;=:@|^`{}",
  ])('passes %s on byte for byte', async (path) => {
    const { words } = await ask(path);
    expect(words).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    const said = backend.requests.items.at(-1);
    expect(Buffer.from(said?.url ?? '', 'latin1').toString('latin1')).toBe(path);
  });

  it.each([
    ...['/send', '/SEND', '//send', '/stats', '/close', '/subscribe', '/unsubscribe', '/%73end', '/send/'],
    ...[
      '/hooks/close',
      '/hooks//close',
      '/hooks/%63lose',
      '/hooks/x/../close',
      '/hooks/close/',
      '/hooks%252fclose',
    ],
    ...['/connect;x', '*', 'http://chat.example/page', '/a#b', '/a%00b', '/caf\xe9'],
  ])('keeps %s from the application', async (path) => {
    const before = backend.requests.items.length;
    const { words, seen } = await ask(path);
    expect(words).toMatch(/^HTTP\/1\.1 (?:301|400|404) /);
    expect(seen).toBe(before);
  });

  it.each([
    ['CONNECT', 'CONNECT chat.example:80 HTTP/1.1\r\nHost: chat.example\r\nConnection: close\r\n\r\n'],
    ['TRACE', 'TRACE / HTTP/1.1\r\nHost: chat.example\r\nConnection: close\r\n\r\n'],
    ['two Hosts', 'GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\nConnection: close\r\n\r\n'],
    ['another version', 'GET / HTTP/2.0\r\nHost: a\r\nConnection: close\r\n\r\n'],
  ])('refuses %s', async (_what, bytes) => {
    const before = backend.requests.items.length;
    expect(await talk(port, bytes).all).toMatch(/^HTTP\/1\.1 [45]\d\d /);
    expect(backend.requests.items.length).toBe(before);
  });

  it('serves the gateway beside it', async () => {
    expect((await request({ url: `http://127.0.0.1:${port}/ping` })).status).toBe(200);
    const app = node.addresses.app?.url;
    expect((await request({ url: `${app}/page` })).status, 'not on the listener of the application').toBe(
      404,
    );
    const probe = await request({ url: `http://127.0.0.1:${port}/connect` });
    expect(probe.status).toBe(400);
  });

  it('says who the client is, and nothing that the client says about it', async () => {
    await ask(
      '/who',
      ...['X-Forwarded-For: 6.6.6.6', 'Forwarded: for=6.6.6.6', 'X-Real-IP: 6.6.6.6', 'X_Forwarded_For: 6'],
      ...['X-Kuiperbelt-Session: ada', 'X_Arrokoth_Event-Id: 1', 'X-Arrokoth-Signature: v1=0', 'Proxy: x'],
      ...[
        'Connection: X-Hop',
        'X-Hop: 1',
        'TE: trailers',
        'Keep-Alive: 5',
        'Upgrade: h2c',
        'Cookie: a=1',
        'COOKIE: b',
      ],
    );
    expect(backend.requests.items.at(-1)?.rawHeaders).toEqual([
      ...['Host', 'chat.example', 'Cookie', 'a=1', 'COOKIE', 'b'],
      ...['X-Forwarded-For', '127.0.0.1', 'X-Forwarded-Proto', 'http', 'X-Forwarded-Host', 'chat.example'],
      ...['Via', '1.1 arrokoth', 'Connection', 'keep-alive'],
    ]);
  });

  it('carries bodies both ways, with a length, in chunks, and none', async () => {
    const body = randomBytes(300_000);
    const url = `http://127.0.0.1:${port}/body`;
    expect((await request({ url, method: 'PUT', body })).text).toBe('PUT /body 300000');
    const digest = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
    expect(digest(backend.requests.items.at(-1)?.body as Buffer)).toBe(digest(body));
    const head = 'POST /body HTTP/1.1\r\nHost: a\r\nConnection: close\r\n';
    const pieces = '5;ext=1\r\nhello\r\n0\r\nX-Trailer: t\r\n\r\n';
    const chunked = `${head}Transfer-Encoding: chunked\r\n\r\n${pieces}`;
    expect(await talk(port, chunked).all).toMatch(/\r\nPOST \/body 5(?:\r\n|$)/);
    const seen = backend.requests.items.at(-1);
    expect(seen?.headerLines('Transfer-Encoding')).toEqual(['chunked']);
    expect(seen?.headerLines('X-Trailer')).toEqual([]);
    expect(await talk(port, `${head}\r\n`).all).toContain('POST /body 0');
    expect(backend.requests.items.at(-1)?.headerLines('Content-Length')).toEqual(['0']);
  });

  it('keeps the connection of a client, and answers what was sent ahead in its order', async () => {
    const client = talk(port, get('/1') + get('/2') + get('/3', 'Connection: close'));
    expect((await client.all).match(/GET \/\d 0/g)).toEqual(['GET /1 0', 'GET /2 0', 'GET /3 0']);
  });

  it('speaks HTTP/1.0', async () => {
    const words = await talk(port, 'GET /old HTTP/1.0\r\n\r\n').all;
    expect(words).toMatch(/^HTTP\/1\.1 200 OK\r\n[\s\S]*GET \/old 0$/);
    expect(words).not.toMatch(/chunked/i);
    expect(backend.requests.items.at(-1)?.headerLines('Host')).toEqual([`127.0.0.1:${backend.port}`]);
  });

  it('writes a line about each, without the query', async () => {
    await ask('/logged?token=secret', 'X-Request-Id: seven');
    const line = await node.waitForLog(({ url }) => url === '/logged');
    expect(line).toMatchObject({
      msg: 'access',
      status: 200,
      size: 'GET /logged?token=secret 0'.length,
      backend: 0,
      requestId: 'seven',
    });
    expect(JSON.stringify(node.log.items)).not.toContain('secret');
  });
});
