/** What the application sees when a client connects (kuiperbelt 5.2). */
import { gzipSync } from 'node:zlib';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  type Application,
  type Callback,
  defaultAnswer,
  handshake,
  OPCODE,
  openWebSocket,
  type RawClient,
  type RunningNode,
  startApplication,
  startNode,
} from '../support/index.ts';

describe('the connect callback', () => {
  let application: Application;
  let node: RunningNode;

  beforeAll(async () => {
    application = await startApplication();
    node = await startNode({
      config: {
        // A query in the configured URL is lost, as in the original.
        callback: { connect: `${application.url}/connect?configured=1` },
        node: { name: 'node-01@127.0.0.1' },
        proxy_set_header: { 'X-Set': 'ours', 'X-Removed': '', Cookie: 'ours=1', Host: 'elsewhere' },
      },
    });
  });

  beforeEach(() => {
    delete application.handlers.connect;
  });

  const connect = async (
    key: string,
    headers: readonly string[] = [],
    query = '',
  ): Promise<{ client: RawClient; callback: Callback }> => {
    const path = `/connect?key=${key}${query}`;
    const client = await openWebSocket({ port: node.addresses.public.port, path, headers });
    const callback = await application.waitForCall((call) => call.query.get('key') === key);
    return { client, callback };
  };

  it('has the method and the query of the client, as they were sent', async () => {
    const { callback } = await connect('q1', [], '&a=%2F+b&a=c&&d;e=%zz');
    expect(callback.method).toBe('GET');
    expect(callback.url).toBe('/connect?key=q1&a=%2F+b&a=c&&d;e=%zz');
    expect(callback.httpVersion).toBe('1.1');
    expect(callback.body).toHaveLength(0);
  });

  it('has no query when the client sent none', async () => {
    const client = await openWebSocket({ port: node.addresses.public.port, path: '/connect' });
    const callback = await application.waitForCall((call) => call.query.get('key') === null);
    expect(callback.url).toBe('/connect');
    client.reset();
  });

  it("carries the client's headers, repeated lines in their order", async () => {
    const sent = [
      ...['X-Twice', 'one', 'Origin', 'http://page.example', 'Authorization', 'Bearer t'],
      ...['x-twice', 'two, three', 'User-Agent', 'browser/1', 'TE', 'trailers', 'Keep-Alive', 'timeout=5'],
      ...['X-Latin', 'caf\u00e9', 'X-Empty', ''],
    ];
    const { callback } = await connect('h1', sent);
    expect(callback.headerLines('X-Twice')).toEqual(['one', 'two, three']);
    for (const [name, value] of [
      ['Origin', 'http://page.example'],
      ['Authorization', 'Bearer t'],
      ['User-Agent', 'browser/1'],
      ['TE', 'trailers'],
      ['Keep-Alive', 'timeout=5'],
      ['X-Empty', ''],
    ] as const) {
      expect(callback.headerLines(name), name).toEqual([value]);
    }
  });

  it('leaves out what belongs to the upgrade, and names the application as host', async () => {
    const { callback } = await connect('h2', [
      ...['Sec-WebSocket-Protocol', 'chat', 'Sec-WebSocket-Extensions', 'permessage-deflate'],
      ...['Sec-WebSocket-Anything', 'x', 'Connection', 'keep-alive, Upgrade'],
    ]);
    const names = callback.rawHeaders.filter((_, index) => index % 2 === 0).map((name) => name.toLowerCase());
    expect(names.filter((name) => name.startsWith('sec-websocket'))).toEqual([]);
    expect(names).not.toContain('upgrade');
    expect(callback.header('Connection') ?? '').not.toMatch(/upgrade/i);
    expect(callback.headerLines('Host')).toEqual([`127.0.0.1:${application.port}`]);
    expect(names).not.toContain('content-length');
    expect(names).not.toContain('transfer-encoding');
  });

  it('names the endpoint once, whatever the client claims', async () => {
    const { callback } = await connect('h3', [
      ...[
        'X-Kuiperbelt-Endpoint',
        'forged',
        'x-kuiperbelt-anything',
        'forged',
        'X_Kuiperbelt_Endpoint',
        'forged',
      ],
      ...[
        'X-Kuiperbelt-Session',
        'forged',
        'X-Arrokoth-Connection',
        'forged',
        'X-Kuiperbelt-Channel',
        'forged',
      ],
    ]);
    const { port } = node.addresses.public;
    expect(callback.headerLines('X-Kuiperbelt-Endpoint')).toEqual([`127.0.0.1:${port}`]);
    // Decided: a client cannot speak in our name, where the original forwards what it says first.
    expect(callback.rawHeaders).not.toContain('forged');
  });

  it('says which connection and which request it is', async () => {
    const { callback: one } = await connect('h4', ['X-Request-Id', 'mine']);
    const { callback: two } = await connect('h5');
    for (const name of ['X-Arrokoth-Connection', 'X-Request-Id']) {
      expect(one.headerLines(name)).toHaveLength(1);
      expect(one.header(name)).toMatch(/^\w{20,}$/);
      expect(two.header(name)).not.toBe(one.header(name));
    }
  });

  it('obeys proxy_set_header, which cannot change the host', async () => {
    const { callback } = await connect('h6', [
      ...['X-Set', 'theirs', 'x-set', 'again', 'X-Removed', 'theirs', 'Cookie', 'theirs=1', 'X-Kept', 'kept'],
    ]);
    expect(callback.headerLines('X-Set')).toEqual(['ours']);
    expect(callback.headerLines('X-Removed')).toEqual([]);
    expect(callback.headerLines('Cookie')).toEqual(['ours=1']);
    expect(callback.headerLines('X-Kept')).toEqual(['kept']);
    expect(callback.headerLines('Host')).toEqual([`127.0.0.1:${application.port}`]);
  });

  it('asks for gzip by itself and unpacks the hello', async () => {
    application.handlers.connect = (callback) => ({
      headers: [...(defaultAnswer(callback).headers ?? []), 'Content-Encoding', 'gzip'],
      body: gzipSync('unpacked hello'),
    });
    const { client, callback } = await connect('g1');
    expect(callback.headerLines('Accept-Encoding')).toEqual(['gzip']);
    expect(callback.headerLines('User-Agent')).toHaveLength(1);
    expect(await client.nextText()).toBe('unpacked hello');
  });

  it('hands a packed body through when the client asked for it', async () => {
    const packed = gzipSync('packed hello');
    application.handlers.connect = (callback) => ({
      headers: [
        ...(defaultAnswer(callback).headers ?? []),
        ...['Content-Encoding', 'gzip', 'Content-Type', 'application/octet-stream'],
      ],
      body: packed,
    });
    const { client, callback } = await connect('g2', ['Accept-Encoding', 'gzip, br']);
    expect(callback.headerLines('Accept-Encoding')).toEqual(['gzip, br']);
    const frame = await client.nextFrame();
    expect([frame.opcode, frame.payload]).toEqual([OPCODE.binary, packed]);
  });

  it('follows redirects, ten at most', async () => {
    const redirects = (count: number) => (callback: Callback) => {
      const place = Number(callback.query.get('place') ?? 0);
      if (place === count) return defaultAnswer(callback);
      const key = callback.query.get('key');
      return { status: 302, headers: ['Location', `/connect?key=${key}&place=${place + 1}`], body: 'moved' };
    };
    application.handlers.connect = redirects(10);
    const { client } = await connect('r1');
    client.reset();
    expect(application.calls('connect').filter((call) => call.query.get('key') === 'r1')).toHaveLength(11);
    application.handlers.connect = redirects(11);
    const { port } = node.addresses.public;
    expect((await handshake({ port, path: '/connect?key=r2' }).answered).status).toBe(502);
    expect(application.calls('connect').filter((call) => call.query.get('key') === 'r2')).toHaveLength(11);
  });
});

describe('the endpoint in callbacks', () => {
  it('is the one configured, to the letter, or else the listener that serves /send', async () => {
    const application = await startApplication();
    const { callback } = application;
    const [told, apart] = await Promise.all([
      startNode({ config: { callback, endpoint: 'Push.Example:1/blue?' } }),
      startNode({ config: { callback, app: { listen: '127.0.0.1:0' }, node: { name: 'a@127.0.0.9' } } }),
    ]);
    await openWebSocket({ port: told.addresses.public.port, path: '/connect?key=told' });
    await openWebSocket({ port: apart.addresses.public.port, path: '/connect?key=apart' });
    const endpointOf = (key: string) =>
      application
        .calls('connect')
        .find((call) => call.query.get('key') === key)
        ?.header('X-Kuiperbelt-Endpoint');
    expect(endpointOf('told')).toBe('Push.Example:1/blue?');
    expect(endpointOf('apart')).toBe(`127.0.0.9:${apart.addresses.app?.port}`);
  });
});
