/**
 * The maker's frame reader against frames cut at every byte.
 */
import { describe, expect, it } from 'vitest';
import { walkFrames } from './frame-walker.ts';

function frame(opcode: number, payload: Buffer): Buffer {
  const { length } = payload;
  const head =
    length < 126
      ? Buffer.from([0x80 | opcode, length])
      : length < 65_536
        ? Buffer.from([0x80 | opcode, 126, length >> 8, length & 255])
        : Buffer.from([0x80 | opcode, 127, 0, 0, 0, 0, 0, length >> 16, (length >> 8) & 255, length & 255]);
  return Buffer.concat([head, payload]);
}

function read(chunks: readonly Buffer[]): string[] {
  const seen: string[] = [];
  const sink = {
    message(client: number, buffer: Buffer, start: number, end: number): void {
      seen.push(`${client}:${buffer.toString('latin1', start, end)}`);
    },
  };
  let rest = Buffer.alloc(0);
  for (const chunk of chunks) {
    const buffer = Buffer.concat([rest, chunk]);
    rest = buffer.subarray(walkFrames(buffer, 0, buffer.length, sink, 7, 0));
  }
  expect(rest).toHaveLength(0);
  return seen;
}

describe('walkFrames', () => {
  const payloads = ['', 'a', 'b'.repeat(125), 'c'.repeat(126), 'd'.repeat(65_535), 'e'.repeat(65_536)];

  it('reads every length form, text and binary', () => {
    const stream = Buffer.concat(payloads.map((text, index) => frame(1 + (index % 2), Buffer.from(text))));
    expect(read([stream])).toEqual(payloads.map((text) => `7:${text}`));
  });
  it('reads frames cut anywhere', () => {
    const stream = Buffer.concat([
      frame(1, Buffer.from('one')),
      frame(1, Buffer.alloc(200, 'x')),
      frame(1, Buffer.from('two')),
    ]);
    for (let cut = 0; cut <= stream.length; cut += 1) {
      expect(read([stream.subarray(0, cut), stream.subarray(cut)])).toHaveLength(3);
    }
  });
  it('passes over pings', () => {
    expect(read([Buffer.concat([frame(9, Buffer.from('?')), frame(1, Buffer.from('x'))])])).toEqual(['7:x']);
  });
  it('takes a close frame or a masked frame for the end of the run', () => {
    expect(() => read([frame(8, Buffer.from([0x03, 0xf5, 0x73]))])).toThrow('1013 s');
    expect(() => read([Buffer.from([0x81, 0x80, 0, 0, 0, 0])])).toThrow('masked');
  });
});
