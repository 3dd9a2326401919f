/** The outbox over TLS, where every write is said to be under way for a turn. */
import { describe, expect, test } from 'vitest';
import { FakeTime } from '../../test/fakes/fake-time.ts';
import { FakeTlsSocket } from './testdata/fake-tls-socket.ts';
import { FanOutWriter } from './websocket/fan-out-writer.ts';
import { type EncodedFrame, encodeFrame } from './websocket/frame.ts';
import { Outbox, type SlowClientBounds } from './websocket/outbox.ts';

const text = (words: string): EncodedFrame => encodeFrame(Buffer.from(words), false) as EncodedFrame;
const NARROW: SlowClientBounds = { policy: 'close', queueBytesMax: 1_000, queueMessagesMax: 2 };

function setUp() {
  const time = new FakeTime();
  const writer = new FanOutWriter({ clock: time, timers: time });
  const sockets = [new FakeTlsSocket(), new FakeTlsSocket()] as const;
  const outboxes = sockets.map((socket) => new Outbox(socket.socket, { writer, slowClient: NARROW }));
  const outbox = outboxes[0] as Outbox;
  return { time, socket: sockets[0], other: sockets[1], outbox, second: outboxes[1] as Outbox };
}

describe('over TLS', () => {
  test('a client whose kernel takes everything is not slow', async () => {
    const { time, socket, outbox } = setUp();
    for (let turn = 0; turn < 5; turn++) {
      expect([outbox.offer(text('a')), outbox.offer(text('b'))]).toEqual(['queued', 'queued']);
      time.endTurn();
      expect(socket.writableLength).toBe(6);
      expect(outbox.queuedMessages).toBe(0);
      await socket.turn();
    }
    expect(socket.taken).toHaveLength(5);
  });

  test('frames of one turn are one buffer, shared by all who get the same', () => {
    const { time, socket, other, outbox, second } = setUp();
    const frames = [text('a'), text('b')];
    for (const frame of frames) for (const one of [outbox, second]) one.offer(frame);
    time.endTurn();
    expect(socket.taken).toHaveLength(1);
    expect(other.taken[0]).toBe(socket.taken[0]);
  });

  test('a client whose kernel takes nothing is slow, and hears the rest when it takes again', async () => {
    const { time, socket, outbox } = setUp();
    socket.stalled = true;
    outbox.offer(text('held'));
    time.endTurn();
    expect(outbox.queuedMessages).toBe(1);
    expect([outbox.offer(text('b')), outbox.offer(text('c')), outbox.offer(text('d'))]).toEqual([
      'queued',
      'queued',
      'slow',
    ]);
    while (socket.busy) await socket.turn();
    expect(Buffer.concat(socket.taken).toString('latin1')).toMatch(/held.*b.*c$/s);
    expect(outbox.queuedMessages).toBe(0);
  });

  test('a second write within a turn waits for the first', async () => {
    const { time, socket, outbox } = setUp();
    for (const words of ['a', 'b', 'c']) outbox.offer(text(words));
    time.endTurn();
    // The bound of a turn has split it, and node:tls holds the second half.
    expect(socket.taken).toHaveLength(1);
    expect(outbox.queuedMessages).toBeGreaterThan(0);
    while (socket.busy) await socket.turn();
    expect(outbox.queuedMessages).toBe(0);
  });

  test('ends behind what is under way', async () => {
    const { time, socket, outbox } = setUp();
    outbox.offer(text('last'));
    outbox.finish();
    time.endTurn();
    expect(socket.writableFinished).toBe(false);
    await socket.turn();
    expect(socket.writableFinished).toBe(true);
  });
});
