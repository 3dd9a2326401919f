/**
 * Ordinary traffic, against which attacks are measured: what a browser and an application say.
 */
import { constants, deflateRawSync } from 'node:zlib';
import { encodeClientFrame, handshakeText } from '../support/index.ts';
import type { Arena } from './measured-node.ts';

/** Requests on kept connections, WebSockets that come and go, messages of one, compressed or not. */
export type TrafficKind = 'requests' | 'connects' | 'messages' | 'compressed';

/** What a browser says besides; some 400 bytes. */
export const BROWSER_LINES = [
  ['User-Agent', 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0'],
  ['Accept', 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8'],
  ['Accept-Language', 'en-GB,en;q=0.5'],
  ['Accept-Encoding', 'gzip, deflate, br, zstd'],
  ['Cookie', `session=${'0123456789abcdef'.repeat(4)}; theme=dark`],
  ['Sec-Fetch-Mode', 'navigate'],
  ['Cache-Control', 'no-cache'],
] as const;

const LINES = BROWSER_LINES.map((line) => `${line.join(': ')}\r\n`).join('');
const REQUEST = `GET /ping HTTP/1.1\r\nHost: chat.example\r\n${LINES}\r\n`;
const WORDS = '{"type":"say","room":"garden","text":"Good morning, all!"}';
const MESSAGE = encodeClientFrame({ payload: WORDS });
/** As browsers compress: a block that is flushed, without the end of the flush (RFC 7692 7.2.1). */
const COMPRESSED = encodeClientFrame({
  rsv: 4,
  payload: deflateRawSync(WORDS, { finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, -4),
});
/** What a client says that wants compression. */
export const COMPRESSION_OFFER = ['Sec-WebSocket-Extensions', 'permessage-deflate'];

/** Each kind of traffic; `greeting` comes before everything that is said on a connection. */
export const ORDINARY: Record<TrafficKind, (arena: Arena, greeting: string) => Promise<void>> = {
  requests: ({ attacker, port }, greeting) =>
    attacker.crowd(20, 5, async () => {
      const socket = attacker.open(port, greeting);
      for (let n = 0; n < 20; n++) await socket.ask(REQUEST);
      socket.socket.end();
      await socket.closed;
    }),
  connects: ({ attacker, port }, greeting) =>
    attacker.crowd(80, 8, async () => {
      const headers = BROWSER_LINES.flat();
      const socket = attacker.open(port, greeting + handshakeText({ port, headers }));
      await socket.hears('\r\n\r\n');
      socket.say(encodeClientFrame({ opcode: 8, payload: Buffer.from([0x03, 0xe8]) }));
      await socket.closed;
    }),
  messages: async ({ attacker, port }) => {
    const socket = await attacker.openWebSocket(port);
    await socket.flood(MESSAGE, 4_000);
    await socket.settled();
  },
  compressed: async ({ attacker, port }) => {
    const socket = attacker.open(port, handshakeText({ port, headers: COMPRESSION_OFFER }));
    await socket.hears('\r\n\r\n');
    await socket.flood(COMPRESSED, 2_000);
    await socket.settled();
  },
};
