/**
 * The lines of OWASP's WebSocket Security Cheat Sheet about who gets a WebSocket, each as a test.
 *
 * `docs/guides/security.md` lists them; a test compares both. Where a line is the application's duty,
 * the test shows what the node does to help.
 */
import { connect as connectSocket } from 'node:net';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ALL_WELL, ApplicationCalls } from '../conformance/application-calls.ts';
import {
  type Application,
  cleanUpAfterwards,
  type HandshakeAnswer,
  handshake,
  type NodeAddress,
  OPCODE,
  openWebSocket,
  type RawTarget,
  type RunningNode,
  request,
  startApplication,
  startNode,
} from '../support/index.ts';

const PAGE = 'https://chat.example';

describe('the way in', () => {
  let application: Application;
  let node: RunningNode;
  let port: number;

  beforeAll(async () => {
    application = await startApplication();
    node = await startNode({
      config: {
        callback: application.callback,
        app: { listen: '127.0.0.1:0', token: 'a-token-of-the-application' },
        origin_policy: [PAGE, 'http://localhost:8080'],
        trusted_proxies: ['127.0.0.1'],
        log: { level: 'debug' },
      },
    });
    port = node.addresses.public.port;
  });

  beforeEach(() => {
    for (const kind of ['connect', 'receive', 'close'] as const) delete application.handlers[kind];
  });

  const ask = (target: RawTarget): Promise<HandshakeAnswer> => handshake({ port, ...target }).answered;
  const fromPage = (origin: string, ...headers: string[]) => ask({ headers: ['Origin', origin, ...headers] });
  /** What the application was told of the client that came last. */
  const asked = () => application.calls('connect').at(-1);

  it('wss only: the application learns whether a client came over TLS', async () => {
    application.handlers.connect = (callback) =>
      callback.header('X-Forwarded-Proto') === 'https' ? undefined : { status: 403 };
    expect((await fromPage(PAGE, 'X-Forwarded-Proto', 'wss')).status).toBe(101);
    expect((await fromPage(PAGE, 'X-Forwarded-Proto', 'ws')).status).toBe(403);
    expect((await fromPage(PAGE)).status).toBe(403);
  });

  it('RFC 6455 only: older protocols are refused unheard', async () => {
    const before = application.calls('connect').length;
    const origin = ['Origin', PAGE];
    for (const version of ['0', '7', '8', '12', '14']) {
      expect((await ask({ headers: [...origin, 'Sec-WebSocket-Version', version] })).status).toBe(400);
    }
    const hixie = ['Sec-WebSocket-Key1', '4 @1  46546xW%0l 1 5', 'Sec-WebSocket-Key2', '12998 5 Y3 1  .P00'];
    const without = ['Sec-WebSocket-Version', 'Sec-WebSocket-Key'];
    const old = await ask({ headers: [...origin, ...hixie], without });
    expect([old.status, old.header('Sec-WebSocket-Version')]).toEqual([400, '13']);
    expect(application.calls('connect')).toHaveLength(before);
  });

  it('origins: only the pages that are listed may connect', async () => {
    const strangers = [
      'http://chat.example',
      'https://chat.example.evil.example',
      'https://evil.example',
      'null',
    ];
    const before = application.calls('connect').length;
    for (const origin of strangers) expect((await fromPage(origin)).status, origin).toBe(403);
    expect((await ask({})).status, 'no origin at all').toBe(403);
    expect((await fromPage('https://evil.example', 'X-Forwarded-Host', 'evil.example')).status).toBe(403);
    expect(application.calls('connect')).toHaveLength(before);
    expect((await fromPage(PAGE)).status).toBe(101);
    const line = await node.waitForLog(({ msg }) => msg === 'the page may not connect');
    expect(line).toMatchObject({ level: 'info', client: '127.0.0.1', origin: strangers[0], status: 403 });
  });

  it('CSRF tokens: what a page puts into its handshake reaches the application', async () => {
    application.handlers.connect = ({ query, header }) =>
      query.get('csrf') === 'x1' || header('X-Kuiperbelt-Protocols') === 'csrf.x1'
        ? undefined
        : { status: 403 };
    const headers = ['Origin', PAGE];
    expect((await ask({ headers, path: '/connect?csrf=x1' })).status).toBe(101);
    expect((await ask({ headers: [...headers, 'Sec-WebSocket-Protocol', 'csrf.x1'] })).status).toBe(101);
    expect((await ask({ headers, path: '/connect?csrf=x2' })).status).toBe(403);
  });

  it('SameSite cookies: the application sees the cookies that the browser sent, and no others', async () => {
    const cookies = 'session=abc; theme=dark';
    application.handlers.connect = ({ header }) =>
      header('Cookie') === cookies ? undefined : { status: 401, headers: ['Set-Cookie', 'evil=1'] };
    expect((await fromPage(PAGE, 'Cookie', cookies)).status).toBe(101);
    expect(asked()?.headerLines('Origin')).toEqual([PAGE]);
    const refused = await fromPage(PAGE);
    expect([refused.status, refused.header('Set-Cookie')]).toEqual([401, undefined]);
  });

  it('authentication: no WebSocket without the word of the application', async () => {
    const answers = [
      { status: 401, headers: ['WWW-Authenticate', 'Bearer'] },
      { status: 302, headers: ['Location', `${application.url}/elsewhere`] },
      { status: 204 },
      { status: 201, headers: ['X-Kuiperbelt-Session', 'k'] },
      { status: 200 },
      { status: 500 },
    ];
    for (const answer of answers) {
      application.handlers.connect = () => answer;
      expect((await fromPage(PAGE)).status).not.toBe(101);
    }
    application.handlers.connect = () => 'cut';
    expect((await fromPage(PAGE)).status).toBe(502);
  });

  it('authentication: a client cannot speak in the name of the node', async () => {
    const forged = [
      'X-Kuiperbelt-Session',
      'X_Arrokoth_Connection',
      'X-ARROKOTH-Signature',
      'X-Kuiperbelt-Endpoint',
    ];
    const headers = forged.flatMap((name) => [name, 'forged']);
    expect((await fromPage(PAGE, ...headers, 'X-Forwarded-For', '192.0.2.7', 'Proxy', 'forged')).status).toBe(
      101,
    );
    expect(asked()?.rawHeaders).not.toContain('forged');
    expect(asked()?.headerLines('X-Forwarded-For')).toEqual(['192.0.2.7, 127.0.0.1']);
    expect(asked()?.headerLines('X-Arrokoth-Connection')).toHaveLength(1);
  });

  it('tokens in URLs: no query is logged, not even at level debug', async () => {
    await ask({ headers: ['Origin', PAGE], path: '/connect?token=secret-1' });
    await ask({ headers: ['Origin', 'https://evil.example'], path: '/connect?token=secret-2' });
    await ask({ headers: ['Origin', PAGE], path: '/nowhere?token=secret-3' });
    application.handlers.connect = () => 'cut';
    await ask({ headers: ['Origin', PAGE], path: '/connect?token=secret-4' });
    await node.waitForLog(({ msg }) => msg.startsWith('the connect callback failed'));
    expect(JSON.stringify(node.log.items)).not.toMatch(/secret-/);
  });

  it('tunnels: nothing but a WebSocket is opened, and to the application only', async () => {
    const tunnel = 'CONNECT 127.0.0.1:22 HTTP/1.1\r\nHost: 127.0.0.1:22\r\n\r\n';
    expect(await said(port, tunnel)).toMatch(/^HTTP\/1\.1 405 /);
    for (const protocol of ['tcp', 'h2c', 'TLS/1.2']) {
      const lines = `Host: x\r\nConnection: Upgrade, close\r\nUpgrade: ${protocol}\r\n`;
      const text = `GET /connect HTTP/1.1\r\n${lines}\r\n`;
      expect(await said(port, text)).toMatch(/^HTTP\/1\.1 4\d\d /);
    }
    const inside = `http://127.0.0.1:${(node.addresses.app as NodeAddress).port}/stats`;
    expect(await said(port, `GET ${inside} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`)).toMatch(
      /^HTTP\/1\.1 404 /,
    );
  });

  it('errors: a client learns the kind of a failure and nothing about the inside', async () => {
    application.handlers.connect = () => 'cut';
    const answer = await fromPage(PAGE);
    expect([answer.status, answer.body]).toEqual([502, 'Bad Gateway\n']);
    const names = answer.rawHeaders.filter((_, index) => index % 2 === 0);
    expect(names).toEqual(['Content-Type', 'X-Content-Type-Options', 'Date', 'Connection', 'Content-Length']);
  });

  it('calls: none without the token, and none on the listener of the clients', async () => {
    const app = node.addresses.app as NodeAddress;
    const call = { sessions: ['nobody'] };
    for (const lines of [
      [],
      ['Authorization', 'Bearer a-token-of-the-applicatio'],
      ['Authorization', 'Basic eDp5'],
    ]) {
      expect((await new ApplicationCalls(app, lines).send(call)).status).toBe(401);
    }
    const shown = ['Authorization', 'Bearer a-token-of-the-application'];
    expect((await new ApplicationCalls(app, shown).send(call)).status).toBe(200);
    for (const path of ['/send', '/close', '/subscribe', '/unsubscribe', '/stats', '/%73end', '//send']) {
      const url = `${node.addresses.public.url}${path}`;
      expect((await request({ url, method: 'POST', headers: shown })).status, path).not.toBe(200);
    }
  });

  it('calls: a page on this machine cannot make them, where no token is asked for', async () => {
    const open = await startNode({ config: { callback: application.callback } });
    const calls = new ApplicationCalls(open.addresses.public);
    expect(
      (await calls.send({ sessions: ['k'], headers: ['Origin', 'http://rebound.example'] })).status,
    ).toBe(403);
    expect((await calls.send({ sessions: ['k'] })).status).toBe(200);
  });
});

describe('revocation', () => {
  it('logout: one call ends all connections of a user at once, on every worker', async () => {
    const application = await startApplication();
    const node = await startNode({
      config: { workers: 2, callback: application.callback, app: { listen: '127.0.0.1:0' } },
    });
    const { port } = node.addresses.public;
    const open = (user: string, n: number) =>
      openWebSocket({ port, path: `/connect?key=${user}-${n}&channel=${user}` });
    const mine = await Promise.all(Array.from({ length: 12 }, (_, n) => open('me', n)));
    const other = await open('other', 0);
    const calls = new ApplicationCalls(node.addresses.app as NodeAddress);
    const answer = await calls.close({ channels: ['me'], body: 'logged out' });
    expect([answer.status, JSON.parse(answer.body).result]).toEqual([200, 'OK']);
    for (const { frames } of mine) {
      const end = await frames.first(({ opcode }) => opcode === OPCODE.close);
      expect(end.closeCode).toBe(1000);
    }
    expect(await calls.send({ sessions: ['other-0'], body: 'still here' })).toEqual(ALL_WELL);
    expect(await other.nextText()).toBe('still here');
  });

  it('expiry: a session that ran out is ended by its key, and gets no more messages', async () => {
    const application = await startApplication();
    const node = await startNode({ config: { workers: 2, callback: application.callback } });
    const client = await openWebSocket({
      port: node.addresses.public.port,
      path: '/connect?key=k&channel=room',
    });
    const calls = new ApplicationCalls(node.addresses.public);
    expect(await calls.close({ sessions: ['k'], body: 'session expired' })).toEqual(ALL_WELL);
    expect(JSON.parse((await calls.send({ channels: ['room'], body: 'secret' })).body).channels).toEqual([
      { channel: 'room', delivered: 0 },
    ]);
    expect((await calls.send({ sessions: ['k'], body: 'secret' })).body).toContain('session is not found');
    await client.frames.first(({ opcode }) => opcode === OPCODE.close);
    expect(client.frames.items.map(({ text }) => text)).not.toContain('secret');
    expect(client.frames.items[0]?.text).toBe('session expired');
  });
});

/** Everything that is answered until the end. */
function said(port: number, text: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = connectSocket({ host: '127.0.0.1', port });
    cleanUpAfterwards(() => void socket.destroy());
    let words = '';
    socket.on('data', (chunk: Buffer) => {
      words += chunk.toString('latin1');
    });
    socket.on('error', () => undefined);
    socket.on('close', () => resolve(words));
    socket.write(text);
  });
}
