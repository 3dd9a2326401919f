/** The rule of `record-reader.ts`, line by line, over records of several sectors in a segment of zeros. */
import { describe, expect, it } from 'vitest';
import { ByteWriter } from './byte-writer.ts';
import { beginRecord, endRecord } from './record-codec.ts';
import { readRecord } from './record-reader.ts';

const FILE = 7;
const SECTOR = 512;
const SEGMENT = 16 * SECTOR;

/** A record of `sectors` sectors full of letters at that sector. */
function recordAt(sector: number, sectors: number): Buffer {
  const writer = new ByteWriter();
  const start = beginRecord(writer);
  writer.raw(new Uint8Array(sectors * SECTOR - 28 - 1).fill(0x61));
  endRecord(writer, start, 'group', { fileNumber: FILE, offset: sector * SECTOR });
  return Buffer.from(writer.written());
}

/** A segment of zeros with a record of four sectors at 2, and perhaps one of two at 6. */
function segment(withSecond = false): Buffer {
  const bytes = Buffer.alloc(SEGMENT);
  bytes.set(recordAt(2, 4), 2 * SECTOR);
  if (withSecond) bytes.set(recordAt(6, 2), 6 * SECTOR);
  return bytes;
}

function typeAt(bytes: Buffer, sector = 2, fileNumber = FILE): string {
  return readRecord(bytes, sector * SECTOR, fileNumber).type;
}

function zeroed(bytes: Buffer, from: number, to: number): Buffer {
  return Buffer.from(bytes).fill(0, from * SECTOR, to * SECTOR);
}

describe('a record', () => {
  it('is read where it was written, and says where the next one begins', () => {
    const bytes = segment(true);
    expect(readRecord(bytes, 2 * SECTOR, FILE)).toMatchObject({
      type: 'record',
      kind: 'group',
      endAt: 6 * SECTOR,
    });
    expect(typeAt(bytes, 6)).toBe('record');
    expect(typeAt(bytes, 8)).toBe('end');
  });

  it('is none in another file or at another place', () => {
    expect(typeAt(segment(), 2, FILE + 1)).toBe('damaged');
    const moved = Buffer.alloc(SEGMENT);
    moved.set(recordAt(2, 4), 3 * SECTOR);
    expect(typeAt(moved, 3)).toBe('damaged');
  });

  it('is torn when the file ends before it does', () => {
    const bytes = segment();
    for (const end of [2 * SECTOR + 1, 2 * SECTOR + 27, 2 * SECTOR + 28, 3 * SECTOR, 6 * SECTOR - 1]) {
      expect(typeAt(bytes.subarray(0, end))).toBe('torn');
    }
    expect(typeAt(bytes.subarray(0, 2 * SECTOR))).toBe('end');
    expect(typeAt(bytes.subarray(0, 6 * SECTOR))).toBe('record');
  });

  it('is torn when any part of it did not arrive and nothing follows it', () => {
    for (const [from, to] of [
      [3, 4],
      [3, 6],
      [4, 5],
      [5, 6],
      [2, 3],
      [2, 5],
    ] as const) {
      expect(typeAt(zeroed(segment(), from, to)), `${from} to ${to}`).toBe('torn');
    }
    expect(typeAt(zeroed(segment(), 2, 6))).toBe('end');
    // A disk that stops within a sector leaves zeros from there on.
    expect(typeAt(Buffer.from(segment()).fill(0, 6 * SECTOR - 100, 6 * SECTOR))).toBe('torn');
  });

  it('is damaged when any part of it is gone and another one follows', () => {
    for (const [from, to] of [
      [3, 4],
      [3, 6],
      [4, 5],
      [5, 6],
      [2, 3],
      [2, 5],
      [2, 6],
    ] as const) {
      expect(typeAt(zeroed(segment(true), from, to)), `${from} to ${to}`).toBe('damaged');
    }
  });

  it('is damaged when it has its full length and another byte', () => {
    for (const at of [2 * SECTOR + 28, 4 * SECTOR, 6 * SECTOR - 1]) {
      const bytes = segment();
      bytes[at] = (bytes[at] as number) ^ 1;
      expect(typeAt(bytes)).toBe('damaged');
    }
    const followed = zeroed(segment(), 4, 5);
    followed[9 * SECTOR] = 1;
    expect(typeAt(followed)).toBe('damaged');
  });

  it('is damaged when its header is wrong and not zero', () => {
    for (let at = 0; at < 28; at++) {
      const bytes = segment();
      bytes[2 * SECTOR + at] = (bytes[2 * SECTOR + at] as number) ^ 0x10;
      expect(typeAt(bytes), `byte ${at}`).toBe('damaged');
    }
  });

  it('is of a newer release when a right header says so', () => {
    const writer = new ByteWriter();
    const start = beginRecord(writer);
    endRecord(writer, start, 'no such kind' as 'group', { fileNumber: FILE, offset: 2 * SECTOR });
    const bytes = Buffer.alloc(SEGMENT);
    bytes.set(writer.written(), 2 * SECTOR);
    expect(typeAt(bytes)).toBe('newer');
  });
});
