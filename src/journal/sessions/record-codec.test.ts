/** Records through their bytes and back, and every way in which a file can end too early or lie. */
import { describe, expect, it } from 'vitest';
import type { ConnectionId, SessionKey } from '../../base/index.ts';
import { encodeRecords, JOURNAL_VERSION, type JournalRecord, RecordDecoder } from './record-codec.ts';

const connection = 'c1' as ConnectionId;
const RECORDS: JournalRecord[] = [
  { type: 'header', version: JOURNAL_VERSION, bootId: 'b', slot: 2, run: 7 },
  { type: 'opened', connection, key: 'ключ "quoted" \u0000 🗝' as SessionKey, openedAtMs: 1_700_000_000_000 },
  { type: 'closing', connection, reason: 'client', code: 1000 },
  { type: 'closed', connection },
];

/** Offsets at which a record ends, the empty file included. */
function recordEnds(): number[] {
  return RECORDS.map((_, index) => encodeRecords(RECORDS.slice(0, index + 1)).length);
}

function decode(bytes: Uint8Array, chunkBytes = bytes.length) {
  const decoder = new RecordDecoder();
  const records: JournalRecord[] = [];
  for (let at = 0; at < bytes.length; at += chunkBytes) {
    records.push(...decoder.push(bytes.subarray(at, at + chunkBytes)));
  }
  return { records, ending: decoder.ending() };
}

describe('the record codec', () => {
  it('gives back what was written, in pieces of any size', () => {
    const bytes = encodeRecords(RECORDS);
    for (let chunkBytes = 1; chunkBytes <= bytes.length; chunkBytes++) {
      expect(decode(bytes, chunkBytes)).toEqual({ records: RECORDS, ending: 'whole' });
    }
  });

  it('calls nothing at all a whole file', () => {
    expect(decode(new Uint8Array(0), 1)).toEqual({ records: [], ending: 'whole' });
  });

  it('reads every whole record of a file torn at any byte', () => {
    const bytes = encodeRecords(RECORDS);
    const ends = recordEnds();
    for (let length = 0; length < bytes.length; length++) {
      const whole = ends.filter((end) => end <= length).length;
      const ending = length === 0 || ends.includes(length) ? 'whole' : 'torn';
      expect(decode(bytes.subarray(0, length), 5)).toEqual({ records: RECORDS.slice(0, whole), ending });
    }
  });

  it('reads exactly the records before a flipped byte and calls the file damaged', () => {
    const bytes = encodeRecords(RECORDS);
    const ends = recordEnds();
    for (let at = 0; at < bytes.length; at++) {
      for (const flip of [0x01, 0x80, 0xff]) {
        const flipped = Uint8Array.from(bytes);
        flipped[at] = (flipped[at] as number) ^ flip;
        const before = ends.filter((end) => end <= at).length;
        expect(decode(flipped, 11)).toEqual({ records: RECORDS.slice(0, before), ending: 'damaged' });
      }
    }
  });

  it('does not take zeros for records', () => {
    expect(decode(new Uint8Array(64)).ending).toBe('damaged');
  });

  it.each([
    ['a kind that it does not know', { type: 'moved', connection: 'c' }],
    ['a version that it does not know', { ...RECORDS[0], version: JOURNAL_VERSION + 1 }],
    ['a field of another type', { type: 'closed', connection: 7 }],
    ['no object', 'closed'],
    ['null', null],
  ])('calls a well-summed record with %s damaged', (_, record) => {
    expect(decode(encodeRecords([record as JournalRecord]))).toEqual({ records: [], ending: 'damaged' });
  });

  it('refuses to write a record that it would not read', () => {
    const key = 'k'.repeat(2 * 1_024 * 1_024) as SessionKey;
    expect(() => encodeRecords([{ type: 'opened', connection, key, openedAtMs: 0 }])).toThrow(/bound/);
  });
});
