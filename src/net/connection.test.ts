import { describe, expect, test } from 'vitest';
import { FakeTime } from '../../test/fakes/fake-time.ts';
import {
  closePayload,
  encodeClientFrame,
  FrameReader,
  type FrameToSend,
  OPCODE,
  openWebSocket,
} from '../../test/support/index.ts';
import { ConnectionKeeper, type ConnectionRules } from './connection-keeper.ts';
import { FanOutWriter } from './fan-out-writer.ts';
import { type Connection, type ConnectionEnd, encodeFrame } from './index.ts';
import { FakeSocket } from './testdata/fake-socket.ts';
import { startServer } from './testdata/test-server.ts';

const text = (words: string) => encodeFrame(Buffer.from(words), false);
const turn = () => new Promise((resolve) => setImmediate(resolve));

const RULES: ConnectionRules = {
  messageBytesMax: 65_536,
  slowClient: { policy: 'close', queueBytesMax: 1_000, queueMessagesMax: 3 },
  idleTimeoutMs: 0,
  ping: { intervalMs: 0, timeoutMs: 0 },
};

/** A connection without a network, in time that stands still. */
function setUp(rules: Partial<ConnectionRules> = {}) {
  const time = new FakeTime();
  const writer = new FanOutWriter({ clock: time, timers: time });
  const keeper = new ConnectionKeeper({ ...RULES, ...rules }, { writer, timers: time });
  const socket = new FakeSocket();
  const messages: string[] = [];
  const ends: ConnectionEnd[] = [];
  const connection: Connection<string> = keeper.admit(socket.socket, 'context', {
    message: (_connection, payload) => messages.push(Buffer.from(payload).toString()),
    ended: (_connection, end) => ends.push(end),
  });
  const say = (frame: FrameToSend) => socket.say(encodeClientFrame(frame));
  const heard = () => {
    time.endTurn();
    return new FrameReader()
      .read(socket.bytes)
      .map(({ opcode, payload }) => [opcode, payload.toString('latin1')]);
  };
  return { time, keeper, socket, connection, messages, ends, say, heard };
}

describe('messages', () => {
  test('go both ways, whole and in order', async () => {
    const { port, accepted, messages } = await startServer();
    const client = await openWebSocket({ port });
    const connection = await accepted.first(() => true);
    expect(connection.send(text('one'))).toBe('queued');
    connection.send(encodeFrame(Buffer.from([1, 2]), true));
    expect(await client.nextText()).toBe('one');
    expect(await client.nextFrame()).toMatchObject({ opcode: OPCODE.binary, fin: true, masked: false });
    client.sendText('hello');
    client.sendBinary(Buffer.from('bytes'));
    client.sendFrame({ payload: 'in ', fin: false });
    client.ping('between');
    client.sendFrame({ opcode: OPCODE.continuation, payload: 'pieces' });
    const seen = await messages.atLeast(3);
    expect(seen.map(({ text, binary }) => [text, binary])).toEqual([
      ['hello', false],
      ['bytes', true],
      ['in pieces', false],
    ]);
    expect(await client.nextFrame()).toMatchObject({ opcode: OPCODE.pong, text: 'between' });
  });

  test('may come byte by byte', async () => {
    const { port, messages, ends } = await startServer();
    const client = await openWebSocket({ port });
    const bytes = Buffer.concat([
      encodeClientFrame({ payload: 'x'.repeat(130) }),
      encodeClientFrame({ opcode: OPCODE.ping, payload: 'p' }),
      encodeClientFrame({ opcode: OPCODE.close, payload: closePayload(1000) }),
    ]);
    for (const byte of bytes) {
      client.sendBytes(Buffer.from([byte]));
      await turn();
    }
    expect((await client.closed).closeFrame).toEqual({ code: 1000, reason: '' });
    expect(messages.items.map(({ text }) => text)).toEqual(['x'.repeat(130)]);
    expect(ends.items).toEqual([{ cause: 'client_close', code: 1000, reason: '' }]);
  });

  test('are not read while reading is paused', async () => {
    const { port, accepted, messages } = await startServer();
    const client = await openWebSocket({ port });
    const connection = await accepted.first(() => true);
    connection.pauseReading();
    client.sendText('later');
    const other = await openWebSocket({ port });
    other.sendText('now');
    await messages.first(({ text }) => text === 'now');
    for (let index = 0; index < 10; index++) await turn();
    expect(messages.items).toHaveLength(1);
    connection.resumeReading();
    await messages.first(({ text }) => text === 'later');
  });
});

describe('the client closes', () => {
  test('its close frame is echoed with its code and without its reason', async () => {
    const { port, ends } = await startServer();
    const client = await openWebSocket({ port });
    client.sendClose(4000, 'xx');
    const end = await client.closed;
    expect(end).toEqual({ closeFrame: { code: 4000, reason: '' }, code: 4000, orderly: true });
    expect(client.frames.items[0]?.payload).toEqual(Buffer.from([0x0f, 0xa0]));
    expect(ends.items).toEqual([{ cause: 'client_close', code: 4000, reason: 'xx' }]);
  });

  test('a close frame without a code is answered by one', async () => {
    const { port, ends } = await startServer();
    const client = await openWebSocket({ port });
    client.sendClose();
    expect((await client.closed).closeFrame).toEqual({ code: 1005, reason: '' });
    expect(client.frames.items[0]?.payload).toHaveLength(0);
    expect(ends.items).toEqual([{ cause: 'client_close', code: 1005, reason: '' }]);
  });

  test('by leaving, with FIN or reset', async () => {
    const { port, ends } = await startServer();
    const polite = await openWebSocket({ port });
    polite.end();
    await polite.closed;
    const rude = await openWebSocket({ port });
    rude.reset();
    const gone = { cause: 'client_gone', code: 1006, reason: '' };
    expect(await ends.atLeast(2)).toEqual([gone, gone]);
  });

  test('what is queued goes out before the echo', () => {
    const { connection, say, heard } = setUp();
    connection.send(text('pending'));
    say({ opcode: OPCODE.close, payload: closePayload(1000) });
    expect(connection.send(text('too late'))).toBe('closed');
    expect(heard()).toEqual([
      [OPCODE.text, 'pending'],
      [OPCODE.close, '\x03\xe8'],
    ]);
  });
});

describe('broken rules', () => {
  const ping = OPCODE.ping;
  const cases: [string, number, string, FrameToSend[]][] = [
    ['protocol_error', 1002, 'incorrect mask flag', [{ masked: false }]],
    ['protocol_error', 1002, 'unexpected reserved bits 0x40', [{ rsv: 4 }]],
    ['protocol_error', 1002, 'unexpected reserved bits 0x30', [{ rsv: 3 }]],
    ['protocol_error', 1002, 'unexpected reserved bits 0x70', [{ rsv: 7, opcode: ping }]],
    ['protocol_error', 1002, 'unknown opcode 3', [{ opcode: 3 }]],
    ['protocol_error', 1002, 'unknown opcode 15', [{ opcode: 15 }]],
    ['protocol_error', 1002, 'control frame length > 125', [{ opcode: ping, payload: 'x'.repeat(126) }]],
    [
      'protocol_error',
      1002,
      'control frame length > 125',
      [{ opcode: ping, payload: 'x'.repeat(126), fin: false }],
    ],
    ['protocol_error', 1002, 'control frame not final', [{ opcode: ping, fin: false }]],
    ['protocol_error', 1002, 'message start before final message frame', [{ fin: false }, { opcode: 2 }]],
    ['protocol_error', 1002, 'continuation after final message frame', [{ opcode: 0 }]],
    ['protocol_error', 1002, 'invalid close code', [{ opcode: 8, payload: closePayload(1005) }]],
    ['protocol_error', 1002, 'invalid close code', [{ opcode: 8, payload: 'x' }]],
    [
      ...(['protocol_error', 1002, 'invalid utf8 payload in close frame'] as const),
      [{ opcode: 8, payload: closePayload(1000, Buffer.from([0xff])) }],
    ],
    ['invalid_utf8', 1007, 'invalid utf8 payload in message', [{ payload: Buffer.from([0xc3, 0x28]) }]],
    ['message_too_large', 1009, 'message too large', [{ opcode: 2, payload: Buffer.alloc(65_537) }]],
    ['message_too_large', 1009, 'message too large', [{ opcode: 2, claimedLength: 2 ** 40 }]],
  ];

  test.each(cases)('%s %i %s', async (cause, code, reason, frames) => {
    const { port, messages, ends } = await startServer();
    const client = await openWebSocket({ port });
    const bystander = await openWebSocket({ port });
    client.sendText('before');
    for (const frame of frames) client.sendFrame(frame);
    client.sendText('after');
    // The server half-closes and waits for us to do the same.
    expect((await client.closed).closeFrame).toEqual({ code, reason });
    expect(ends.items).toEqual([{ cause, code, reason }]);
    bystander.sendText('alive');
    await messages.first(({ text }) => text === 'alive');
    expect(messages.items.map(({ text }) => text)).toEqual(['before', 'alive']);
  });

  test('a message in too many pieces ends the connection', async () => {
    const { port, ends } = await startServer();
    const client = await openWebSocket({ port });
    client.sendFrame({ fin: false });
    const empty = encodeClientFrame({ opcode: OPCODE.continuation, fin: false });
    client.sendBytes(Buffer.concat(Array.from({ length: 20_000 }, () => empty)));
    expect((await client.closed).closeFrame?.code).toBe(1009);
    expect(ends.items).toHaveLength(1);
  });

  test('a client that does not leave is cut', async () => {
    const { socket, say, time, ends } = setUp();
    say({ masked: false });
    await turn();
    time.endTurn();
    expect(ends).toHaveLength(1);
    expect(socket.writableEnded).toBe(true);
    time.advance(4_000);
    expect(socket.destroyed).toBe(false);
    time.advance(2_000);
    expect(socket.destroyed).toBe(true);
  });

  test('a client that goes on sending is cut', async () => {
    const { socket, say } = setUp();
    say({ masked: false });
    await turn();
    const chunk = Buffer.alloc(1_024 * 1_024);
    for (let index = 0; index < 17; index++) socket.say(chunk);
    expect(socket.destroyed).toBe(true);
  });
});

describe('we close', () => {
  test('hello, messages, farewell and close frame come in this order, then FIN', async () => {
    const { port, ends } = await startServer({
      handlers: {
        request: (_request, response) => response.send(404, [], ''),
        upgrade: (request) => {
          const connection = request.accept(null, {
            message: () => {},
            ended: (_connection, end) => ends.push(end),
          });
          connection?.send(text('hello'));
          connection?.send(text('pending'));
          connection?.close(1000, 'bye', text('farewell'));
          expect(ends.items).toHaveLength(1);
        },
      },
    });
    const client = await openWebSocket({ port });
    for (const words of ['hello', 'pending', 'farewell']) expect(await client.nextText()).toBe(words);
    expect(await client.nextFrame()).toMatchObject({ closeCode: 1000, closeReason: 'bye' });
    client.sendClose(1000);
    expect((await client.closed).orderly).toBe(true);
    expect(ends.items).toEqual([{ cause: 'server', code: 1000, reason: 'bye' }]);
  });

  test('the close frame of the client ends the handshake, its messages are nobody’s any more', () => {
    const { connection, socket, say, messages, ends, heard } = setUp();
    connection.close(4409, 'replaced');
    connection.close(1000, 'again');
    expect(connection.open).toBe(false);
    expect(heard()).toEqual([[OPCODE.close, '\x11\x39replaced']]);
    expect(socket.writableEnded).toBe(false);
    say({ payload: 'still talking' });
    say({ opcode: OPCODE.ping });
    say({ opcode: OPCODE.close, payload: closePayload(4409) });
    expect(heard()).toHaveLength(1);
    expect(socket.writableEnded).toBe(true);
    expect(messages).toEqual([]);
    expect(ends).toEqual([{ cause: 'server', code: 4409, reason: 'replaced' }]);
  });

  test('a client that never answers is cut', () => {
    const { connection, socket, time } = setUp();
    connection.close(1001, '');
    time.advance(4_999);
    expect(socket.destroyed).toBe(false);
    time.advance(1_000);
    expect(socket.destroyed).toBe(true);
  });

  test('terminate cuts at once', () => {
    const { connection, socket, ends } = setUp();
    connection.send(text('never'));
    connection.terminate();
    connection.terminate();
    expect(ends).toEqual([{ cause: 'server', code: 1006, reason: '' }]);
    expect(socket.destroyed).toBe(true);
    expect(connection.send(text('x'))).toBe('closed');
  });

  test('a role may close from within a message', () => {
    const { keeper, time } = setUp();
    const socket = new FakeSocket();
    const seen: string[] = [];
    keeper.admit(socket.socket, null, {
      message: (connection, payload) => {
        seen.push(Buffer.from(payload).toString());
        connection.terminate();
      },
      ended: (_connection, end) => seen.push(end.cause),
    });
    socket.say(Buffer.concat(['a', 'b'].map((payload) => encodeClientFrame({ payload }))));
    time.endTurn();
    expect(seen).toEqual(['a', 'server']);
  });
});

describe('idle timeout', () => {
  test('closes with 1001 when the client does nothing', () => {
    const { time, ends, heard } = setUp({ idleTimeoutMs: 1_000 });
    time.advance(999);
    expect(ends).toEqual([]);
    time.advance(101);
    expect(ends).toEqual([{ cause: 'idle', code: 1001, reason: 'idle timeout' }]);
    expect(heard()).toEqual([[OPCODE.close, '\x03\xe9idle timeout']]);
  });

  test.each([
    ['a message', { payload: 'x' }],
    ['a piece of a message', { payload: 'x', fin: false }],
    ['a ping', { opcode: OPCODE.ping }],
    ['a pong nobody asked for', { opcode: OPCODE.pong }],
  ])('%s renews it', (_name, frame) => {
    const { time, ends, say } = setUp({ idleTimeoutMs: 1_000 });
    time.advance(950);
    say(frame);
    time.advance(950);
    expect(ends).toEqual([]);
    time.advance(200);
    expect(ends).toHaveLength(1);
  });

  test('a message to the client renews it', () => {
    const { time, ends, connection } = setUp({ idleTimeoutMs: 1_000 });
    time.advance(950);
    connection.send(text('news'));
    time.advance(950);
    expect(ends).toEqual([]);
    time.advance(200);
    expect(ends).toHaveLength(1);
  });

  test('our pings and their pongs do not renew it', () => {
    const { time, ends, say, heard } = setUp({
      idleTimeoutMs: 1_000,
      ping: { intervalMs: 200, timeoutMs: 200 },
    });
    let answered = 0;
    for (let step = 0; step < 50; step++) {
      time.advance(20);
      const pings = heard().filter(([opcode]) => opcode === OPCODE.ping).length;
      if (pings > answered) say({ opcode: OPCODE.pong });
      answered = pings;
    }
    expect(answered).toBeGreaterThan(2);
    expect(ends).toEqual([{ cause: 'idle', code: 1001, reason: 'idle timeout' }]);
  });

  test('time does not count while we do not read', () => {
    const { time, ends, connection } = setUp({
      idleTimeoutMs: 1_000,
      ping: { intervalMs: 500, timeoutMs: 500 },
    });
    connection.pauseReading();
    time.advance(10_000);
    expect(ends).toEqual([]);
    connection.resumeReading();
    time.advance(2_000);
    expect(ends).toHaveLength(1);
  });
});

describe('pings', () => {
  const ping = { intervalMs: 1_000, timeoutMs: 500 };

  test('are sent when nothing was heard, and an answer keeps the connection', () => {
    const { time, ends, say, heard } = setUp({ ping });
    time.advance(950);
    expect(heard()).toEqual([]);
    say({ payload: 'x' });
    time.advance(950);
    expect(heard()).toEqual([]);
    time.advance(150);
    expect(heard()).toEqual([[OPCODE.ping, '']]);
    say({ opcode: OPCODE.pong });
    time.advance(950);
    expect(heard()).toHaveLength(1);
    time.advance(150);
    expect(heard()).toHaveLength(2);
    expect(ends).toEqual([]);
  });

  test('that are not answered end the connection', () => {
    const { time, ends, heard } = setUp({ ping });
    time.advance(1_050);
    expect(heard()).toHaveLength(1);
    time.advance(400);
    expect(ends).toEqual([]);
    time.advance(150);
    expect(ends).toEqual([{ cause: 'ping_timeout', code: 1001, reason: 'ping timeout' }]);
  });

  test('anything heard is as good as a pong', () => {
    const { time, ends, say } = setUp({ ping });
    for (let step = 0; step < 10; step++) {
      time.advance(1_200);
      say({ payload: 'busy' });
    }
    expect(ends).toEqual([]);
  });
});

describe('slow clients', () => {
  test('close: the role hears of it within send, the client finds 1013 behind what it was given', async () => {
    const { connection, socket, ends, heard, time } = setUp();
    socket.stalled = true;
    connection.send(text('held'));
    time.endTurn();
    const outcomes = ['1', '2', '3', '4', '5'].map((words) => connection.send(text(words)));
    expect(outcomes).toEqual(['queued', 'queued', 'queued', 'closed', 'closed']);
    expect(ends).toEqual([{ cause: 'slow', code: 1013, reason: 'too slow' }]);
    await socket.release();
    expect(heard()).toEqual([
      [OPCODE.text, 'held'],
      [OPCODE.close, '\x03\xf5too slow'],
    ]);
    expect(socket.writableEnded).toBe(true);
  });

  test('close: one that stays stalled is cut', () => {
    const { connection, socket, time } = setUp();
    socket.stalled = true;
    for (let index = 0; index < 6; index++) {
      connection.send(text('x'));
      time.endTurn();
    }
    time.advance(6_000);
    expect(socket.destroyed).toBe(true);
  });

  test('a stalled client that takes what it was given is alive', async () => {
    const { connection, socket, time, ends } = setUp({ ping: { intervalMs: 1_000, timeoutMs: 500 } });
    socket.stalled = true;
    connection.send(text('held'));
    time.advance(1_200);
    await socket.release();
    time.advance(450);
    expect(ends).toEqual([]);
  });

  test.each(['close', 'drop_oldest', 'drop_newest'] as const)(
    '%s: a real client that stops reading delays nobody',
    async (policy) => {
      const { port, accepted } = await startServer({
        slowClient: { policy, queueBytesMax: 1_000_000, queueMessagesMax: 20 },
      });
      const stuck = await openWebSocket({ port });
      const quick = await openWebSocket({ port });
      const [slow, other] = (await accepted.atLeast(2)) as [Connection, Connection];
      stuck.pause();
      const flood = encodeFrame(Buffer.alloc(400_000), true);
      while (slow.queuedMessages === 0) {
        expect(slow.send(flood)).toBe('queued');
        await turn();
      }
      const outcomes = Array.from({ length: 50 }, (_, index) => slow.send(text(`${index}`)));
      other.send(text('on time'));
      expect(await quick.nextText()).toBe('on time');
      stuck.resume();
      if (policy === 'close') {
        expect((await stuck.closed).closeFrame).toEqual({ code: 1013, reason: 'too slow' });
        expect(outcomes.at(-1)).toBe('closed');
        return;
      }
      const kept = await stuck.frames.atLeast(20, ({ opcode }) => opcode === OPCODE.text);
      const first = policy === 'drop_oldest' ? 30 : 0;
      expect(kept.map(({ text }) => Number(text))).toEqual(Array.from({ length: 20 }, (_, n) => n + first));
      slow.send(text('healthy again'));
      await stuck.frames.first(({ text }) => text === 'healthy again');
      expect(slow.queuedMessages).toBe(0);
    },
  );
});
