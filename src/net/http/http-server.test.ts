import { closeSync, fstatSync, openSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { describe, expect, test } from 'vitest';
import {
  AwaitedList,
  cleanUpAfterwards,
  handshake,
  keepAliveAgent,
  OPCODE,
  openWebSocket,
  post,
  request,
} from '../../../test/support/index.ts';
import { bindUnix } from '../../process/index.ts';
import { encodeFrame, type HttpRequest, type HttpResponse, type UpgradeRequest } from '../index.ts';
import { bindLoopback, startServer } from '../testdata/test-server.ts';

const turn = () => new Promise((resolve) => setImmediate(resolve));

/** A socket that collects what it gets; `all` resolves with it when the server has closed. */
function dial(port: number): { readonly socket: Socket; readonly all: Promise<string> } {
  const socket = connect({ port, host: '127.0.0.1' });
  cleanUpAfterwards(() => void socket.destroy());
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  socket.on('error', () => {});
  const all = new Promise<string>((resolve) => {
    socket.on('close', () => resolve(Buffer.concat(chunks).toString('latin1')));
  });
  return { socket, all };
}

/** Reads each body with a bound of 10 bytes and answers with it. */
function readBody(httpRequest: HttpRequest, response: HttpResponse): void {
  httpRequest.body(10, (body) => {
    if (body.ok) response.send(200, [], body.value);
    else response.send(413, ['Content-Type', 'text/plain'], body.error);
  });
}

describe('requests', () => {
  test('are shown as they were sent', async () => {
    const seen = new AwaitedList<HttpRequest>('requests');
    const { port } = await startServer({
      handlers: {
        request: (httpRequest, response) => {
          expect(httpRequest.remoteAddress).toBe('127.0.0.1');
          seen.push(httpRequest);
          response.send(200, ['X-Two', 'a', 'X-Two', 'b'], 'ünï');
        },
      },
    });
    const headers = ['X-Key', 'one, two', 'x-key', 'three', 'Content-Type', 'text/plain'];
    const answer = await post(`http://127.0.0.1:${port}/a//b%20?q=1?2`, headers, 'body');
    const got = await seen.first(() => true);
    expect(got).toMatchObject({ method: 'POST', path: '/a//b%20', query: 'q=1?2', httpVersion: '1.1' });
    expect(got.headerLines('X-KEY')).toEqual(['one, two', 'three']);
    expect([got.header('x-KEY'), got.header('absent')]).toEqual(['one, two', undefined]);
    expect(got.rawHeaders).toContain('x-key');
    expect(answer.text).toBe('ünï');
    expect(answer.header('content-length')).toBe('5');
    expect(answer.header('date')).toBeDefined();
    expect(answer.headerLines('x-two')).toEqual(['a', 'b']);
  });

  test('an answer without a body has no length, a forged line is left out', async () => {
    const { port } = await startServer({
      handlers: {
        request: (_request, response) => response.send(204, ['X-A', 'b\r\nX-Forged: 1', 'X-C', 'd'], ''),
      },
    });
    const answer = await request({ url: `http://127.0.0.1:${port}/` });
    expect(answer.header('content-length')).toBeUndefined();
    expect(answer.header('x-forged')).toBeUndefined();
    expect(answer.header('x-a')).toBeUndefined();
    expect(answer.header('x-c')).toBe('d');
  });

  test('bodies are read whole, in one chunk or many, up to the bound', async () => {
    const { port } = await startServer({ handlers: { request: readBody } });
    const url = `http://127.0.0.1:${port}/`;
    const agent = keepAliveAgent();
    cleanUpAfterwards(() => agent.destroy());
    for (const body of ['', 'x', '0123456789']) {
      expect((await request({ url, method: 'POST', body, agent })).text).toBe(body);
    }
    expect((await request({ url })).text).toBe('');
    const { socket, all } = dial(port);
    socket.write('POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n');
    for (const piece of ['3\r\nabc\r\n', '2\r\nde\r\n', '0\r\n\r\n']) {
      await turn();
      socket.write(piece);
    }
    expect(await all).toMatch(/200 OK[\s\S]*abcde$/);
  });

  test.each([
    ['announced', 'Content-Length: 11\r\n\r\n'],
    ['announced and sent', `Content-Length: 100000\r\n\r\n${'x'.repeat(100_000)}`],
    ['in chunks', `Transfer-Encoding: chunked\r\n\r\nb\r\n${'x'.repeat(11)}\r\n`],
  ])('a body that is too large, %s, is answered and the connection closed', async (_name, rest) => {
    const { port } = await startServer({ handlers: { request: readBody } });
    const { socket, all } = dial(port);
    socket.write(`POST / HTTP/1.1\r\nHost: a\r\n${rest}`);
    const answer = await all;
    expect(answer).toMatch(/^HTTP\/1.1 413 Payload Too Large\r\n/);
    expect(answer).toContain('\r\nConnection: close\r\n');
    expect(answer).toMatch(/\r\n\r\ntoo_large$/);
  });

  test('a client that leaves within its body is told to the role once', async () => {
    const results = new AwaitedList<string>('bodies');
    const { port } = await startServer({
      handlers: {
        request: (httpRequest, response) => {
          httpRequest.body(100, (body) => {
            results.push(body.ok ? 'whole' : body.error);
            expect(response.gone).toBe(true);
            response.send(200, [], 'to nobody');
          });
        },
      },
    });
    const { socket } = dial(port);
    socket.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 50\r\n\r\nhalf');
    await turn();
    socket.resetAndDestroy();
    expect(await results.first(() => true)).toBe('gone');
    for (let index = 0; index < 10; index++) await turn();
    expect(results.items).toEqual(['gone']);
  });

  test('a client that waits for a 100 gets it when its body is wanted, else only the answer', async () => {
    const { port } = await startServer({ handlers: { request: readBody } });
    const head =
      'POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nConnection: close\r\nContent-Length: ';
    const welcome = dial(port);
    welcome.socket.once('data', () => welcome.socket.write('ok'));
    welcome.socket.write(`${head}2\r\n\r\n`);
    expect(await welcome.all).toMatch(/^HTTP\/1.1 100 Continue\r\n\r\nHTTP\/1.1 200 OK[\s\S]*ok$/);
    const refused = dial(port);
    refused.socket.write(`${head}11\r\n\r\n`);
    expect(await refused.all).toMatch(/^HTTP\/1.1 413 /);
  });

  test('a client that ends its side after the request still gets the answer', async () => {
    const { port } = await startServer({
      handlers: {
        request: async (_request, response) => {
          for (let index = 0; index < 50; index++) await turn();
          response.send(200, [], 'late');
        },
      },
    });
    const { socket, all } = dial(port);
    socket.end('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    expect(await all).toMatch(/late$/);
  });
});

describe('hostile bytes', () => {
  const nothing = {
    handlers: { request: (_request: HttpRequest, response: HttpResponse) => response.send(200, [], '') },
  };

  test.each([
    ['nonsense', 'SSH-2.0-OpenSSH\r\n\r\n', 400],
    ['a head that is too large', `GET / HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(9_000)}`, 431],
    ['two lengths', 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n', 400],
    [
      'length and chunks',
      'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n',
      400,
    ],
  ])('%s is answered and costs the connection', async (_name, bytes, status) => {
    const { port } = await startServer(nothing);
    const { socket, all } = dial(port);
    socket.write(bytes);
    const answer = await all;
    expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(answer).toContain('\r\nConnection: close\r\n');
  });

  test.each([
    ['says nothing', ''],
    ['sends half a head', 'GET / HTTP/1.1\r\nHost: a\r\n'],
    ['sends half a body', 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nx'],
  ])('a client that %s is cut in time', async (_name, bytes) => {
    const limits = { headerBytesMax: 8_192, headerLinesMax: 9, handshakeTimeoutMs: 50, messageBytesMax: 100 };
    const { port } = await startServer({ ...nothing, handlers: { request: readBody }, limits });
    const { socket, all } = dial(port);
    socket.write(bytes);
    expect(await all).toMatch(/^(?:|HTTP\/1.1 408 Request Timeout\r\n[\s\S]*)$/);
  });
});

describe('upgrades', () => {
  const parked = new AwaitedList<UpgradeRequest>('upgrade requests');
  const park = {
    request: (_request: HttpRequest, response: HttpResponse) => response.send(426, [], 'plain'),
    upgrade: (upgrade: UpgradeRequest) => parked.push(upgrade),
  };
  const newest = async (count: number) => (await parked.atLeast(count)).at(-1) as UpgradeRequest;

  test('the 101 has exactly three lines, computed as RFC 6455 does', async () => {
    const { port } = await startServer();
    const client = handshake({ port, headers: ['Sec-WebSocket-Key', 'dGhlIHNhbXBsZSBub25jZQ=='] });
    const answer = await client.answered;
    expect([answer.status, answer.statusText]).toEqual([101, 'Switching Protocols']);
    expect(answer.rawHeaders).toEqual([
      ...['Upgrade', 'websocket', 'Connection', 'Upgrade'],
      ...['Sec-WebSocket-Accept', 's3pPLMBiTxaQ9kYGzzhZRbK+xOo='],
    ]);
  });

  test('a refusal is a whole answer, after which the socket closes', async () => {
    const { port } = await startServer({ handlers: park });
    const client = handshake({ port, path: '/x?y=z' });
    const upgrade = await newest(parked.items.length + 1);
    expect(upgrade).toMatchObject({ path: '/x', query: 'y=z', gone: false, earlyData: false });
    upgrade.refuse(403, ['X-Why', 'because'], 'no');
    const answer = await client.answered;
    expect(answer).toMatchObject({ status: 403, body: 'no' });
    expect(answer.header('content-length')).toBe('2');
    expect(answer.header('connection')).toBe('close');
    expect(answer.header('x-why')).toBe('because');
    expect((await client.closed).orderly).toBe(true);
  });

  test('an abandoned request gets no answer', async () => {
    const { port } = await startServer({ handlers: park });
    const client = handshake({ port });
    (await newest(parked.items.length + 1)).abandon();
    await expect(client.answered).rejects.toThrow();
  });

  test.each(['end', 'reset'] as const)(
    'a client that leaves before the answer (%s) is noticed',
    async (how) => {
      const { port } = await startServer({ handlers: park });
      const client = handshake({ port });
      const upgrade = await newest(parked.items.length + 1);
      client[how]();
      await client.closed;
      while (!upgrade.gone) await turn();
      const events = { message: () => {}, ended: () => {} };
      expect(upgrade.accept(null, events)).toBeNull();
      upgrade.refuse(500, [], '');
    },
  );

  test('early data is noticed, bounded, and read as frames if it is admitted', async () => {
    const { port, events, messages } = await startServer({ handlers: park });
    const client = handshake({ port });
    const upgrade = await newest(parked.items.length + 1);
    client.sendText('early');
    while (!upgrade.earlyData) await turn();
    client.sendText('second');
    expect(upgrade.accept(null, events)).not.toBeNull();
    await client.answered;
    client.sendText('third');
    const seen = await messages.atLeast(3);
    expect(seen.map(({ text }) => text)).toEqual(['early', 'second', 'third']);
  });

  test('bytes in the same packet as the request are early data', async () => {
    const { port } = await startServer({ handlers: park });
    const head = 'GET / HTTP/1.1\r\nHost: a\r\nUpgrade: WebSocket\r\nConnection: upgrade\r\n\r\nmore';
    handshake({ port, rawRequest: head });
    expect((await newest(parked.items.length + 1)).earlyData).toBe(true);
  });

  test('a refused client that goes on talking still reads why', async () => {
    const { port } = await startServer({ handlers: park });
    const client = handshake({ port });
    const upgrade = await newest(parked.items.length + 1);
    client.sendBytes('too early');
    while (!upgrade.earlyData) await turn();
    client.sendBytes(Buffer.alloc(500_000));
    upgrade.refuse(400, [], 'early');
    expect((await client.answered).body).toBe('early');
    expect((await client.closed).orderly).toBe(true);
  });

  test('a wish for anything but a WebSocket is a plain request with a body', async () => {
    const { port } = await startServer({ handlers: { ...park, request: readBody } });
    const headers = ['Connection', 'Upgrade, HTTP2-Settings', 'Upgrade', 'h2c', 'HTTP2-Settings', 'AA'];
    const answer = await post(`http://127.0.0.1:${port}/send`, headers, 'payload');
    expect([answer.status, answer.text]).toEqual([200, 'payload']);
  });

  test('without an upgrade handler they are plain requests', async () => {
    const { port } = await startServer({ handlers: { request: park.request } });
    expect((await handshake({ port }).answered).status).toBe(426);
  });

  test('the hello shares its write with the 101', async () => {
    const { port } = await startServer({
      handlers: {
        ...park,
        upgrade: (upgrade) => {
          const connection = upgrade.accept(null, { message: () => {}, ended: () => {} });
          connection?.send(encodeFrame(Buffer.from('hello'), false));
        },
      },
    });
    const client = await openWebSocket({ port });
    expect(await client.nextFrame()).toMatchObject({ opcode: OPCODE.text, text: 'hello' });
  });
});

describe('listeners', () => {
  test('one that is given back leaves connections and kept sockets alone', async () => {
    const { server, port, messages } = await startServer();
    const agent = keepAliveAgent();
    cleanUpAfterwards(() => agent.destroy());
    const url = `http://127.0.0.1:${port}/`;
    await request({ url, agent });
    const client = await openWebSocket({ port });
    server.stopListening();
    expect((await request({ url, agent })).text).toBe('plain');
    client.sendText('alive');
    await messages.first(({ text }) => text === 'alive');
    await expect(request({ url })).rejects.toThrow('ECONNREFUSED');
    const again = await bindLoopback();
    server.listen(again.handle);
    expect((await request({ url: `http://127.0.0.1:${again.port}/` })).text).toBe('plain');
  });

  test('may be a unix socket', async () => {
    const { server } = await startServer();
    const socketPath = `/tmp/arrokoth-net-${process.pid}.sock`;
    const bound = await bindUnix(socketPath);
    if (!bound.ok) throw bound.error;
    server.listen(bound.value.handle);
    cleanUpAfterwards(() => bound.value.close());
    expect((await request({ socketPath, path: '/' })).text).toBe('plain');
    const client = await openWebSocket({ socketPath });
    client.sendClose(1000);
    await client.closed;
    // Both sides close what they hold; the descriptor must not be closed twice.
    server.stopListening();
    await turn();
    const file = openSync('/dev/null', 'r');
    cleanUpAfterwards(() => closeSync(file));
    bound.value.close();
    await turn();
    expect(fstatSync(file).isCharacterDevice()).toBe(true);
  });
});

describe('closing the server', () => {
  test('waits for requests in flight and tells their clients to leave', async () => {
    const held = new AwaitedList<HttpResponse>('requests');
    const { server, port } = await startServer({
      handlers: { request: (_request, response) => held.push(response) },
    });
    const agent = keepAliveAgent();
    cleanUpAfterwards(() => agent.destroy());
    const answer = request({ url: `http://127.0.0.1:${port}/`, agent });
    const response = await held.first(() => true);
    const closed = server.close(10_000);
    await turn();
    response.send(200, [], 'last');
    expect((await answer).text).toBe('last');
    await closed;
  });

  test('cuts what does not end within the bound, WebSockets included', async () => {
    const held = new AwaitedList<HttpResponse>('requests');
    const { server, port, ends, events } = await startServer({
      handlers: {
        request: (_request, response) => held.push(response),
        upgrade: (upgrade) => void upgrade.accept(null, events),
      },
    });
    const client = await openWebSocket({ port });
    const answer = request({ url: `http://127.0.0.1:${port}/` }).catch(() => 'cut');
    await held.first(() => true);
    await server.close(20);
    expect(await answer).toBe('cut');
    await client.closed;
    expect(ends.items).toEqual([{ cause: 'server', code: 1006, reason: '' }]);
  });

  test('closes sockets that were only kept', async () => {
    const { server, port } = await startServer();
    const { socket, all } = dial(port);
    socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await new Promise((resolve) => socket.once('data', resolve));
    await server.close(10_000);
    expect(await all).toMatch(/plain$/);
  });
});
