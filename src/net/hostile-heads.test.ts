/** Heads that cost more than their bytes, and clients that say next to nothing. */
import { connect } from 'node:net';
import { expect, test } from 'vitest';
import { cleanUpAfterwards, handshakeText } from '../../test/support/index.ts';
import type { HttpRequest, HttpResponse, UpgradeRequest } from './index.ts';
import { startServer } from './testdata/test-server.ts';

const LINES_MAX = 40;
const limits = {
  headerBytesMax: 8_192,
  headerLinesMax: LINES_MAX,
  handshakeTimeoutMs: 50,
  messageBytesMax: 100,
};
const handlers = {
  request: (request: HttpRequest, response: HttpResponse) =>
    response.send(200, [], String(request.rawHeaders.length / 2)),
  upgrade: (request: UpgradeRequest) => request.refuse(403, [], String(request.rawHeaders.length / 2)),
};

/** Everything that is said to a client that says `bytes` and waits. */
function wordsFor(port: number, bytes: string): Promise<string> {
  const socket = connect({ host: '127.0.0.1', port });
  cleanUpAfterwards(() => void socket.destroy());
  return new Promise((resolve) => {
    let words = '';
    socket.on('data', (chunk: Buffer) => {
      words += chunk.toString('latin1');
    });
    socket.on('error', () => undefined);
    socket.on('close', () => resolve(words));
    socket.write(bytes);
  });
}

const linesBut = (count: number) => 'a: b\r\n'.repeat(LINES_MAX - count);

test('a request may have so many lines', async () => {
  const { port } = await startServer({ limits, handlers });
  const head = `GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n${linesBut(2)}`;
  expect(await wordsFor(port, `${head}\r\n`)).toMatch(/^HTTP\/1\.1 200 [\s\S]*\r\n40$/);
  expect(await wordsFor(port, `${head}c: d\r\n\r\n`)).toMatch(/^HTTP\/1\.1 431 [\s\S]*Connection: close/);
  expect(await wordsFor(port, `${head}${linesBut(0).repeat(20)}\r\n`)).toMatch(/^HTTP\/1\.1 431 /);
});

test('a handshake may have so many lines', async () => {
  const { port } = await startServer({ limits, handlers });
  const head = handshakeText({ port }).slice(0, -2);
  expect(await wordsFor(port, `${head}${linesBut(5)}\r\n`)).toMatch(/^HTTP\/1\.1 403 [\s\S]*\r\n40$/);
  expect(await wordsFor(port, `${head}${linesBut(4)}\r\n`)).toMatch(/^HTTP\/1\.1 431 /);
});

test('a request behind another one that has too many lines ends the connection', async () => {
  let answerNow = (): void => undefined;
  const slow = {
    request: (_request: HttpRequest, response: HttpResponse) => {
      answerNow = () => response.send(200, [], 'late');
    },
  };
  const { port } = await startServer({ limits, handlers: slow });
  const first = 'GET /first HTTP/1.1\r\nHost: a\r\n\r\n';
  const words = wordsFor(port, `${first}GET / HTTP/1.1\r\nHost: a\r\n${linesBut(0)}\r\n`);
  expect(await words).toBe('');
  answerNow();
});

test('a tunnel is refused, and what was meant for it is no request', async () => {
  const { port } = await startServer({ limits, handlers });
  const inner = 'GET /inner HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';
  const words = await wordsFor(port, `CONNECT 127.0.0.1:22 HTTP/1.1\r\nHost: a\r\n\r\n${inner}`);
  expect(words.match(/^HTTP\/1\.1 \d+/gm)).toEqual(['HTTP/1.1 405']);
});

test.each([
  ['nothing', ''],
  ['a byte', '\0'],
  ['half a line', 'GET /'],
])('who says %s gets nothing', async (_what, bytes) => {
  const { port } = await startServer({ limits, handlers });
  expect(await wordsFor(port, bytes)).toBe('');
});
