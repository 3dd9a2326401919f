/** Answers that are made while they are sent, and heads in lower case, over real sockets. */
import { connect } from 'node:net';
import { expect, test } from 'vitest';
import { AwaitedList, cleanUpAfterwards, request } from '../../test/support/index.ts';
import type { HttpHandlers, LongAnswer } from './index.ts';
import { startServer } from './testdata/test-server.ts';

const bytes = (text: string) => new TextEncoder().encode(text);

/** Everything that a server says to `text`. */
function converse(port: number, text: string): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1' });
  cleanUpAfterwards(() => void socket.destroy());
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  socket.on('error', () => {});
  socket.write(text);
  return new Promise((resolve) =>
    socket.on('close', () => resolve(Buffer.concat(chunks).toString('latin1'))),
  );
}

function headNames(answer: string): string[] {
  const [head = ''] = answer.split('\r\n\r\n');
  return head
    .split('\r\n')
    .slice(1)
    .map((line) => line.split(':')[0] as string);
}

/** Sends `parts`, the next one when there is room for it. */
function sendAll(answer: LongAnswer, parts: readonly string[], at = 0): void {
  if (at === parts.length) return answer.end();
  answer.write(bytes(parts[at] as string), (alive) => {
    if (alive) sendAll(answer, parts, at + 1);
  });
}

const threeParts: HttpHandlers = {
  request: (_request, response) =>
    sendAll(response.begin(200, ['X-Kind', 'list']), ['one ', 'two ', 'three']),
};

test('an answer that is made while it is sent arrives whole, and the connection lives on', async () => {
  const { port } = await startServer({ handlers: threeParts });
  const answer = await request({ url: `http://127.0.0.1:${port}/` });
  expect([answer.status, answer.text, answer.header('X-Kind')]).toEqual([200, 'one two three', 'list']);
  const twice = 'GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';
  expect((await converse(port, twice)).split('three')).toHaveLength(3);
});

test('a client of HTTP/1.0 learns the end from the end of the connection', async () => {
  for (const lowerCase of [false, true]) {
    const { port } = await startServer({ handlers: threeParts, lowerCase });
    const answer = await converse(port, 'GET / HTTP/1.0\r\n\r\n');
    expect(answer).toMatch(/\r\n\r\none two three$/);
    expect(answer).not.toMatch(/transfer-encoding/i);
  }
});

test('an answer that is broken off does not look whole', async () => {
  const { port } = await startServer({
    handlers: {
      request: (_request, response) => {
        const answer = response.begin(200, []);
        answer.write(bytes('half'), () => answer.breakOff());
      },
    },
  });
  await expect(request({ url: `http://127.0.0.1:${port}/` })).rejects.toThrow();
});

test('no part is asked for while the client does not read, and none when it has left', async () => {
  const part = bytes('x'.repeat(1_048_576));
  const outcomes = new AwaitedList<boolean>('outcomes');
  const { port } = await startServer({
    handlers: {
      request: (_request, response) => {
        const answer = response.begin(200, []);
        const next = (alive: boolean): void => {
          outcomes.push(alive);
          if (alive) answer.write(part, next);
        };
        answer.write(part, next);
      },
    },
  });
  const socket = connect({ port, host: '127.0.0.1' });
  cleanUpAfterwards(() => void socket.destroy());
  socket.pause();
  socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  await outcomes.first((alive) => alive);
  socket.destroy();
  await outcomes.first((alive) => !alive);
  // What fits into the buffers of two sockets, and far from everything that could be made.
  expect(outcomes.items.length).toBeLessThan(64);
});

test('heads in lower case hold nothing that was not asked for', async () => {
  const handlers: HttpHandlers = {
    request: (asked, response) => {
      if (asked.path === '/long') return sendAll(response.begin(200, ['X-Two', '2']), ['a']);
      asked.body(4, (body) => {
        if (body.ok) response.send(200, ['X-Two', '2', 'a-one', '1'], 'body');
        else response.sendLast(413, ['X-Two', '2'], 'no');
      });
    },
  };
  const { port } = await startServer({ handlers, lowerCase: true });
  const ask = (head: string, body = '') => converse(port, `${head}\r\nHost: a\r\n${body}`);
  const last = 'Connection: close\r\n\r\n';
  const plain = await ask('GET / HTTP/1.1', `\r\nGET /long HTTP/1.1\r\nHost: a\r\n${last}`);
  expect(headNames(plain)).toEqual(['a-one', 'content-length', 'date', 'x-two']);
  const long = plain.slice(plain.indexOf('HTTP/1.1', 8));
  expect(headNames(long)).toEqual(['connection', 'date', 'transfer-encoding', 'x-two']);
  const tooLarge = await ask('POST / HTTP/1.1', 'Content-Length: 5\r\n\r\nabcde');
  expect(headNames(tooLarge)).toEqual(['connection', 'content-length', 'date', 'x-two']);
  expect(tooLarge).toMatch(/^HTTP\/1\.1 413 /);
});
