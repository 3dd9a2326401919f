import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import * as ws from 'ws';
import { encodeClientFrame, FrameReader } from '../../../test/support/index.ts';
import { type EncodedFrame, encodeClose, encodeFrame } from './frame.ts';
import { FrameReceiver, type FrameViolation } from './frame-receiver.ts';

/** The encoder of `ws`, as an oracle. */
const { Sender } = ws as unknown as {
  readonly Sender: { frame(payload: Buffer, options: object): Buffer[] };
};

/** What a receiver said, in order. */
type Event =
  | { readonly type: 'message'; readonly payload: string; readonly binary: boolean }
  | { readonly type: 'ping' | 'pong'; readonly payload: string }
  | { readonly type: 'close'; readonly code: number; readonly reason: string }
  | { readonly type: 'violation'; readonly violation: FrameViolation };

function record(messageBytesMax = 1_000_000): { readonly receiver: FrameReceiver; readonly events: Event[] } {
  const events: Event[] = [];
  const hex = (payload: Buffer): string => payload.toString('hex');
  const receiver = new FrameReceiver(
    {
      messageFrame: (payload, binary) => events.push({ type: 'message', payload: hex(payload), binary }),
      pingFrame: (payload) => events.push({ type: 'ping', payload: hex(payload) }),
      pongFrame: (payload) => events.push({ type: 'pong', payload: hex(payload) }),
      closeFrame: (code, reason) => events.push({ type: 'close', code, reason }),
      violation: (violation) => events.push({ type: 'violation', violation }),
    },
    messageBytesMax,
  );
  return { receiver, events };
}

/** Cuts bytes at arbitrary places; every byte arrives once and in order. */
function chop(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const places = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b);
  const pieces: Buffer[] = [];
  let from = 0;
  for (const place of [...places, bytes.length]) {
    if (place > from) pieces.push(bytes.subarray(from, place));
    from = Math.max(from, place);
  }
  return pieces;
}

const payloads = fc.oneof(
  fc.uint8Array({ maxLength: 300 }),
  // Both sides of the places where the length takes more bytes.
  fc.constantFrom(125, 126, 127, 65_535, 65_536, 70_000).map((length) => new Uint8Array(length).fill(65)),
);
const cuts = fc.array(fc.nat(200_000), { maxLength: 20 });

describe('frames of ours', () => {
  test('are byte for byte what the oracle writes', () => {
    fc.assert(
      fc.property(payloads, fc.boolean(), (payload, binary) => {
        const frame = encodeFrame(payload, binary) as EncodedFrame;
        const options = { fin: true, rsv1: false, mask: false, readOnly: true, opcode: binary ? 2 : 1 };
        const expected = Buffer.concat(Sender.frame(Buffer.from(payload), options));
        expect(frame.bytes.equals(expected)).toBe(true);
        expect(frame.byteLength).toBe(expected.length);
      }),
    );
  });

  test('a close frame fits and stays UTF-8 however long its reason is', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 200 }), (reason) => {
        const [frame] = new FrameReader().read(encodeClose(4000, reason).bytes);
        expect(frame?.payload.length).toBeLessThanOrEqual(125);
        expect(frame?.closeCode).toBe(4000);
        const sent = Buffer.from(reason).toString();
        expect(sent.startsWith(frame?.closeReason as string)).toBe(true);
        // At most one character short of what fits.
        const missing = Buffer.byteLength(sent) - Buffer.byteLength(frame?.closeReason as string);
        if (Buffer.byteLength(sent) <= 123) expect(missing).toBe(0);
        else expect(Buffer.byteLength(frame?.closeReason as string)).toBeGreaterThan(119);
      }),
    );
  });
});

describe('frames of clients', () => {
  const dataFrames = fc.record({
    kind: fc.constant('data' as const),
    binary: fc.boolean(),
    text: fc.string({ maxLength: 200 }),
    fragments: fc.integer({ min: 1, max: 4 }),
  });
  const controlFrames = fc.record({
    kind: fc.constantFrom('ping' as const, 'pong' as const),
    payload: fc.uint8Array({ maxLength: 125 }),
  });

  test('come out whole and in order, however the bytes were chopped', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(dataFrames, controlFrames), { maxLength: 8 }), cuts, (sent, places) => {
        const bytes: Buffer[] = [];
        const expected: Event[] = [];
        for (const item of sent) {
          if (item.kind !== 'data') {
            bytes.push(encodeClientFrame({ opcode: item.kind === 'ping' ? 9 : 10, payload: item.payload }));
            expected.push({ type: item.kind, payload: Buffer.from(item.payload).toString('hex') });
            continue;
          }
          const payload = Buffer.from(item.text);
          const size = Math.ceil(payload.length / item.fragments);
          for (let index = 0; index < item.fragments; index++) {
            bytes.push(
              encodeClientFrame({
                opcode: index > 0 ? 0 : item.binary ? 2 : 1,
                fin: index === item.fragments - 1,
                payload: payload.subarray(index * size, (index + 1) * size),
              }),
            );
          }
          expected.push({ type: 'message', payload: payload.toString('hex'), binary: item.binary });
        }
        const { receiver, events } = record();
        for (const piece of chop(Buffer.concat(bytes), places)) receiver.write(piece);
        expect(events).toEqual(expected);
      }),
    );
  });

  test('arbitrary bytes never throw, and say nothing after a violation or a close frame', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 200 }), cuts, async (bytes, places) => {
        const { receiver, events } = record(100);
        for (const piece of chop(Buffer.from(bytes), places)) {
          if (events.some(({ type }) => type === 'violation' || type === 'close')) break;
          receiver.write(piece);
          await new Promise((resolve) => process.nextTick(resolve));
        }
        const ends = events.filter(({ type }) => type === 'violation' || type === 'close');
        expect(ends.length).toBeLessThanOrEqual(1);
      }),
    );
  });
});
