/**
 * The bytes of a session journal: a header of 12 bytes and JSON for each record.
 *
 * u32 length of the payload, u32 CRC-32 of the payload, u32 CRC-32 of those eight bytes, then the
 * payload in UTF-8; integers are little-endian. The header has a checksum of its own because a
 * damaged length must not pass for a record that was cut short, which is an honest end.
 * Pure over bytes: `JournalWriter` and `adoptJournals` bring the files.
 */
import { crc32 } from 'node:zlib';
import { assert, type ConnectionId, LIMITS, type SessionKey } from '../../base/index.ts';

/** Grows when an older release could no longer read what a newer one writes. */
export const JOURNAL_VERSION = 1;

/** One fact in a journal. The first one is the header, and only the first one. */
export type JournalRecord =
  | {
      readonly type: 'header';
      readonly version: number;
      readonly bootId: string;
      readonly slot: number;
      readonly run: number;
    }
  | { readonly type: 'asked'; readonly connection: ConnectionId }
  | {
      readonly type: 'opened';
      readonly connection: ConnectionId;
      readonly key: SessionKey;
      readonly openedAtMs: number;
    }
  | {
      readonly type: 'closing';
      readonly connection: ConnectionId;
      readonly reason: string;
      readonly code: number;
    }
  | { readonly type: 'closed'; readonly connection: ConnectionId };

/** How a file ends: at a record's end, within a record that was cut short, or before bytes that are wrong. */
export type JournalEnding = 'whole' | 'torn' | 'damaged';

const HEADER_BYTES = 12;
const PAYLOAD_CRC_AT = 4;
const HEADER_CRC_AT = 8;

/** The bytes of `records`, one behind the other, ready for a single write. */
export function encodeRecords(records: readonly JournalRecord[]): Uint8Array {
  const payloads: string[] = [];
  let total = 0;
  for (const record of records) {
    const payload = JSON.stringify(record);
    payloads.push(payload);
    total += HEADER_BYTES + Buffer.byteLength(payload);
  }
  const bytes = Buffer.allocUnsafe(total);
  let at = 0;
  for (const payload of payloads) {
    const length = bytes.write(payload, at + HEADER_BYTES, 'utf8');
    assert(length <= LIMITS.journalRecordBytesMax, 'a journal record fits its bound');
    const end = at + HEADER_BYTES + length;
    bytes.writeUInt32LE(length, at);
    bytes.writeUInt32LE(crc32(bytes.subarray(at + HEADER_BYTES, end)), at + PAYLOAD_CRC_AT);
    bytes.writeUInt32LE(crc32(bytes.subarray(at, at + HEADER_CRC_AT)), at + HEADER_CRC_AT);
    at = end;
  }
  return bytes;
}

/** Takes a journal's bytes in pieces of any size and gives back its records. */
export class RecordDecoder {
  #rest: Buffer = Buffer.alloc(0);
  #damaged = false;

  /** The records that `bytes` complete. Behind the first wrong byte nothing is read any more. */
  push(bytes: Uint8Array): JournalRecord[] {
    const records: JournalRecord[] = [];
    if (this.#damaged) return records;
    const all = this.#rest.length === 0 ? Buffer.from(bytes) : Buffer.concat([this.#rest, bytes]);
    let at = 0;
    while (all.length - at >= HEADER_BYTES) {
      const length = readHeader(all, at);
      if (length === null) return this.#stop(records);
      const payloadAt = at + HEADER_BYTES;
      if (all.length - payloadAt < length) break;
      const payload = all.subarray(payloadAt, payloadAt + length);
      if (crc32(payload) !== all.readUInt32LE(at + PAYLOAD_CRC_AT)) return this.#stop(records);
      const record = parseRecord(payload.toString('utf8'));
      if (record === null) return this.#stop(records);
      records.push(record);
      at = payloadAt + length;
    }
    this.#rest = all.subarray(at);
    return records;
  }

  /** How the bytes pushed so far end. */
  ending(): JournalEnding {
    if (this.#damaged) return 'damaged';
    return this.#rest.length === 0 ? 'whole' : 'torn';
  }

  #stop(records: JournalRecord[]): JournalRecord[] {
    this.#damaged = true;
    this.#rest = Buffer.alloc(0);
    return records;
  }
}

/** Length of the payload, or null when the header is not one that was ever written. */
function readHeader(bytes: Buffer, at: number): number | null {
  const checksum = crc32(bytes.subarray(at, at + HEADER_CRC_AT));
  if (checksum !== bytes.readUInt32LE(at + HEADER_CRC_AT)) return null;
  const length = bytes.readUInt32LE(at);
  return length <= LIMITS.journalRecordBytesMax ? length : null;
}

/** A checksum says that the bytes are as written, not that this release knows their meaning. */
function parseRecord(payload: string): JournalRecord | null {
  let value: unknown;
  try {
    value = JSON.parse(payload);
  } catch {
    return null;
  }
  if (typeof value !== 'object' || value === null) return null;
  const fields = value as Record<string, unknown>;
  if (fields.type === 'header') {
    if (fields.version !== JOURNAL_VERSION) return null;
    return hasTypes(fields, { bootId: 'string', slot: 'number', run: 'number' });
  }
  if (fields.type === 'opened') {
    return hasTypes(fields, { connection: 'string', key: 'string', openedAtMs: 'number' });
  }
  if (fields.type === 'closing') {
    return hasTypes(fields, { connection: 'string', reason: 'string', code: 'number' });
  }
  const isBare = fields.type === 'asked' || fields.type === 'closed';
  return isBare ? hasTypes(fields, { connection: 'string' }) : null;
}

function hasTypes(
  fields: Record<string, unknown>,
  types: Record<string, 'string' | 'number'>,
): JournalRecord | null {
  for (const [name, type] of Object.entries(types)) {
    if (typeof fields[name] !== type) return null;
  }
  return fields as unknown as JournalRecord;
}
