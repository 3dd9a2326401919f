/** The lane for plain POSTs changes nothing that a client could see, and leaves nobody waiting. */
import { connect, type Socket } from 'node:net';
import { describe, expect, test } from 'vitest';
import { FakeTime } from '../../../test/fakes/fake-time.ts';
import { AwaitedList, cleanUpAfterwards } from '../../../test/support/index.ts';
import type { HttpRequest, HttpResponse } from '../index.ts';
import { startServer } from '../testdata/test-server.ts';

const BODY_BYTES_MAX = 20;
const REQUEST_TIMEOUT_MS = 60_000;
const IDLE_MS = 75_000;

/** Tells what it got, so that a request which is read differently is answered differently. */
function tell(request: HttpRequest, response: HttpResponse): void {
  const { method, path, query } = request;
  request.body(BODY_BYTES_MAX, (body) => {
    const text = body.ok ? Buffer.from(body.value).toString() : body.error;
    const told = [method, path, query, request.header('x-b'), text].join('|');
    response.send(body.ok ? 200 : 413, ['X-A', 'b'], `${told}ü\n`);
  });
}

async function start(mostlyPlain: boolean): Promise<number> {
  return (await startServer({ mostlyPlain, handlers: { request: tell } })).port;
}

/** What a client gets that sends `pieces`, a turn apart, and then says that this is all. */
function answersTo(port: number, pieces: readonly string[]): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
  cleanUpAfterwards(() => void socket.destroy());
  let text = '';
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1');
  });
  socket.on('error', () => undefined);
  socket.on('end', () => socket.end());
  return new Promise((resolve) => {
    socket.on('close', () => resolve(text));
    socket.once('connect', async () => {
      for (const piece of pieces) {
        if (socket.writable) socket.write(piece, 'latin1');
        // So that they are likely to arrive apart; whether they do, changes no answer.
        await new Promise((next) => setTimeout(next, 2));
      }
      socket.end();
    });
  });
}

/** But for the time, and for what says only what HTTP/1.1 means anyway. */
function plain(answers: string): string {
  return answers.replace(/^(?:Date: .*|Keep-Alive: .*|Connection: keep-alive)\r\n/gm, '');
}

function post(path: string, body: string, lines = ''): string {
  return `POST ${path} HTTP/1.1\r\nHost: a\r\n${lines}Content-Length: ${body.length}\r\n\r\n${body}`;
}

const GET = 'GET /got HTTP/1.1\r\nHost: a\r\n\r\n';
const CHUNKED = 'POST /c HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n';
const EXPECTS = 'POST /e HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n';

describe('a client cannot tell the lane from node:http', () => {
  test.each<[string, readonly string[]]>([
    ['one request', [post('/a?b=c', 'body')]],
    ['an empty body', [post('/', '')]],
    ['lines of its own', [post('/', 'x', 'X-B: \t some thing \xe9 \r\nX-Empty:\r\n')]],
    ['one after the other', [post('/1', 'one'), post('/2', 'two'), post('/3', 'three')]],
    ['all at once', [post('/1', 'one') + post('/2', 'two') + post('/3', 'three')]],
    ['a body in pieces', [post('/', 'one').slice(0, -2), 'n', `e${post('/2', 'tw').slice(0, -1)}`, 'o']],
    ['a head in pieces', [post('/', 'one').slice(0, 7), post('/', 'one').slice(7), post('/2', 'two')]],
    [
      'a head in pieces later on',
      [post('/1', 'one') + post('/', 'two').slice(0, 9), post('/', 'two').slice(9)],
    ],
    ['other methods between', [post('/1', 'one'), GET, post('/2', 'two')]],
    ['other methods behind', [post('/1', 'one') + GET + post('/2', 'two')]],
    ['chunks', [post('/1', 'one'), CHUNKED, post('/2', 'two')]],
    ['an expectation', [post('/1', 'one'), EXPECTS, 'xy', post('/2', 'two')]],
    ['a body that is too large', [post('/1', 'one'), post('/2', 'x'.repeat(21)), post('/3', 'three')]],
    ['a much larger one', [post('/2', 'x'.repeat(100_000))]],
    ['its last request', [post('/1', 'one', 'Connection: close\r\n'), post('/2', 'two')]],
    ['an older version', ['POST /old HTTP/1.0\r\nContent-Length: 1\r\n\r\nx']],
    ['no host', [post('/1', 'one'), 'POST / HTTP/1.1\r\nContent-Length: 1\r\n\r\nx']],
    ['no length', ['POST / HTTP/1.1\r\nHost: a\r\n\r\n']],
    ['two lengths', [post('/1', 'one', 'Content-Length: 4\r\n')]],
    ['a length and chunks', [post('/1', 'one', 'Transfer-Encoding: chunked\r\n')]],
    ['a length that is none', ['POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1x\r\n\r\nx']],
    ['a folded line', [post('/1', 'one', 'X-B: a\r\n b\r\n')]],
    ['no HTTP at all', [post('/1', 'one'), `${'nonsense '.repeat(5)}\r\n\r\n`]],
    ['too many lines', [post('/1', 'one', 'a: b\r\n'.repeat(99))]],
    ['just not too many lines', [post('/1', 'one', 'a: b\r\n'.repeat(98))]],
    ['a head that is too large', [post('/1', 'one', `a: ${'b'.repeat(9_000)}\r\n`)]],
  ])('that sends %s', async (_what, pieces) => {
    const [lane, node] = [await start(true), await start(false)];
    const expected = plain(await answersTo(node, pieces));
    expect(expected).toMatch(/^HTTP\/1\.1 [0-9]{3} /);
    expect(plain(await answersTo(lane, pieces))).toBe(expected);
  });
});

test('a client that reads no answers is not asked for more requests', async () => {
  const [requestsMax, body] = [20_000, 'x'.repeat(4_096)];
  let count = 0;
  const { port } = await startServer({
    mostlyPlain: true,
    handlers: {
      request: (_request, response) => {
        count++;
        response.send(200, [], body);
      },
    },
  });
  const socket = connect({ port, host: '127.0.0.1' });
  cleanUpAfterwards(() => void socket.destroy());
  let bytes = 0;
  socket.pause();
  socket.write(post('/', '').repeat(requestsMax));
  // That nothing more happens has no event; a moment of the kernel's own is shorter than this.
  for (let [seen, quiet] = [0, 0]; quiet < 10; ) {
    await new Promise((next) => setTimeout(next, 50));
    quiet = count === seen && count > 0 ? quiet + 1 : 0;
    seen = count;
  }
  // What both kernels hold for the socket is a few MiB.
  expect(count).toBeLessThan(requestsMax / 2);
  const all = new Promise<void>((resolve) => {
    socket.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > requestsMax * body.length && count === requestsMax) resolve();
    });
  });
  socket.resume();
  await all;
});

test('plain requests stay on the lane until there is another one', async () => {
  const answers = await answersTo(await start(true), [
    post('/1', 'one'),
    post('/2', 'two'),
    GET,
    post('/3', 'x'),
  ]);
  // Only node:http says how long it keeps a connection.
  expect(answers.split('HTTP/1.1 200').map((answer) => answer.includes('Keep-Alive:'))).toEqual([
    ...[false, false, false],
    ...[true, true],
  ]);
});

/** A server whose time is the test's, and a socket to it. */
async function startInFakeTime() {
  const time = new FakeTime();
  const requests = new AwaitedList<{ request: HttpRequest; response: HttpResponse }>('requests');
  const { port, server } = await startServer({
    ...{ mostlyPlain: true, clock: time, timers: time },
    handlers: { request: (request, response) => requests.push({ request, response }) },
  });
  const socket: Socket = connect({ port, host: '127.0.0.1' });
  cleanUpAfterwards(() => void socket.destroy());
  let text = '';
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1');
  });
  socket.on('error', () => undefined);
  const closed = new Promise<string>((resolve) => socket.on('close', () => resolve(text)));
  return { time, requests, server, socket, closed };
}

describe('the lane', () => {
  test('cuts who keeps silent between requests', async () => {
    const { time, requests, socket, closed } = await startInFakeTime();
    socket.write(post('/1', 'one'));
    const { response } = await requests.first(() => true);
    response.send(200, [], 'yes');
    time.advance(IDLE_MS - 1_000);
    socket.write(post('/2', 'two'));
    const second = await requests.first(({ request }) => request.path === '/2');
    second.response.send(200, [], 'again');
    time.advance(IDLE_MS + 1_000);
    expect(await closed).toMatch(/yes[\s\S]*again$/);
  });

  test('does not wait for ever for a body', async () => {
    const { time, requests, socket, closed } = await startInFakeTime();
    socket.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nxx');
    const { request } = await requests.first(() => true);
    const read = new Promise((resolve) => request.body(10, resolve));
    time.advance(REQUEST_TIMEOUT_MS + 1_000);
    expect(await read).toEqual({ ok: false, error: 'gone' });
    time.advance(10_000);
    expect(await closed).toMatch(/^HTTP\/1\.1 408 /);
  });

  test('says that the client has left', async () => {
    const { requests, socket } = await startInFakeTime();
    socket.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nxx');
    const { request, response } = await requests.first(() => true);
    const read = new Promise((resolve) => request.body(10, resolve));
    socket.destroy();
    expect(await read).toEqual({ ok: false, error: 'gone' });
    expect(response.gone).toBe(true);
    response.send(200, [], 'too late');
  });

  test('lets what is under way finish when the server closes, and then closes too', async () => {
    const { requests, socket, server, closed } = await startInFakeTime();
    socket.write(post('/', 'one'));
    const { response } = await requests.first(() => true);
    const end = server.close(10_000);
    response.send(200, [], 'still answered');
    await end;
    expect(await closed).toMatch(/Connection: close[\s\S]*still answered$/);
  });
});
