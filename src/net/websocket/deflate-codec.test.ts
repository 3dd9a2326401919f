/** Messages in the form of RFC 7692, against its examples, zlib's streams and hostile bytes. */
import { constants, deflateRawSync, inflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { deflateMessage, inflateMessage } from './deflate-codec.ts';

const SETTINGS = { level: 6, windowBits: 15, memoryLevel: 8 };
const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');
const inflate = (bytes: Uint8Array, bytesMax = 1_000) => {
  const outcome = inflateMessage([bytes], bytesMax);
  return outcome.ok ? outcome.value.toString('latin1') : outcome.error;
};
/** A complete deflate stream: its last block is final. */
const finished = (text: string): Buffer => deflateRawSync(Buffer.from(text));

describe('inflateMessage', () => {
  test.each([
    ['a message (7.2.3.1)', 'f2 48 cd c9 c9 07 00', 'Hello'],
    ['one that shares a window with nobody (7.2.3.2)', 'f2 48 cd c9 c9 07 00', 'Hello'],
    ['a block without compression (7.2.3.3)', '00 05 00 fa ff 48 65 6c 6c 6f 00', 'Hello'],
    ['a final block (7.2.3.4)', 'f3 48 cd c9 c9 07 00 00', 'Hello'],
    ['two blocks (7.2.3.5)', 'f2 48 05 00 00 00 ff ff ca c9 c9 07 00', 'Hello'],
    ['an empty message (7.2.3.6)', '00', ''],
    ['no byte at all', '', ''],
  ])('reads %s', (_, bytes, text) => {
    expect(inflate(hex(bytes))).toBe(text);
  });

  test('reads a message that comes in pieces', () => {
    const pieces = [hex('f2 48'), hex(''), hex('cd c9'), hex('c9 07 00')];
    expect(inflateMessage(pieces, 5)).toEqual({ ok: true, value: Buffer.from('Hello') });
  });

  test('reads on behind a final block, back references included, up to a bound', () => {
    const words = 'the same words, the same words again';
    const again = deflateRawSync(Buffer.from(words), { dictionary: Buffer.from(words) });
    expect(again.length).toBeLessThan(finished(words).length / 2);
    expect(inflate(Buffer.concat([finished(words), again, hex('00')]))).toBe(words + words);
    const blocks = (count: number) => Buffer.concat([...Array(count).fill(finished('x')), hex('00')]);
    expect(inflate(blocks(15))).toBe('x'.repeat(15));
    expect(inflate(blocks(17))).toBe('invalid');
    expect(inflate(blocks(15), 14)).toBe('too_large');
  });

  test.each([
    ['a block type that does not exist', 'ff ff ff'],
    ['a stored block whose lengths differ', '00 05 00 05 00 48'],
    ['a reference to before the beginning', '02 02 00'],
    ['a zlib stream', '78 9c f3 48 cd c9 c9 07 00 05 8c 01 f5'],
  ])('refuses %s', (_, bytes) => {
    expect(inflate(hex(bytes))).toBe('invalid');
  });

  test('stops at its bound, not at the end of a bomb', () => {
    const zeros = (count: number) =>
      deflateRawSync(Buffer.alloc(count), { finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, -4);
    expect(inflate(zeros(1_000), 1_000)).toHaveLength(1_000);
    expect(inflate(zeros(1_001), 1_000)).toBe('too_large');
    const bomb = zeros(64 * 1_024 * 1_024);
    const before = process.memoryUsage();
    expect(inflateMessage([bomb], 65_536)).toEqual({ ok: false, error: 'too_large' });
    const after = process.memoryUsage();
    expect(after.arrayBuffers - before.arrayBuffers).toBeLessThan(1_024 * 1_024);
  });

  test('keeps no more memory for a short message than a piece', () => {
    const outcome = inflateMessage([deflateMessage(Buffer.from('x'.repeat(20)), SETTINGS)], 1_000_000);
    expect(outcome.ok && outcome.value.buffer.byteLength).toBeLessThanOrEqual(8_192);
  });

  test('answers any bytes with a message within the bound or with a failure', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 400 }),
        fc.integer({ min: 1, max: 2_000 }),
        (bytes, bytesMax) => {
          const outcome = inflateMessage([bytes], bytesMax);
          if (outcome.ok) expect(outcome.value.length).toBeLessThanOrEqual(bytesMax);
          else expect(['too_large', 'invalid']).toContain(outcome.error);
        },
      ),
      { numRuns: 2_000 },
    );
  });
});

describe('deflateMessage', () => {
  test('is undone by inflateMessage and by zlib, whatever the settings', () => {
    const settings = fc.record({
      level: fc.integer({ min: 1, max: 9 }),
      windowBits: fc.integer({ min: 9, max: 15 }),
      memoryLevel: fc.integer({ min: 1, max: 9 }),
    });
    const words = fc.array(fc.constantFrom('{"id":', '17', ',"name":"', 'Ada', '"}', '\u00e9'), {
      maxLength: 2_000,
    });
    const payload = fc.oneof(
      words.map((list) => Buffer.from(list.join(''))),
      fc.uint8Array({ maxLength: 5_000 }).map((bytes) => Buffer.from(bytes)),
    );
    fc.assert(
      fc.property(payload, settings, (bytes, how) => {
        const compressed = deflateMessage(bytes, how);
        expect(inflateMessage([compressed], Math.max(1, bytes.length))).toEqual({ ok: true, value: bytes });
        const stream = Buffer.concat([compressed, hex('00 00 ff ff')]);
        const options = { windowBits: how.windowBits, finishFlush: constants.Z_SYNC_FLUSH };
        expect(inflateRawSync(stream, options)).toEqual(bytes);
      }),
      { numRuns: 200 },
    );
  });

  test('writes the same bytes for the same message, however often', () => {
    const payload = Buffer.from('over and over '.repeat(100));
    expect(deflateMessage(payload, SETTINGS)).toEqual(deflateMessage(payload, SETTINGS));
  });
});
