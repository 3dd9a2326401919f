/** Compressed messages of clients: their order, whose turn it is, and every rule that can be broken. */
import { describe, expect, test } from 'vitest';
import { FakeTime } from '../../../test/fakes/fake-time.ts';
import { encodeClientFrame, type FrameToSend, OPCODE } from '../../../test/support/index.ts';
import { countedCompression, EAGER } from '../testdata/counted-compression.ts';
import { setUpConnection } from '../testdata/quiet-connection.ts';
import type { ConnectionRules } from './connection-keeper.ts';
import { deflateMessage } from './deflate-codec.ts';
import type { CompressionSettings } from './message-compression.ts';

const RSV1 = 4;
const microtasks = () => new Promise<void>((resolve) => process.nextTick(() => queueMicrotask(resolve)));
const deflated = (words: string): Buffer => deflateMessage(Buffer.from(words), EAGER);
const frame = (words: string, more: FrameToSend = {}): Buffer =>
  encodeClientFrame({ rsv: RSV1, payload: deflated(words), ...more });

/** A connection that agreed to compression; `say` resolves when all that this turn may read is read. */
function setUp(settings: Partial<CompressionSettings> = {}, rules: Partial<ConnectionRules> = {}) {
  const time = new FakeTime();
  const { compression, figure } = countedCompression(time, settings);
  const connect = () => {
    const parts = setUpConnection(rules, { compression, time });
    const say = async (...frames: Uint8Array[]) => {
      parts.socket.say(Buffer.concat(frames));
      await microtasks();
    };
    return { ...parts, say };
  };
  return { figure, connect, ...connect() };
}

describe('compressed messages', () => {
  test('come out whole and in order, between others and in pieces', async () => {
    const { say, messages, heard, figure } = setUp();
    const [start, middle, end] = [0, 4, 8].map((from) => deflated('in many pieces').subarray(from, from + 4));
    const last = deflated('in many pieces').subarray(12);
    await say(
      frame('one'),
      encodeClientFrame({ payload: 'plain' }),
      frame('two'),
      encodeClientFrame({ rsv: RSV1, fin: false, payload: start ?? '' }),
      encodeClientFrame({ opcode: OPCODE.ping, payload: 'between' }),
      encodeClientFrame({ opcode: OPCODE.continuation, fin: false, payload: middle ?? '' }),
      encodeClientFrame({ opcode: OPCODE.continuation, fin: false, payload: end ?? '' }),
      encodeClientFrame({ opcode: OPCODE.continuation, payload: last }),
      encodeClientFrame({ fin: false, payload: 'pla' }),
      encodeClientFrame({ opcode: OPCODE.continuation, payload: 'in' }),
      encodeClientFrame({ rsv: RSV1, payload: Buffer.of(0) }),
      frame('', { payload: '' }),
    );
    expect(messages).toEqual(['one', 'plain', 'two', 'in many pieces', 'plain', '', '']);
    expect(heard()).toEqual([[OPCODE.pong, 'between']]);
    expect(figure('inflated_messages_total')).toBe(5);
    expect(figure('inflated_output_bytes_total')).toBe('onetwoin many pieces'.length);
  });

  test('may come byte by byte', async () => {
    const { say, messages, ends } = setUp();
    for (const byte of Buffer.concat([frame('slowly'), frame('but surely')])) await say(Buffer.of(byte));
    await say(encodeClientFrame({ opcode: OPCODE.close, payload: '' }));
    expect(messages).toEqual(['slowly', 'but surely']);
    expect(ends).toEqual([{ cause: 'client_close', code: 1005, reason: '' }]);
  });

  test('are taken before a close frame behind them, and before a FIN', async () => {
    const closes = setUp();
    await closes.say(frame('last words'), encodeClientFrame({ opcode: OPCODE.close, payload: '' }));
    expect(closes.messages).toEqual(['last words']);
    const leaves = setUp();
    leaves.socket.say(frame('last words'));
    leaves.socket.emit('end');
    expect([leaves.messages, leaves.ends]).toEqual([[], []]);
    await microtasks();
    expect(leaves.messages).toEqual(['last words']);
    expect(leaves.ends).toEqual([{ cause: 'client_gone', code: 1006, reason: '' }]);
  });

  test('are not inflated when the connection has ended, and its close frame is still found', async () => {
    const { say, connection, messages, socket, figure } = setUp();
    connection.close(1000, '');
    await say(frame('too late'), encodeClientFrame({ opcode: OPCODE.close, payload: '' }));
    expect(messages).toEqual([]);
    expect(figure('inflated_messages_total')).toBe(0);
    expect(socket.isPaused()).toBe(false);
  });

  test('count as something done', async () => {
    const { time, say, ends } = setUp({}, { idleTimeoutMs: 1_000 });
    time.advance(900);
    await say(frame('still here'));
    time.advance(900);
    expect(ends).toEqual([]);
    time.advance(1_100);
    expect(ends).toMatchObject([{ cause: 'idle' }]);
  });
});

describe('a role that does not read', () => {
  test('gets nothing more, not even of what came already', async () => {
    const { say, messages, connection, socket, time, ends } = setUp({}, { idleTimeoutMs: 1_000 });
    connection.pauseReading();
    await say(frame('one'), frame('two'));
    time.endTurn();
    await microtasks();
    expect(messages).toEqual([]);
    // A client cannot be blamed for what we do not read.
    time.advance(10_000);
    expect(ends).toEqual([]);
    connection.resumeReading();
    connection.pauseReading();
    connection.resumeReading();
    await microtasks();
    expect(messages).toEqual(['one', 'two']);
    expect(socket.isPaused()).toBe(false);
  });

  test('is told of nothing after it has closed, and the rest is read', async () => {
    const { say, messages, connection, socket, heard } = setUp();
    connection.pauseReading();
    await say(frame('one'), encodeClientFrame({ opcode: OPCODE.close, payload: '' }));
    connection.close(1000, '');
    await microtasks();
    expect(messages).toEqual([]);
    expect(socket.isPaused()).toBe(false);
    expect(heard()).toHaveLength(1);
    await microtasks();
    expect(socket.ended).toBe(true);
  });
});

describe('a turn', () => {
  const LARGE = 'x'.repeat(700_000);
  const wide = { messageBytesMax: 1_000_000 };

  test('inflates so much and no more, everybody in their turn', async () => {
    const { time, connect, say, socket, messages } = setUp({}, wide);
    const other = connect();
    await say(frame(LARGE), frame(LARGE), frame(LARGE), frame('end'));
    expect(messages.map(({ length }) => length)).toEqual([LARGE.length, LARGE.length]);
    expect(socket.isPaused()).toBe(true);
    await other.say(frame('me too'));
    expect(other.messages).toEqual([]);
    expect(other.socket.isPaused()).toBe(true);
    time.endTurn();
    await microtasks();
    // The greedy one was first in the queue; what it says after that comes behind the other.
    expect(messages.map(({ length }) => length)).toEqual([LARGE.length, LARGE.length, LARGE.length, 3]);
    expect(other.messages).toEqual(['me too']);
    expect([socket.isPaused(), other.socket.isPaused()]).toEqual([false, false]);
  });

  test('leaves to the next what it has no room for, first come first served', async () => {
    const { time, connect, say } = setUp({}, wide);
    await say(frame(LARGE), frame(LARGE));
    const others = [connect(), connect(), connect(), connect()];
    for (const other of others) await other.say(frame(LARGE));
    const served = () => others.map(({ messages }) => messages.length);
    expect(served()).toEqual([0, 0, 0, 0]);
    const seen: number[][] = [];
    time.endOfTurn(() => {
      seen.push(served());
      time.endOfTurn(() => seen.push(served()));
    });
    time.endTurn();
    expect(seen).toEqual([
      [1, 1, 0, 0],
      [1, 1, 1, 1],
    ]);
  });

  test('ends what waits with its connection, and nobody is told', async () => {
    const { time, connection, say, messages, figure } = setUp({}, wide);
    await say(frame(LARGE), frame(LARGE), frame('never'));
    connection.terminate();
    time.endTurn();
    await microtasks();
    expect(messages).toHaveLength(2);
    expect(figure('inflated_messages_total')).toBe(2);
    time.endTurn();
    expect(time.pending).toBe(1);
  });

  test('lets a client go that waits and has sent FIN, after its words', async () => {
    const { time, say, socket, messages, ends } = setUp({}, wide);
    await say(frame(LARGE), frame(LARGE), frame('bye'), encodeClientFrame({ opcode: OPCODE.close }));
    socket.emit('end');
    expect(ends).toEqual([]);
    time.endTurn();
    await microtasks();
    expect(messages.at(-1)).toBe('bye');
    expect(ends).toMatchObject([{ cause: 'client_close' }]);
  });
});

describe('what is refused', () => {
  const invalid = Buffer.from('ffffff', 'hex');

  test.each([
    ['data that is not deflate', [frame('', { payload: invalid })], 1007, 'invalid compressed data'],
    [
      'text that is not UTF-8 once inflated',
      [frame('', { payload: deflateMessage(Buffer.of(0xc3, 0x28), EAGER) })],
      1007,
      'invalid utf8 payload in message',
    ],
    [
      'RSV1 on a continuation',
      [frame('ab', { fin: false }), frame('', { opcode: OPCODE.continuation })],
      1002,
      'unexpected reserved bits 0x40',
    ],
    [
      'RSV1 on a ping',
      [encodeClientFrame({ opcode: OPCODE.ping, rsv: RSV1 })],
      1002,
      'unexpected reserved bits 0x40',
    ],
    ['RSV2 beside it', [frame('x', { rsv: 6 })], 1002, 'unexpected reserved bits 0x60'],
    ['more than a message may be', [frame('x'.repeat(65_537))], 1009, 'message too large'],
    [
      'more than a message may be, on the wire',
      [frame('x', { claimedLength: 70_000 })],
      1009,
      'message too large',
    ],
  ])('%s', async (_, frames, code, reason) => {
    const { time, say, messages, ends } = setUp();
    await say(frame('before'), ...frames, frame('after'));
    time.endTurn();
    await microtasks();
    expect(ends).toMatchObject([{ code, reason }]);
    expect(messages).toEqual(['before']);
  });

  test('a compressed form beyond its own bound, however many pieces it comes in', async () => {
    const { say, ends, messages, figure } = setUp({ wireBytesMax: 100 });
    const noise = Uint8Array.from({ length: 150 }, (_, index) => (index * 7_919) % 251);
    await say(encodeClientFrame({ opcode: OPCODE.binary, payload: noise }));
    expect(messages).toHaveLength(1);
    const bytes = deflateMessage(noise, EAGER);
    await say(
      encodeClientFrame({ opcode: OPCODE.binary, rsv: RSV1, fin: false, payload: bytes.subarray(0, 80) }),
      encodeClientFrame({ opcode: OPCODE.continuation, payload: bytes.subarray(80) }),
    );
    expect(ends).toMatchObject([{ cause: 'message_too_large', code: 1009 }]);
    expect(figure('inflate_refusals_total/too_large')).toBe(1);
  });

  test('RSV1 of a client that did not agree', async () => {
    const { socket, ends } = setUpConnection();
    socket.say(frame('x'));
    await microtasks();
    expect(ends).toMatchObject([{ code: 1002, reason: 'unexpected reserved bits 0x40' }]);
  });
});
