/**
 * Attacks before there is a WebSocket: sockets that say nothing, heads, bodies, floods of requests.
 */
import { handshakeText } from '../support/index.ts';
import type { Attack } from './attack.ts';
import { TOKEN } from './measured-node.ts';

const HOST = 'Host: x\r\n';
const SHOWN = `Authorization: Bearer ${TOKEN}\r\n`;
/** Below the default of `limits.header`. */
const HEAD_BYTES = 1_000_000;

/** A header of version 2 for TCP over IPv4, with 4,096 bytes to come. */
const V2_HEAD = Buffer.from('0d0a0d0a000d0a515549540a21111000', 'hex');

const repeated = (text: string, bytes: number) => text.repeat(Math.floor(bytes / text.length));

/** Sockets that are open and say little or nothing. */
const QUIET: readonly Attack[] = [
  {
    name: 'sockets that say nothing until they are cut',
    like: 'requests',
    run: async ({ attacker, port, appPort }, scale) => {
      const sockets = Array.from({ length: 300 * scale }, (_, n) => attacker.open(n % 2 ? port : appPort));
      await Promise.all(sockets.map(({ closed }) => closed));
    },
  },
  {
    name: 'sockets that are opened and given up',
    like: 'requests',
    run: ({ attacker, port }, scale) =>
      attacker.crowd(500 * scale, 20, async (n) => {
        const { socket, closed } = attacker.open(port);
        socket.once('connect', () => (n % 2 ? socket.end() : socket.resetAndDestroy()));
        await closed;
      }),
  },
  {
    name: 'heads that come byte by byte',
    like: 'requests',
    run: async ({ attacker, port }, scale) => {
      const head = handshakeText({ port, headers: ['X-Slow', 'x'.repeat(5_000)] }).slice(0, -2);
      const sockets = Array.from({ length: 40 * scale }, () => attacker.open(port));
      await Promise.all(sockets.map((socket) => socket.drip(head)));
      await Promise.all(sockets.map(({ closed }) => closed));
    },
  },
  {
    name: 'bodies that come byte by byte, in chunks of one byte',
    like: 'requests',
    run: async ({ attacker, appPort }, scale) => {
      const lines = `${HOST}${SHOWN}X-Kuiperbelt-Session: nobody\r\nTransfer-Encoding: chunked\r\n\r\n`;
      const sockets = Array.from({ length: 20 * scale }, () =>
        attacker.open(appPort, `POST /send HTTP/1.1\r\n${lines}`),
      );
      await Promise.all(sockets.map((socket) => socket.drip('1\r\nx\r\n'.repeat(300), 6)));
      await Promise.all(sockets.map((socket) => socket.ask('0\r\n\r\n')));
    },
  },
];

/** Heads and bodies that are as large as may be, and larger. */
const LARGE: readonly Attack[] = [
  ...[
    ['as many empty lines as fit', repeated('a:\r\n', HEAD_BYTES)],
    ['one line as long as fits', `X-Long: ${'x'.repeat(HEAD_BYTES)}\r\n`],
    ['more than fits', repeated('X-Line: y\r\n', 2 * HEAD_BYTES)],
    ['lists of nothing', `Connection: ${repeated(',', HEAD_BYTES)}\r\n`],
    ['as many proxies as fit', repeated('X-Forwarded-For: 192.0.2.1\r\n', HEAD_BYTES)],
    ['as many protocols as fit', `Sec-WebSocket-Protocol: ${repeated('a,', HEAD_BYTES)}\r\n`],
  ].map(
    ([what, lines = '']): Attack => ({
      name: `heads of ${what}, held and let go`,
      like: 'requests',
      run: async ({ attacker, port }, scale) => {
        const head = handshakeText({ port }).slice(0, -2) + lines;
        const sockets = Array.from({ length: 12 * scale }, () => attacker.open(port, head));
        // All of them are in memory before the first may go.
        await Promise.all(sockets.map(async ({ socket }) => await emptied(socket)));
        await Promise.all(sockets.map((socket) => socket.ask('\r\n')));
      },
    }),
  ),
  {
    name: 'URLs as long as fit',
    like: 'requests',
    run: ({ attacker, port }, scale) =>
      attacker.crowd(12 * scale, 4, async () => {
        const path = repeated('/%61/..', HEAD_BYTES);
        await attacker.open(port, `GET ${path} HTTP/1.1\r\n${HOST}Connection: close\r\n\r\n`).closed;
      }),
  },
  {
    name: 'bodies that go on after they were refused',
    like: 'requests',
    run: ({ attacker, appPort }, scale) =>
      attacker.crowd(4 * scale, 2, async () => {
        const length = 'Content-Length: 1000000000\r\n';
        const head = `POST /send HTTP/1.1\r\n${HOST}${SHOWN}X-Kuiperbelt-Session: nobody\r\n${length}\r\n`;
        const socket = attacker.open(appPort, head);
        await socket.flood(Buffer.alloc(65_536), 300);
        await socket.closed;
      }),
  },
];

/** Many requests that come to nothing. */
const FLOODS: readonly Attack[] = [
  ...[
    ['that speak no HTTP', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03nonsense, nonsense'],
    ['of one byte', '\0'],
    ['for paths that do not exist', `GET /wp-login.php?${'x'.repeat(80)} HTTP/1.0\r\n\r\n`],
    ['for paths that lead elsewhere', 'GET //a/../connect HTTP/1.0\r\n\r\n'],
    ['with the least that is a request', 'GET / HTTP/1.0\r\n\r\n'],
    ['for a WebSocket of another version', `${handshakeText({ headers: ['Sec-WebSocket-Version', '8'] })}`],
    [
      'for a WebSocket from a foreign page',
      `${handshakeText({ headers: ['Origin', 'http://evil.example'] })}`,
    ],
    ['for a WebSocket on another path', `${handshakeText({ path: '/socket' })}`],
    [
      'that plain pages make for the connect path',
      `GET /connect HTTP/1.1\r\n${HOST}Connection: close\r\n\r\n`,
    ],
  ].map(
    ([what, bytes = '']): Attack => ({
      name: `requests ${what}`,
      like: 'requests',
      run: ({ attacker, port }, scale) =>
        attacker.crowd(250 * scale, 10, async () => await attacker.open(port, bytes).closed),
    }),
  ),
  {
    name: 'calls with a wrong token',
    like: 'requests',
    run: ({ attacker, appPort }, scale) => {
      const wrong = 'Authorization: Bearer a-token-that-nobody-guessed\r\nX-Kuiperbelt-Session: witness\r\n';
      const call = `POST /send HTTP/1.1\r\n${HOST}${wrong}Content-Length: 4\r\n\r\nevil`;
      return attacker.crowd(10, 10, async () => {
        const socket = attacker.open(appPort);
        for (let n = 0; n < 50 * scale; n++) await socket.ask(call);
      });
    },
  },
  {
    name: 'calls to ten thousand who are not there',
    like: 'requests',
    run: ({ attacker, appPort }, scale) => {
      const names = Array.from({ length: 10_000 }, (_, n) => `X-Kuiperbelt-Session: ${n}<\r\n`).join('');
      const lines = `${HOST}${SHOWN}${names}Connection: close\r\nContent-Length: 1\r\n`;
      const call = `POST /send HTTP/1.1\r\n${lines}\r\nx`;
      return attacker.crowd(8 * scale, 4, async () => {
        const socket = attacker.open(appPort, call);
        await socket.closed;
        if (!socket.words.startsWith('HTTP/1.1 200')) throw new Error(socket.words);
      });
    },
  },
  {
    name: 'requests in a row whose answers nobody reads',
    like: 'requests',
    run: async ({ attacker, port }, scale) => {
      const sockets = Array.from({ length: 4 * scale }, () => attacker.open(port));
      for (const { socket } of sockets) socket.pause();
      const many = `GET /ping HTTP/1.1\r\n${HOST}\r\n`.repeat(500);
      await Promise.all(sockets.map((socket) => socket.flood(many, 20)));
      for (const { socket } of sockets) socket.resume();
    },
  },
];

/** Handshakes that the application is asked about, and that come to nothing. */
const HANDSHAKES: readonly Attack[] = [
  {
    name: 'handshakes that are given up at once',
    like: 'connects',
    run: ({ attacker, port }, scale) =>
      attacker.crowd(200 * scale, 10, async (n) => {
        const { socket, closed } = attacker.open(port, handshakeText({ port, path: `/connect?key=g${n}` }));
        socket.once('connect', () =>
          setImmediate(() => (n % 2 ? socket.destroy() : socket.resetAndDestroy())),
        );
        await closed;
      }),
  },
  {
    name: 'handshakes that the application refuses',
    like: 'connects',
    run: async ({ attacker, application, port }, scale) => {
      application.handlers.connect = () => ({ status: 403 });
      await attacker.crowd(
        200 * scale,
        10,
        async () => await attacker.open(port, handshakeText({ port })).closed,
      );
      delete application.handlers.connect;
    },
  },
  {
    name: 'sessions with names and channels as long and as many as may be',
    like: 'connects',
    run: async ({ attacker, application, port }, scale) => {
      let count = 0;
      application.handlers.connect = () => {
        const key = String(count++).padEnd(1_024, 'k');
        const channels = Array.from({ length: 100 }, (_, n) => `${count}-${n}-`.padEnd(256, 'c'));
        return {
          headers: [
            'X-Kuiperbelt-Session',
            key,
            ...channels.flatMap((name) => ['X-Kuiperbelt-Channel', name]),
          ],
        };
      };
      await attacker.crowd(100 * scale, 10, () => attacker.openWebSocket(port));
      delete application.handlers.connect;
    },
  },
];

/** Before HTTP, where a proxy is expected to speak. */
const PROXY_HEADERS: readonly Attack[] = [
  ...[
    ['that never end', `PROXY TCP4 ${'1'.repeat(200)}`],
    ['of the longest kind', Buffer.concat([V2_HEAD, Buffer.alloc(4_096)]).toString('latin1')],
    ['that claim more than may be', `${V2_HEAD.toString('latin1', 0, 14)}\xff\xff`],
    ['that are none', 'GET / HTTP/1.0\r\n\r\n'],
  ].map(
    ([what, bytes = '']): Attack => ({
      name: `PROXY headers ${what}`,
      target: 'proxied',
      like: 'requests',
      run: ({ attacker, port }, scale) =>
        attacker.crowd(250 * scale, 10, async () => {
          const socket = attacker.open(port, bytes);
          socket.socket.end();
          await socket.closed;
        }),
    }),
  ),
  {
    name: 'PROXY headers that come byte by byte, and do not end',
    target: 'proxied',
    like: 'requests',
    run: async ({ attacker, port }, scale) => {
      const sockets = Array.from({ length: 40 * scale }, () => attacker.open(port));
      await Promise.all(sockets.map((socket) => socket.drip(V2_HEAD)));
      await Promise.all(sockets.map(({ closed }) => closed));
    },
  },
];

/** Resolves when the kernel has taken everything, or the connection is over. */
async function emptied(socket: {
  readonly writableLength: number;
  readonly destroyed: boolean;
}): Promise<void> {
  while (socket.writableLength > 0 && !socket.destroyed) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** All attacks of this file. */
export const ATTACKS_BY_HTTP: readonly Attack[] = [
  ...QUIET,
  ...LARGE,
  ...FLOODS,
  ...HANDSHAKES,
  ...PROXY_HEADERS,
];
