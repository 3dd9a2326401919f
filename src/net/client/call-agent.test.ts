import type { Socket } from 'node:net';
import { describe, expect, test } from 'vitest';
import { FakeTime } from '../../../test/fakes/fake-time.ts';
import { AwaitedList } from '../../../test/support/index.ts';
import { LIMITS } from '../../base/index.ts';
import {
  answerOf,
  type CallPatch,
  clientLeft,
  makeClient,
  serveBytes,
  textOf,
} from '../testdata/called-application.ts';

/** An application that answers each request on the same socket, and shows who came and what was said. */
async function application(answer = 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n') {
  const sockets = new AwaitedList<Socket>('connections');
  let said = '';
  const url = await serveBytes((socket) => {
    sockets.push(socket);
    socket.on('data', (chunk) => {
      said += chunk.toString('latin1');
      if (said.endsWith('\r\n\r\n')) socket.write(answer);
    });
  });
  return { url, sockets, said: () => said };
}

function setUp() {
  const time = new FakeTime();
  const client = makeClient({ time });
  const call = (patch: CallPatch) => {
    const answer = answerOf(client, patch);
    time.endTurn();
    return answer;
  };
  return { time, client, call };
}

describe('an idle socket', () => {
  test('takes the next call, and is closed when none comes for long', async () => {
    const { url, sockets } = await application();
    const { time, client, call } = setUp();
    await call({ url });
    time.advance(LIMITS.callbackIdleSocketMs - 1_000);
    await call({ url });
    expect(sockets.items).toHaveLength(1);
    expect(client.sockets).toBe(1);
    const left = clientLeft(sockets.items[0] as Socket);
    time.advance(LIMITS.callbackIdleSocketMs);
    await left;
    expect(client.sockets).toBe(0);
    time.advance(1_000);
    expect(time.pending).toBe(0);
  });

  test('is closed sooner where the application says that it will not wait so long', async () => {
    const { url, sockets } = await application(
      'HTTP/1.1 200 OK\r\nKeep-Alive: timeout=3, max=9\r\nContent-Length: 0\r\n\r\n',
    );
    const { time, call } = setUp();
    await call({ url });
    const left = clientLeft(sockets.items[0] as Socket);
    time.advance(2_000);
    await left;
    await call({ url });
    expect(sockets.items).toHaveLength(2);
  });

  test('is none where the application waits for a second only', async () => {
    const { url, sockets } = await application(
      'HTTP/1.1 200 OK\r\nKeep-Alive: timeout=1\r\nContent-Length: 0\r\n\r\n',
    );
    const { call } = setUp();
    await call({ url });
    await clientLeft(sockets.items[0] as Socket);
  });

  test('is given to nobody once the application has ended it', async () => {
    const { url, sockets } = await application();
    const { client, call } = setUp();
    await call({ url });
    const [socket] = sockets.items as [Socket];
    const left = clientLeft(socket);
    socket.end();
    await left;
    expect((await call({ url, method: 'POST', body: Buffer.from('twice\r\n\r\n') })).status).toBe(200);
    expect(sockets.items).toHaveLength(2);
    expect(client.sockets).toBe(1);
  });

  test('goes with its client', async () => {
    const { url, sockets } = await application();
    const { time, client, call } = setUp();
    await call({ url });
    client.close();
    await clientLeft(sockets.items[0] as Socket);
    expect(time.pending).toBe(0);
  });
});

test('a small body in chunks is one chunk, byte for byte, and a large one arrives as well', async () => {
  const { url, said } = await application();
  const { call } = setUp();
  const small = Buffer.from([0, 0x80, 0xff, 0x0d, 0x0a, 0x61]);
  await call({ url, method: 'POST', body: small, chunked: true });
  expect(said().slice(said().indexOf('\r\n\r\n') + 4)).toBe('6\r\n\0\x80\xff\r\na\r\n0\r\n\r\n');
  const before = said().length;
  const large = Buffer.alloc(100_000, 'x');
  expect(textOf(await call({ url, method: 'POST', body: large, chunked: true }))).toBe('');
  const text = said().slice(before);
  expect(text.slice(text.indexOf('\r\n\r\n') + 4)).toBe(`186a0\r\n${'x'.repeat(100_000)}\r\n0\r\n\r\n`);
});
