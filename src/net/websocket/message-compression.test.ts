/** What is compressed, when, and how often: for many connections, in time that stands still. */
import { describe, expect, test } from 'vitest';
import { FakeTime } from '../../../test/fakes/fake-time.ts';
import { FrameReader } from '../../../test/support/index.ts';
import { countedCompression } from '../testdata/counted-compression.ts';
import { FakeSocket } from '../testdata/fake-socket.ts';
import { inflateMessage } from './deflate-codec.ts';
import { FanOutWriter } from './fan-out-writer.ts';
import { type EncodedFrame, encodeClose, encodeFrame, encodePing } from './frame.ts';
import type { CompressionSettings } from './message-compression.ts';
import { Outbox, type SlowClientBounds } from './outbox.ts';

const RSV1 = 4;
const WORDS = 'to be, or not to be '.repeat(20);
const text = (words: string): EncodedFrame => encodeFrame(Buffer.from(words), false) as EncodedFrame;
const WIDE: SlowClientBounds = { policy: 'close', queueBytesMax: 1_000_000, queueMessagesMax: 1_000 };

/** Outboxes in turn with compression and without. */
function setUp(settings: Partial<CompressionSettings> = {}, slowClient = WIDE) {
  const time = new FakeTime();
  const writer = new FanOutWriter({ clock: time, timers: time });
  const { compression, figure } = countedCompression(time, settings);
  const sockets = [0, 1, 2, 3].map(() => new FakeSocket());
  const outboxes = sockets.map(
    ({ socket }, index) => new Outbox(socket, { writer, slowClient }, index % 2 === 0 ? compression : null),
  );
  const toAll = (frame: EncodedFrame): void => {
    for (const outbox of outboxes) outbox.offer(frame);
  };
  const formOf = (frame: EncodedFrame): EncodedFrame => compression.formOf(frame);
  return { time, compression, figure, sockets, outboxes, toAll, formOf };
}

/** What a client reads: its messages, each with its reserved bits. */
function heard(socket: FakeSocket | undefined): [rsv: number, words: string][] {
  return new FrameReader().read(socket?.bytes ?? Buffer.alloc(0)).map(({ rsv, payload }) => {
    if (rsv === 0) return [rsv, payload.toString()];
    const inflated = inflateMessage([payload], 1_000_000);
    return [rsv, inflated.ok ? inflated.value.toString() : inflated.error];
  });
}

describe('a broadcast', () => {
  test('is compressed once, and each connection gets its own form', () => {
    const { time, sockets, toAll, figure } = setUp();
    toAll(text(WORDS));
    time.endTurn();
    expect(figure('deflated_messages_total')).toBe(1);
    expect(heard(sockets[0])).toEqual([[RSV1, WORDS]]);
    expect(heard(sockets[1])).toEqual([[0, WORDS]]);
    expect(sockets[0]?.taken[0]).toBe(sockets[2]?.taken[0]);
    expect(sockets[1]?.taken[0]).toBe(sockets[3]?.taken[0]);
    expect(figure('deflated_input_bytes_total')).toBe(WORDS.length);
    expect(figure('deflated_output_bytes_total')).toBe((sockets[0]?.bytes.length ?? 0) - 2);
  });

  test('shares its bytes with the others of its turn, in both forms', () => {
    const { time, sockets, toAll } = setUp();
    // One that is sent to all as it is comes first, so that both kinds begin with the same frame.
    toAll(text('!'));
    toAll(text(WORDS));
    toAll(text(`${WORDS}?`));
    time.endTurn();
    expect(sockets.map(({ taken }) => taken.length)).toEqual([1, 1, 1, 1]);
    expect(sockets[0]?.taken[0]).toBe(sockets[2]?.taken[0]);
    expect(sockets[1]?.taken[0]).toBe(sockets[3]?.taken[0]);
    expect(heard(sockets[2])).toEqual([
      [0, '!'],
      [RSV1, WORDS],
      [RSV1, `${WORDS}?`],
    ]);
    expect(heard(sockets[3]).map(([rsv, words]) => [rsv, words.length])).toEqual([
      [0, 1],
      [0, 400],
      [0, 401],
    ]);
  });

  test('is not compressed when nobody wants it so', () => {
    const { time, outboxes, figure } = setUp();
    const frame = text(WORDS);
    outboxes[1]?.offer(frame);
    outboxes[3]?.offer(frame);
    time.endTurn();
    expect(frame.compressed).toBeNull();
    expect(figure('deflated_messages_total')).toBe(0);
  });
});

describe('formOf', () => {
  test.each([125, 126, 65_535, 65_536, 70_000])('compresses messages of %i bytes whole', (length) => {
    const { formOf } = setUp();
    const binary = encodeFrame(Buffer.alloc(length, 'ab'), true) as EncodedFrame;
    const [frame] = new FrameReader().read(formOf(binary).bytes);
    expect(frame).toMatchObject({ opcode: 2, rsv: RSV1, fin: true, masked: false });
    const inflated = inflateMessage([frame?.payload ?? Buffer.alloc(0)], length);
    expect(inflated.ok && inflated.value.equals(Buffer.alloc(length, 'ab'))).toBe(true);
  });

  test('leaves alone what is below the threshold, what would grow, and what is no message', () => {
    const { formOf, figure } = setUp({ thresholdBytes: 100 });
    const short = text('x'.repeat(99));
    expect(formOf(short)).toBe(short);
    expect(formOf(text('x'.repeat(100)))).toMatchObject({ messages: 1 });
    expect(figure('deflated_messages_total')).toBe(1);
    const noise = encodeFrame(
      Uint8Array.from({ length: 200 }, (_, index) => (index * 7_919) % 251),
      true,
    ) as EncodedFrame;
    expect(formOf(noise)).toBe(noise);
    expect(formOf(noise)).toBe(noise);
    expect(figure('deflated_messages_total')).toBe(2);
    for (const control of [encodeClose(1000, 'x'.repeat(110)), encodePing(Buffer.alloc(125))]) {
      expect(formOf(control)).toBe(control);
    }
    const empty = setUp({ thresholdBytes: 0 });
    const nothing = text('');
    expect(empty.formOf(nothing)).toBe(nothing);
  });

  test('compresses so many bytes in a turn and no more, and goes on in the next', () => {
    const { time, formOf, figure } = setUp({ turnBytesMax: 1_000 });
    const large = text('x'.repeat(1_001));
    expect(formOf(large)).toBe(large);
    const forms = [1, 2, 3].map(() => {
      const frame = text(WORDS);
      return formOf(frame) === frame;
    });
    expect(forms).toEqual([false, false, true]);
    expect(figure('deflate_skips_total')).toBe(2);
    time.endTurn();
    // What went out plain once is plain for everybody.
    expect(formOf(large)).toBe(large);
    const next = text(WORDS);
    expect(formOf(next)).not.toBe(next);
    expect(time.pending).toBe(0);
  });
});

describe('a slow client', () => {
  test('is judged by the bytes that wait for it', () => {
    const bounds: SlowClientBounds = { policy: 'drop_newest', queueBytesMax: 100, queueMessagesMax: 10 };
    const { time, sockets, outboxes, toAll } = setUp({}, bounds);
    for (const socket of sockets) socket.stalled = true;
    toAll(text('held'));
    time.endTurn();
    // The first that waits is taken whatever its size.
    toAll(text('!'));
    const [first] = outboxes;
    const before = first?.queuedBytes ?? 0;
    const frame = text(WORDS);
    expect(outboxes.map((outbox) => outbox.offer(frame))).toEqual(['queued', 'dropped', 'queued', 'dropped']);
    expect((first?.queuedBytes ?? 0) - before).toBe(frame.compressed?.byteLength);
    expect(frame.compressed?.byteLength).toBeLessThan(50);
  });
});
