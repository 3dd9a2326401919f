/** The client of small calls: reuse, bounds, and what becomes of a call whose server misbehaves. */
import { createServer, type Server, type Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { FakeTime } from '../../../test/fakes/fake-time.ts';
import { AwaitedList, cleanUpAfterwards } from '../../../test/support/index.ts';
import type { Result } from '../../base/index.ts';
import { systemClock, systemTimers } from '../../system/index.ts';
import type { HttpAnswer, HttpFailure } from '../types.ts';
import { type LeanCall, LeanClient, type LeanClientOptions } from './lean-client.ts';

type Outcome = Result<HttpAnswer, HttpFailure>;

/** A server that says what the test tells it to, to each request. */
async function serve(answer: (socket: Socket, request: string, connection: number) => void) {
  const requests = new AwaitedList<string>('requests');
  let connections = 0;
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    const connection = connections++;
    sockets.add(socket);
    socket.on('error', () => {});
    let text = '';
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
      for (;;) {
        const end = text.indexOf('\r\n\r\n');
        const length = Number(/content-length: (\d+)/i.exec(text)?.[1] ?? 0);
        if (end === -1 || text.length < end + 4 + length) return;
        const request = text.slice(0, end + 4 + length);
        text = text.slice(end + 4 + length);
        requests.push(request);
        answer(socket, request, connection);
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanUpAfterwards(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const { port } = server.address() as { port: number };
  return { port, requests, sockets, connections: () => connections, server };
}

function startClient(port: number, more: Partial<LeanClientOptions> = {}): LeanClient {
  const client = new LeanClient({
    url: new URL(`http://127.0.0.1:${port}`),
    ...{ connectionsMax: 2, waitingMax: 2, idleMs: 60_000, dialTimeoutMs: 10_000 },
    ...{ clock: systemClock, timers: systemTimers },
    ...more,
  });
  cleanUpAfterwards(() => client.close());
  return client;
}

const CALL: LeanCall = {
  ...{ method: 'POST', path: '/a?b', headers: ['X-A', 'b'], body: Buffer.from('body') },
  ...{ answerBytesMax: 1_000, timeoutMs: 10_000 },
};
const call = (client: LeanClient, change: Partial<LeanCall> = {}): Promise<Outcome> =>
  new Promise((resolve) => client.call({ ...CALL, ...change }, resolve));
const say = (body: string, more = '') =>
  `HTTP/1.1 200 OK\r\n${more}Content-Length: ${body.length}\r\n\r\n${body}`;
const kindOf = (outcome: Outcome) => (outcome.ok ? outcome.value.status : outcome.error.kind);

describe('a call', () => {
  it('is written as it should be, one after another over one connection', async () => {
    const server = await serve((socket) => socket.write(say('yes')));
    const client = startClient(server.port);
    for (let count = 0; count < 3; count++) {
      const outcome = await call(client);
      expect(outcome.ok && Buffer.from(outcome.value.body).toString()).toBe('yes');
    }
    expect(server.connections()).toBe(1);
    expect(client.sockets).toBe(1);
    const host = `Host: 127.0.0.1:${server.port}`;
    expect(server.requests.items[2]).toBe(
      `POST /a?b HTTP/1.1\r\n${host}\r\nX-A: b\r\nContent-Length: 4\r\n\r\nbody`,
    );
  });

  it('may be large', async () => {
    const server = await serve((socket) => socket.write(say('yes')));
    const body = Buffer.alloc(500_000, 'x');
    expect(kindOf(await call(startClient(server.port), { body }))).toBe(200);
    expect(server.requests.items[0]?.endsWith('x'.repeat(500_000))).toBe(true);
  });

  it('that waits is signed when it is written', async () => {
    const waiting: Socket[] = [];
    const server = await serve((socket) => void waiting.push(socket));
    const client = startClient(server.port, { connectionsMax: 1 });
    let signed = 0;
    const sign = () => ['X-Signed', String(++signed)];
    const calls = [call(client, { sign }), call(client, { sign })];
    await server.requests.atLeast(1);
    expect(signed).toBe(1);
    for (const count of [1, 2]) {
      await server.requests.atLeast(count);
      waiting.shift()?.write(say('x'));
    }
    expect((await Promise.all(calls)).map(kindOf)).toEqual([200, 200]);
    expect(server.requests.items[1]).toContain('X-A: b\r\nX-Signed: 2\r\n');
  });

  it('leads nowhere else', async () => {
    const server = await serve((socket) =>
      socket.write(`HTTP/1.1 307 Go\r\nLocation: /b\r\nContent-Length: 0\r\n\r\n`),
    );
    expect(kindOf(await call(startClient(server.port)))).toBe(307);
    expect(server.requests.items).toHaveLength(1);
  });

  it.each([' /a', '/a b', '/a\r\nX: y', 'a', '/\u00e4'])('is not made to the path %j', async (path) => {
    expect(kindOf(await call(startClient(1), { path }))).toBe('bad_url');
  });
});

describe('connections', () => {
  it('are as many as calls are under way, and no more than may be', async () => {
    const waiting: Socket[] = [];
    const server = await serve((socket) => void waiting.push(socket));
    const client = startClient(server.port);
    const outcomes = new AwaitedList<string>('outcomes');
    for (const name of ['1', '2', '3', '4', '5', '6']) {
      client.call({ ...CALL, path: `/${name}` }, (outcome) => outcomes.push(`${name} ${kindOf(outcome)}`));
    }
    // Two are under way, two wait, and the two that had waited longest gave way to them.
    expect((await outcomes.atLeast(2)).sort()).toEqual(['3 busy', '4 busy']);
    await server.requests.atLeast(2);
    expect(server.connections()).toBe(2);
    for (const socket of waiting.splice(0)) socket.write(say('x'));
    await server.requests.atLeast(4);
    for (const socket of waiting.splice(0)) socket.write(say('x'));
    expect((await outcomes.atLeast(6)).sort()).toEqual([
      '1 200',
      '2 200',
      '3 busy',
      '4 busy',
      '5 200',
      '6 200',
    ]);
    expect(server.connections()).toBe(2);
  });

  it('are not used again when their server says so, or has left', async () => {
    const server = await serve((socket, _request, connection) => {
      if (connection === 0) socket.write(say('x', 'Connection: close\r\n'));
      else socket.end(say('x'));
    });
    const client = startClient(server.port);
    for (let count = 1; count <= 3; count++) {
      expect(kindOf(await call(client))).toBe(200);
      expect(server.connections()).toBe(count);
      for (const socket of server.sockets)
        if (!socket.closed) await new Promise((resolve) => socket.once('close', resolve));
    }
  });

  it('are given up when they have been idle for long', async () => {
    const server = await serve((socket) => socket.write(say('x')));
    const time = new FakeTime();
    const client = startClient(server.port, { clock: time, timers: time, idleMs: 1_000 });
    expect(kindOf(await call(client))).toBe(200);
    const [socket] = server.sockets;
    const closed = new Promise((resolve) => socket?.once('close', resolve));
    time.advance(500);
    expect(client.sockets).toBe(1);
    time.advance(500);
    await closed;
    expect(kindOf(await call(client))).toBe(200);
    expect(server.connections()).toBe(2);
  });

  it('that say something unasked are cut', async () => {
    const server = await serve((socket) => socket.write(say('x')));
    const client = startClient(server.port);
    expect(kindOf(await call(client))).toBe(200);
    const [socket] = server.sockets;
    const closed = new Promise((resolve) => socket?.once('close', resolve));
    socket?.write(say('forged'));
    await closed;
    const outcome = await call(client);
    expect(outcome.ok && Buffer.from(outcome.value.body).toString()).toBe('x');
  });
});

describe('a call fails', () => {
  it('when nobody listens, and the next one is tried anew', async () => {
    const server = await serve((socket) => socket.write(say('x')));
    await new Promise((resolve) => server.server.close(resolve));
    const client = startClient(server.port);
    const outcomes = await Promise.all([call(client), call(client), call(client)]);
    expect(outcomes.map(kindOf)).toEqual(['unreachable', 'unreachable', 'unreachable']);
    expect(client.sockets).toBe(0);
  });

  it.each<[string, string, string]>([
    ['malformed', 'what?\r\n\r\n', 'malformed'],
    ['malformed', `${say('x')}${say('y')}`, 'malformed'],
    ['too_large', 'HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n', 'too_large'],
  ])('with %s when its server says %j', async (_kind, text, wanted) => {
    const server = await serve((socket) => socket.write(text));
    expect(kindOf(await call(startClient(server.port)))).toBe(wanted);
  });

  it.each<[string, string, string]>([
    ['without a word', '', 'unreachable'],
    ['in the middle', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab', 'malformed'],
  ])('when its server leaves %s', async (_when, text, wanted) => {
    const server = await serve((socket) => socket.end(text));
    expect(kindOf(await call(startClient(server.port)))).toBe(wanted);
  });

  it('when it takes too long, and its connection carries nothing more', async () => {
    const server = await serve((socket, request) => {
      if (request.includes('/fast')) socket.write(say('fast'));
    });
    const time = new FakeTime();
    const client = startClient(server.port, { clock: time, timers: time, connectionsMax: 1 });
    const slow = call(client, { timeoutMs: 100 });
    const waiting = call(client, { timeoutMs: 100 });
    const next = call(client, { path: '/fast', timeoutMs: 5_000 });
    await server.requests.atLeast(1);
    time.advance(100);
    expect([kindOf(await slow), kindOf(await waiting)]).toEqual(['timeout', 'timeout']);
    expect(kindOf(await next)).toBe(200);
    expect(server.connections()).toBe(2);
    expect(server.requests.items).toHaveLength(2);
  });

  it('when the client is closed, once', async () => {
    const server = await serve(() => {});
    const client = startClient(server.port, { connectionsMax: 1 });
    const calls = [call(client), call(client)];
    await server.requests.atLeast(1);
    client.close();
    expect((await Promise.all(calls)).map(kindOf)).toEqual(['unreachable', 'unreachable']);
    expect(kindOf(await call(client))).toBe('bad_url');
  });

  it('when no connection is made in time', async () => {
    const server = await serve(() => {});
    const time = new FakeTime();
    // TLS to a server that says nothing: connected, and yet not.
    const client = startClient(server.port, {
      url: new URL(`https://127.0.0.1:${server.port}`),
      timers: time,
    });
    const outcome = call(client, { timeoutMs: 60_000 });
    time.advance(10_000);
    expect(await outcome).toMatchObject({
      error: { kind: 'unreachable', message: expect.stringContaining('no connection in 10000 ms') },
    });
  });
});
