/**
 * Ordinary traffic, against which attacks are measured: what a browser and an application say.
 */
import { encodeClientFrame, handshakeText } from '../support/index.ts';
import type { Arena } from './measured-node.ts';

/** Requests on kept connections, WebSockets that come and go, and messages of one WebSocket. */
export type TrafficKind = 'requests' | 'connects' | 'messages';

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
const MESSAGE = encodeClientFrame({ payload: '{"type":"say","room":"garden","text":"Good morning, all!"}' });

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
};
