/** The sink finds each message by its compressed bytes, and takes nothing else. */
import { constants, deflateRawSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { walkFrames } from './frame-walker.ts';
import { InflatingSink } from './inflating-sink.ts';

const compressed = (text: string): Buffer =>
  deflateRawSync(text, { finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, -4);
const frame = (first: number, payload: Buffer): Buffer =>
  Buffer.concat([Buffer.of(first, payload.length), payload]);

it('hands over messages inflated, each to its client, and refuses plain ones', () => {
  const seen: [number, string][] = [];
  const sink = new InflatingSink({
    message: (client, buffer, start, end) => seen.push([client, buffer.toString('latin1', start, end)]),
  });
  const frames = Buffer.concat(['one', 'two', 'one'].map((text) => frame(0xc1, compressed(text))));
  for (const client of [0, 1]) walkFrames(frames, 0, frames.length, sink, client, 0);
  const words = ['one', 'two', 'one'];
  expect(seen).toEqual([...words.map((text) => [0, text]), ...words.map((text) => [1, text])]);
  const plain = frame(0x81, Buffer.from('one'));
  expect(() => walkFrames(plain, 0, plain.length, sink, 0, 0)).toThrow(/not compressed/);
  const other = { message: () => {} };
  expect(() => walkFrames(frames, 0, frames.length, other, 0, 0)).toThrow(/compressed a message/);
});
