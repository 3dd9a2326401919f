/**
 * Requests that two parsers could cut in different places: none of them is carried out.
 *
 * Each carries a second request in its belly, one that would send to a connected client. The
 * client's next message shows that it was not.
 */
import { connect as connectSocket } from 'node:net';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  type Application,
  cleanUpAfterwards,
  handshake,
  handshakeText,
  type NodeAddress,
  openWebSocket,
  type RawClient,
  type RunningNode,
  startApplication,
  startNode,
} from '../support/index.ts';
import { ALL_WELL, ApplicationCalls } from './application-calls.ts';

const INNER =
  'POST /send HTTP/1.1\r\nHost: x\r\nX-Kuiperbelt-Session: k\r\nContent-Length: 8\r\n\r\nsmuggled';
const CHUNKED = `0\r\n\r\n${INNER}`;

const BOTH = 'POST /send HTTP/1.1\r\nHost: x\r\nX-Kuiperbelt-Session: nope\r\n';

const SMUGGLERS: [what: string, request: string][] = [
  ['a length beside chunks', `${BOTH}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n${CHUNKED}`],
  [
    'chunks beside a length',
    `${BOTH}Transfer-Encoding: chunked\r\nContent-Length: ${CHUNKED.length}\r\n\r\n${CHUNKED}`,
  ],
  ['two lengths', `${BOTH}Content-Length: 0\r\nContent-Length: ${INNER.length}\r\n\r\n${INNER}`],
  ['lengths in one line', `${BOTH}Content-Length: 0, ${INNER.length}\r\n\r\n${INNER}`],
  ['a length with a sign', `${BOTH}Content-Length: +0\r\n\r\n${INNER}`],
  ['a length in another base', `${BOTH}Content-Length: 0x0\r\n\r\n${INNER}`],
  ['an unknown encoding', `${BOTH}Transfer-Encoding: xchunked\r\n\r\n${CHUNKED}`],
  ['an encoding behind chunks', `${BOTH}Transfer-Encoding: chunked, identity\r\n\r\n${CHUNKED}`],
  [
    'an encoding twice',
    `${BOTH}Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n${CHUNKED}`,
  ],
  ['a space before the colon', `${BOTH}Transfer-Encoding : chunked\r\nContent-Length: 0\r\n\r\n${CHUNKED}`],
  ['a folded line', `${BOTH}X: y\r\n Transfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n${INNER}`],
  ['a bare carriage return', `${BOTH}X: y\rContent-Length: 0\r\n\r\n${INNER}`],
  ['a bare line feed', `${BOTH}X: y\nContent-Length: 0\r\n\r\n${INNER}`],
  ['a zero byte', `${BOTH}X: y\0z\r\nContent-Length: 0\r\n\r\n${INNER}`],
  [
    'a chunk that is longer than any',
    `${BOTH}Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n${INNER}`,
  ],
  ['a chunk with a sign', `${BOTH}Transfer-Encoding: chunked\r\n\r\n-1\r\n${INNER}`],
  ['a chunk without its end', `${BOTH}Transfer-Encoding: chunked\r\n\r\n1\r\nxx0\r\n\r\n${INNER}`],
  ['two hosts in one', `POST /send HTTP/1.1\r\nHost: x y\r\nContent-Length: -1\r\n\r\n${INNER}`],
];

describe('smuggled requests', () => {
  let application: Application;
  let node: RunningNode;
  let app: NodeAddress;
  let calls: ApplicationCalls;
  let client: RawClient;
  let counter = 0;

  beforeAll(async () => {
    application = await startApplication();
    node = await startNode({ config: { callback: application.callback, app: { listen: '127.0.0.1:0' } } });
    app = node.addresses.app as NodeAddress;
    calls = new ApplicationCalls(app);
    client = await openWebSocket({ port: node.addresses.public.port, path: '/connect?key=k' });
  });

  const hearsTheNext = async (): Promise<void> => {
    counter++;
    expect(await calls.send({ sessions: ['k'], body: String(counter) })).toEqual(ALL_WELL);
    expect(await client.nextText()).toBe(String(counter));
  };

  it.each(SMUGGLERS)('by %s are refused, and the connection with them', async (_what, request) => {
    const words = await exchange(app.port, request);
    expect(words.match(/^HTTP\/1\.1 \d+/gm)).toEqual(['HTTP/1.1 400']);
    expect(words).toMatch(/\r\nConnection: close\r\n/i);
    await hearsTheNext();
  });

  it('in the body of a call that is refused are thrown away with it', async () => {
    const lengths = `Content-Length: ${INNER.length}\r\n`;
    for (const head of ['POST /nowhere', 'GET /send', 'POST /send', 'POST //send', 'DELETE /subscribe']) {
      const words = await exchange(
        app.port,
        `${head} HTTP/1.1\r\nHost: x\r\n${lengths}Connection: close\r\n\r\n${INNER}`,
      );
      expect(words.match(/^HTTP\/1\.1 \d+/gm), head).toHaveLength(1);
      await hearsTheNext();
    }
  });

  it('behind a handshake are early data, and no request', async () => {
    const { port } = node.addresses.public;
    const headers = ['Content-Length', String(INNER.length)];
    const rawRequest = `${handshakeText({ port, headers })}${INNER}`;
    await expect(handshake({ port, rawRequest }).answered).rejects.toThrow('the connection ended');
    const refused = handshakeText({ port, path: '/nowhere' });
    expect((await handshake({ port, rawRequest: `${refused}${INNER}` }).answered).status).toBe(404);
    await hearsTheNext();
  });

  it('cannot be passed on to the application by a handshake', async () => {
    const { port } = node.addresses.public;
    for (const headers of [
      ['Content-Length', '100'],
      ['Transfer-Encoding', 'chunked'],
      ['Connection', 'Upgrade, X-Kuiperbelt-Endpoint, Host'],
    ]) {
      const asked = application.calls('connect').length;
      const attempt = handshake({ port, path: '/connect?key=carrier', headers });
      const status = await attempt.answered.then(
        (answer) => answer.status,
        () => 0,
      );
      if (status !== 101) continue;
      const call = application.calls('connect')[asked];
      expect(call?.body.length).toBe(0);
      expect(call?.headerLines('Content-Length')).toEqual([]);
      expect(call?.headerLines('Transfer-Encoding')).toEqual([]);
      expect(call?.headerLines('X-Kuiperbelt-Endpoint')).toHaveLength(1);
      attempt.reset();
    }
  });
});

/** Sends bytes and returns everything that is said until the end. */
function exchange(port: number, text: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = connectSocket({ host: '127.0.0.1', port });
    cleanUpAfterwards(() => {
      socket.destroy();
    });
    let words = '';
    socket.on('data', (chunk: Buffer) => {
      words += chunk.toString('latin1');
    });
    socket.on('error', () => undefined);
    socket.on('close', () => resolve(words));
    socket.write(Buffer.from(text, 'latin1'));
  });
}
