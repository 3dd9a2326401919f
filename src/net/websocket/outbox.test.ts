import { describe, expect, test } from 'vitest';
import { FakeTime } from '../../../test/fakes/fake-time.ts';
import { FrameReader } from '../../../test/support/index.ts';
import { FakeSocket } from '../testdata/fake-socket.ts';
import { FanOutWriter } from './fan-out-writer.ts';
import { type EncodedFrame, encodeClose, encodeFrame, encodePing, encodePong } from './frame.ts';
import { Outbox, type SlowClientBounds } from './outbox.ts';

const text = (words: string): EncodedFrame => encodeFrame(Buffer.from(words), false) as EncodedFrame;
const WIDE: SlowClientBounds = { policy: 'close', queueBytesMax: 1_000_000, queueMessagesMax: 1_000 };

function setUp(bounds: SlowClientBounds = WIDE, count = 1) {
  const time = new FakeTime();
  const writer = new FanOutWriter({ clock: time, timers: time });
  const sockets = Array.from({ length: count }, () => new FakeSocket());
  const outboxes = sockets.map((socket) => new Outbox(socket.socket, { writer, slowClient: bounds }));
  return { time, sockets, outboxes, socket: sockets[0] as FakeSocket, outbox: outboxes[0] as Outbox };
}

/** The texts of all frames that a socket has taken. */
const textsOf = (socket: FakeSocket): string[] =>
  new FrameReader().read(socket.bytes).map(({ text }) => text);

/** An outbox whose socket holds one message in its hands. */
function setUpStalled(bounds: SlowClientBounds) {
  const parts = setUp(bounds);
  parts.socket.stalled = true;
  parts.outbox.offer(text('held'));
  parts.time.endTurn();
  return parts;
}

describe('one turn', () => {
  test('a lone frame is written as it is, at the end of the turn', () => {
    const { time, sockets, outboxes } = setUp(WIDE, 3);
    const frame = text('a');
    for (const outbox of outboxes) outbox.offer(frame);
    expect(sockets.map((socket) => socket.taken.length)).toEqual([0, 0, 0]);
    expect(outboxes[0]).toMatchObject({ queuedBytes: 3, queuedMessages: 1 });
    time.endTurn();
    for (const socket of sockets) {
      expect(socket.taken).toHaveLength(1);
      expect(socket.taken[0]).toBe(frame.bytes);
    }
    expect(outboxes[0]).toMatchObject({ queuedBytes: 0, queuedMessages: 0 });
  });

  test('several frames are one write, and equal histories share one buffer', () => {
    const { time, sockets, outboxes } = setUp(WIDE, 4);
    const frames = ['a', 'b', 'c'].map(text);
    outboxes[3]?.offer(text('own'));
    for (const frame of frames) for (const outbox of outboxes) outbox.offer(frame);
    time.endTurn();
    expect(sockets.map((socket) => socket.taken.length)).toEqual([1, 1, 1, 1]);
    expect(sockets[1]?.taken[0]).toBe(sockets[0]?.taken[0]);
    expect(sockets[2]?.taken[0]).toBe(sockets[0]?.taken[0]);
    expect(textsOf(sockets[0] as FakeSocket)).toEqual(['a', 'b', 'c']);
    expect(textsOf(sockets[3] as FakeSocket)).toEqual(['own', 'a', 'b', 'c']);
  });

  test('histories that part and meet keep their own order', () => {
    const { time, sockets, outboxes } = setUp(WIDE, 3);
    const sent: string[][] = [[], [], []];
    for (let round = 0; round < 20; round++) {
      const frame = text(`m${round}`);
      outboxes.forEach((outbox, index) => {
        if ((round + index) % 3 === 0) return;
        outbox.offer(frame);
        sent[index]?.push(`m${round}`);
      });
    }
    time.endTurn();
    expect(sockets.map(textsOf)).toEqual(sent);
  });

  test('nothing of a turn is kept for the next one', () => {
    const { time, socket, outbox } = setUp();
    const frame = text('a');
    for (let turn = 0; turn < 3; turn++) {
      outbox.offer(frame);
      outbox.offer(frame);
      time.endTurn();
    }
    expect(socket.taken.map((chunk) => chunk.length)).toEqual([6, 6, 6]);
    expect(new Set(socket.taken).size).toBe(3);
  });

  test('a write is bounded, a frame larger than the bound goes alone', () => {
    const { time, socket, outbox } = setUp();
    const large = encodeFrame(Buffer.alloc(100_000), true) as EncodedFrame;
    const medium = encodeFrame(Buffer.alloc(30_000), true) as EncodedFrame;
    for (const frame of [medium, medium, medium, large, medium]) outbox.offer(frame);
    time.endTurn();
    const sizes = [2 * medium.byteLength, medium.byteLength, large.byteLength, medium.byteLength];
    expect(socket.taken.map((chunk) => chunk.length)).toEqual(sizes);
    expect(socket.taken[2]).toBe(large.bytes);
  });

  test('a burst does not make a healthy client slow, however small its bounds', () => {
    const { time, socket, outbox } = setUp({ policy: 'close', queueBytesMax: 100, queueMessagesMax: 4 });
    const sent = Array.from({ length: 1_000 }, (_, index) => `message ${index}`);
    for (const words of sent) expect(outbox.offer(text(words))).toBe('queued');
    time.endTurn();
    expect(textsOf(socket)).toEqual(sent);
  });

  test('the writing side ends behind what is queued', () => {
    const { time, socket, outbox } = setUp();
    outbox.offer(text('last'));
    outbox.finish();
    expect(socket.writableEnded).toBe(false);
    time.endTurn();
    expect(socket.writableEnded).toBe(true);
    expect(textsOf(socket)).toEqual(['last']);
  });
});

describe('a stalled socket', () => {
  const bounds = { queueBytesMax: 1_000, queueMessagesMax: 3 };
  const words = ['1', '2', '3', '4', '5'];

  test('what waits goes out joined when the socket drains, in order', async () => {
    const { time, socket, outbox } = setUpStalled(WIDE);
    for (const word of words) {
      expect(outbox.offer(text(word))).toBe('queued');
      time.endTurn();
    }
    expect(outbox).toMatchObject({ queuedMessages: 6, queuedBytes: 6 + 5 * 3 });
    expect(socket.taken).toHaveLength(1);
    await socket.release();
    expect(socket.taken).toHaveLength(2);
    expect(textsOf(socket)).toEqual(['held', ...words]);
    expect(outbox).toMatchObject({ queuedMessages: 0, queuedBytes: 0 });
    outbox.offer(text('after'));
    time.endTurn();
    expect(textsOf(socket).at(-1)).toBe('after');
  });

  test('it may stall again and again', async () => {
    const { socket, outbox, time } = setUpStalled(WIDE);
    const big = encodeFrame(Buffer.alloc(40_000, 'x'), false) as EncodedFrame;
    for (let index = 0; index < 5; index++) outbox.offer(big);
    for (let step = 0; step < 5; step++) {
      const released = socket.release();
      socket.stalled = true;
      await released;
      expect(socket.taken).toHaveLength(step + 2);
    }
    await socket.release();
    expect(outbox.queuedMessages).toBe(0);
    time.endTurn();
    expect(textsOf(socket)).toHaveLength(6);
  });

  test('close: says so at the bound of messages or bytes', () => {
    const byMessages = setUpStalled({ policy: 'close', ...bounds }).outbox;
    expect(words.map((word) => byMessages.offer(text(word))).slice(0, 4)).toEqual([
      ...['queued', 'queued', 'queued', 'slow'],
    ]);
    const byBytes = setUpStalled({ policy: 'close', ...bounds }).outbox;
    expect(byBytes.offer(text('x'.repeat(900)))).toBe('queued');
    expect(byBytes.offer(text('x'.repeat(100)))).toBe('slow');
  });

  test('drop_newest: refuses at the bound and keeps what it has', async () => {
    const { socket, outbox } = setUpStalled({ policy: 'drop_newest', ...bounds });
    const outcomes = words.map((word) => outbox.offer(text(word)));
    expect(outcomes).toEqual(['queued', 'queued', 'queued', 'dropped', 'dropped']);
    await socket.release();
    expect(textsOf(socket)).toEqual(['held', '1', '2', '3']);
  });

  test('drop_oldest: drops as many as needed, never what the kernel holds', async () => {
    const { socket, outbox } = setUpStalled({ policy: 'drop_oldest', ...bounds });
    for (const word of words) expect(outbox.offer(text(word))).toBe('queued');
    expect(outbox.queuedMessages).toBe(4);
    expect(outbox.offer(text('x'.repeat(994)))).toBe('queued');
    await socket.release();
    expect(textsOf(socket).map((got) => got.slice(0, 4))).toEqual(['held', 'xxxx']);
  });

  test('a farewell and a close frame are never judged', async () => {
    const { socket, outbox } = setUpStalled({ policy: 'drop_newest', ...bounds });
    for (const word of words) outbox.offer(text(word));
    outbox.push(text('farewell'));
    outbox.push(encodeClose(1000, ''));
    outbox.finish();
    await socket.release();
    expect(textsOf(socket).slice(0, 5)).toEqual(['held', '1', '2', '3', 'farewell']);
    expect(socket.writableEnded).toBe(true);
  });

  test('only the newest pong and ping wait, before the messages', async () => {
    const { socket, outbox } = setUpStalled({ policy: 'close', ...bounds });
    outbox.offer(text('1'));
    for (let index = 0; index < 10_000; index++) outbox.pong(encodePong(Buffer.from(`p${index}`)));
    outbox.ping(encodePing(Buffer.from('ping')));
    expect(outbox).toMatchObject({ queuedBytes: 6 + 3, queuedMessages: 2 });
    await socket.release();
    expect(textsOf(socket)).toEqual(['held', 'p9999', 'ping', '1']);
  });

  test('what was not given to the socket can be forgotten', async () => {
    const { socket, outbox } = setUpStalled({ policy: 'close', ...bounds });
    outbox.offer(text('1'));
    outbox.discard();
    outbox.push(encodeClose(1013, 'too slow'));
    outbox.finish();
    await socket.release();
    const frames = new FrameReader().read(socket.bytes);
    expect(frames.map(({ opcode }) => opcode)).toEqual([1, 8]);
    expect(socket.writableEnded).toBe(true);
  });

  test('a socket that breaks is not written to again', async () => {
    const { socket, outbox, time } = setUpStalled(WIDE);
    socket.on('error', () => {});
    outbox.offer(text('1'));
    socket.destroy();
    await socket.release();
    time.endTurn();
    expect(textsOf(socket)).toEqual(['held']);
  });
});

test('only messages count as written, control frames do not', () => {
  const { time, outbox } = setUp();
  time.advance(1_000);
  outbox.ping(encodePing(new Uint8Array(0)));
  time.endTurn();
  expect(outbox.wroteAtMs).toBe(0);
  outbox.offer(text('a'));
  time.endTurn();
  expect(outbox.wroteAtMs).toBe(1_000);
});
