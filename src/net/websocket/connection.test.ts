import { describe, expect, test } from 'vitest';
import {
  closePayload,
  encodeClientFrame,
  type FrameToSend,
  OPCODE,
  openWebSocket,
} from '../../../test/support/index.ts';
import { encodeFrame } from '../index.ts';
import { FakeSocket } from '../testdata/fake-socket.ts';
import { setUpConnection } from '../testdata/quiet-connection.ts';
import { startServer } from '../testdata/test-server.ts';

const text = (words: string) => encodeFrame(Buffer.from(words), false);
const turn = () => new Promise((resolve) => setImmediate(resolve));

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
    const { connection, say, heard } = setUpConnection();
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
    const { socket, say, time, ends } = setUpConnection();
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
    const { socket, say } = setUpConnection();
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
    const { connection, socket, say, messages, ends, heard } = setUpConnection();
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
    const { connection, socket, time } = setUpConnection();
    connection.close(1001, '');
    time.advance(4_999);
    expect(socket.destroyed).toBe(false);
    time.advance(1_000);
    expect(socket.destroyed).toBe(true);
  });

  test('terminate cuts at once', () => {
    const { connection, socket, ends } = setUpConnection();
    connection.send(text('never'));
    connection.terminate();
    connection.terminate();
    expect(ends).toEqual([{ cause: 'server', code: 1006, reason: '' }]);
    expect(socket.destroyed).toBe(true);
    expect(connection.send(text('x'))).toBe('closed');
  });

  test('a role may close from within a message', () => {
    const { keeper, time } = setUpConnection();
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
