/**
 * Attacks on what lies around frames and requests: handshakes of TLS, compressed messages.
 */
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { connect } from 'node:tls';
import { constants, deflateRawSync } from 'node:zlib';
import { encodeClientFrame, handshakeText } from '../support/index.ts';
import type { Attack } from './attack.ts';
import { COMPRESSION_OFFER } from './ordinary-traffic.ts';

const RSV1 = 4;
const PART_BYTES = 4 * 2 ** 20;

/** What a client of TLS 1.3 says first, as it may be said again and again. */
async function clientHello(): Promise<Buffer> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const client = connect({ port, host: '127.0.0.1', servername: 'chat.example' });
  client.on('error', () => undefined);
  const [socket] = await once(server, 'connection');
  const [hello] = await once(socket, 'data');
  client.destroy();
  server.close();
  return hello as Buffer;
}

/** A gibibyte of zeros in a mebibyte. */
function bomb(): Buffer {
  const part = deflateRawSync(Buffer.alloc(PART_BYTES), { finishFlush: constants.Z_SYNC_FLUSH });
  return Buffer.concat([...Array<Buffer>(255).fill(part), part.subarray(0, -4)]);
}

const SECURE: readonly Attack[] = [
  {
    name: 'TLS handshakes that end after the first word',
    target: 'secure',
    like: 'connects',
    run: async ({ attacker, port }, scale) => {
      const hello = await clientHello();
      await attacker.crowd(150 * scale, 10, async () => {
        const socket = attacker.open(port);
        await socket.ask(hello);
        socket.socket.resetAndDestroy();
        await socket.closed;
      });
    },
  },
  {
    name: 'TLS handshakes byte by byte',
    target: 'secure',
    like: 'connects',
    run: async ({ attacker, port }, scale) => {
      const hello = (await clientHello()).subarray(0, -1);
      const sockets = Array.from({ length: 30 * scale }, () => attacker.open(port));
      await Promise.all(sockets.map((socket) => socket.drip(hello)));
      await Promise.all(sockets.map(({ closed }) => closed));
    },
  },
  {
    name: 'TLS handshakes that are none',
    target: 'secure',
    like: 'connects',
    run: ({ attacker, port }, scale) =>
      attacker.crowd(150 * scale, 10, async () => {
        const socket = attacker.open(port, 'SSH-2.0-OpenSSH_9.2\r\n');
        socket.socket.end();
        await socket.closed;
      }),
  },
];

const INFLATING: readonly Attack[] = [
  {
    name: 'compressed bombs of a gibibyte',
    target: 'inflating',
    like: 'compressed',
    run: async ({ attacker, port }, scale) => {
      const frame = encodeClientFrame({ rsv: RSV1, payload: bomb() });
      await attacker.crowd(12 * scale, 4, async () => {
        const socket = attacker.open(port, handshakeText({ port, headers: COMPRESSION_OFFER }));
        await socket.hears('\r\n\r\n');
        socket.say(frame);
        await socket.closed;
      });
    },
  },
  ...[
    ['of next to nothing', Buffer.of(0)],
    ['of one final block behind the other', Buffer.from(`${'0300'.repeat(15)}00`, 'hex')],
  ].map(
    ([what, payload]): Attack => ({
      name: `compressed messages ${what}`,
      target: 'inflating',
      like: 'compressed',
      run: async ({ attacker, port }, scale) => {
        const message = encodeClientFrame({ rsv: RSV1, payload: payload as Buffer });
        await attacker.crowd(4, 4, async () => {
          const socket = attacker.open(port, handshakeText({ port, headers: COMPRESSION_OFFER }));
          await socket.hears('\r\n\r\n');
          await socket.flood(Buffer.concat(Array<Buffer>(500).fill(message)), 4 * scale);
          await socket.settled();
        });
      },
    }),
  ),
];

/** All attacks of this file. */
export const ATTACKS_BY_LAYERS: readonly Attack[] = [...SECURE, ...INFLATING];
