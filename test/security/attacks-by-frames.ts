/**
 * Attacks on an open WebSocket: frames that are tiny, empty, endless, slow, forbidden, or too many.
 */
import { closePayload, encodeClientFrame, type FrameToSend, OPCODE } from '../support/index.ts';
import type { Attack } from './attack.ts';

const BATCH_BYTES = 60_000;

/** A frame again and again, as much as goes into one segment of the kernel. */
function batchOf(frame: FrameToSend): Buffer {
  const bytes = encodeClientFrame(frame);
  return Buffer.concat(Array.from({ length: Math.floor(BATCH_BYTES / bytes.length) }, () => bytes));
}

/** One frame without end, on a few WebSockets. */
function floodOf(name: string, frame: FrameToSend, first: FrameToSend | null = null): Attack {
  return {
    name,
    like: 'messages',
    run: async ({ attacker, port }, scale) => {
      const batch = batchOf(frame);
      await attacker.crowd(4, 4, async () => {
        const socket = await attacker.openWebSocket(port);
        if (first !== null) socket.say(encodeClientFrame(first));
        await socket.flood(batch, 5 * scale);
        await socket.settled();
      });
    },
  };
}

/** All attacks of this file. */
export const ATTACKS_BY_FRAMES: readonly Attack[] = [
  floodOf('pings', { opcode: OPCODE.ping }),
  floodOf('pings with all that they may carry', { opcode: OPCODE.ping, payload: Buffer.alloc(125) }),
  floodOf('pongs that nobody asked for', { opcode: OPCODE.pong }),
  floodOf('empty messages', { payload: '' }),
  floodOf('messages of one byte', { payload: 'x' }),
  floodOf(
    'empty fragments of a message without end',
    { opcode: OPCODE.continuation, fin: false },
    { payload: 'x', fin: false },
  ),
  floodOf(
    'fragments of one byte',
    { opcode: OPCODE.continuation, fin: false, payload: 'x' },
    { payload: 'x', fin: false },
  ),
  floodOf('close frames', { opcode: OPCODE.close, payload: closePayload(1000) }),
  floodOf('frames that break the rules', { opcode: 11, payload: 'x' }),
  {
    name: 'frames that come byte by byte',
    like: 'messages',
    run: ({ attacker, port }, scale) =>
      attacker.crowd(10, 10, async () => {
        const socket = await attacker.openWebSocket(port);
        await socket.drip(encodeClientFrame({ payload: 'x'.repeat(800 * scale) }));
        await socket.settled();
      }),
  },
  {
    name: 'messages of a mebibyte that lack their last byte',
    like: 'messages',
    run: ({ attacker, port }, scale) =>
      attacker.crowd(40 * scale, 10, async () => {
        const socket = await attacker.openWebSocket(port);
        await socket.flood(
          encodeClientFrame({ payload: Buffer.alloc(2 ** 20 - 1), claimedLength: 2 ** 20 }),
          1,
        );
      }),
  },
  {
    name: 'lengths that nobody could hold, each on a new connection',
    like: 'connects',
    run: ({ attacker, port }, scale) =>
      attacker.crowd(100 * scale, 10, async () => {
        const socket = await attacker.openWebSocket(port);
        socket.say(encodeClientFrame({ payload: 'x', claimedLength: 2 ** 50 }));
        await socket.closed;
      }),
  },
  {
    name: 'ends without a close frame',
    like: 'connects',
    run: ({ attacker, port }, scale) =>
      attacker.crowd(100 * scale, 10, async (n) => {
        const { socket, closed } = await attacker.openWebSocket(port);
        if (n % 2) socket.end();
        else socket.resetAndDestroy();
        await closed;
      }),
  },
  {
    name: 'pings whose answers nobody reads',
    like: 'messages',
    run: async ({ attacker, port }, scale) => {
      const batch = batchOf({ opcode: OPCODE.ping, payload: Buffer.alloc(125) });
      await attacker.crowd(4, 4, async () => {
        const socket = await attacker.openWebSocket(port);
        socket.socket.pause();
        await socket.flood(batch, 60 * scale);
      });
    },
  },
  {
    name: 'empty messages for the application',
    target: 'receiving',
    like: 'messages',
    run: ({ attacker, port }, scale) =>
      attacker.crowd(4, 4, async () => {
        const socket = await attacker.openWebSocket(port);
        await socket.flood(encodeClientFrame({ payload: '' }), 100 * scale);
        await socket.settled();
      }),
  },
  {
    name: 'messages for an application that does not answer',
    target: 'receiving',
    like: 'messages',
    run: async ({ attacker, application, port }, scale) => {
      application.handlers.receive = () => 'hang';
      const batch = batchOf({ payload: 'x' });
      await attacker.crowd(20 * scale, 20, async () => {
        const socket = await attacker.openWebSocket(port);
        await socket.flood(batch, 60);
      });
      delete application.handlers.receive;
    },
  },
];
