/** Frames through their bytes in pieces of any size, and bytes that are no frames. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LIMITS } from '../base/index.ts';
import type { Json } from './bus.ts';
import { encodeFrame, FrameDecoder, type FrameType, type LinkFrame } from './frame-codec.ts';

const frames: fc.Arbitrary<LinkFrame> = fc.record({
  type: fc.constantFrom<FrameType>('hello', 'ask', 'tell', 'answer', 'refused'),
  id: fc.nat(0xffff_ffff),
  kind: fc.string({ unit: 'grapheme', maxLength: 20 }),
  // JSON has no negative zero.
  facts: fc.jsonValue().map((value) => JSON.parse(JSON.stringify(value)) as Json),
  bytes: fc.uint8Array({ maxLength: 300 }),
});

function encode(frame: LinkFrame): Uint8Array {
  const bytes = encodeFrame(frame);
  if (bytes === null) throw new Error('the frame is too large');
  return bytes;
}

function decode(pieces: readonly Uint8Array[]): { frames: LinkFrame[]; fault: string | null } {
  const decoder = new FrameDecoder();
  const decoded = pieces.flatMap((piece) => decoder.push(piece));
  return { frames: decoded.map(plain), fault: decoder.fault };
}

/** A Buffer and a Uint8Array with the same bytes are equal for a reader, not for `toEqual`. */
function plain(frame: LinkFrame): LinkFrame {
  return { ...frame, bytes: Uint8Array.from(frame.bytes) };
}

function cut(bytes: Uint8Array, sizes: readonly number[]): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  let at = 0;
  for (let index = 0; at < bytes.length; index++) {
    const size = sizes[index % sizes.length] as number;
    pieces.push(bytes.slice(at, at + size));
    at += size;
  }
  return pieces;
}

describe('the frame codec', () => {
  it('gives back what was sent, however it is chopped', () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 10 });
    fc.assert(
      fc.property(fc.array(frames, { maxLength: 8 }), sizes, (sent, chops) => {
        const bytes = Buffer.concat(sent.map(encode));
        expect(decode(cut(bytes, chops))).toEqual({ frames: sent, fault: null });
      }),
    );
  });

  it('takes any bytes without throwing, and hears nothing after a fault', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 10 }), frames, (pieces, frame) => {
        const decoder = new FrameDecoder();
        for (const piece of pieces) decoder.push(piece);
        if (decoder.fault !== null) expect(decoder.push(encode(frame))).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });

  it('survives any change of one byte of a frame', () => {
    fc.assert(
      fc.property(frames, fc.nat(), fc.integer({ min: 1, max: 255 }), (frame, at, flip) => {
        const bytes = Buffer.from(encode(frame));
        bytes[at % bytes.length] = (bytes[at % bytes.length] as number) ^ flip;
        expect(decode([bytes]).frames.length).toBeLessThanOrEqual(1);
      }),
      { numRuns: 500 },
    );
  });

  it('keeps what came before the fault', () => {
    const frame: LinkFrame = { type: 'tell', id: 0, kind: 'k', facts: 1, bytes: new Uint8Array(3) };
    const { frames: heard, fault } = decode([Buffer.concat([encode(frame), Buffer.alloc(20, 0xff)])]);
    expect(heard).toEqual([frame]);
    expect(fault).toBe('the frame is too long');
  });

  it.each([
    ['the frame is too short', (bytes: Buffer) => bytes.writeUInt32LE(3, 0)],
    ['the frame has no known type', (bytes: Buffer) => bytes.writeUInt8(9, 4)],
    ['the kind is longer than its frame', (bytes: Buffer) => bytes.writeUInt16LE(999, 9)],
    ['the facts are longer than their frame', (bytes: Buffer) => bytes.writeUInt32LE(999, 12)],
    ['the facts are not JSON', (bytes: Buffer) => bytes.writeUInt32LE(3, 12)],
  ])('says that %s', (fault, spoil) => {
    const bytes = Buffer.from(
      encode({ type: 'ask', id: 7, kind: 'k', facts: [1, 2], bytes: new Uint8Array(9) }),
    );
    spoil(bytes);
    expect(decode([bytes])).toEqual({ frames: [], fault });
  });

  it('makes no frame that the other end would refuse', () => {
    const bytes = new Uint8Array(LIMITS.linkFrameBytesMax);
    expect(encodeFrame({ type: 'tell', id: 0, kind: '', facts: null, bytes })).toBeNull();
    const kind = 'k'.repeat(70_000);
    expect(encodeFrame({ type: 'tell', id: 0, kind, facts: null, bytes: new Uint8Array(0) })).toBeNull();
  });
});
