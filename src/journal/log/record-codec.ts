/**
 * The bytes around a record of the log, of a snapshot and of a backup.
 *
 * A record is what one write brings to the disk before one sync. It begins at a sector of 512 bytes
 * and fills its last one, so no two records share what a disk writes as a whole. Integers are
 * little-endian:
 *
 *     0  u32  "AKL1"                      12  u32  sector of the file at which the record begins
 *     4  u8   version of the format       16  u32  length of the content
 *     5  u8   kind                        20  u32  CRC-32 of content and filler
 *     6  u16  0                           24  u32  CRC-32 of the 24 bytes before
 *     8  u32  number of the file          28  content, then at least one filler byte, to the sector's end
 *
 * The header has a checksum of its own because a damaged length must not pass for a record that was
 * cut short. It names its own place, so that bytes which a disk put elsewhere are no record. The
 * filler is not zero, so that a record whose end never arrived can be told: its last byte is zero.
 * Pure; `record-reader.ts` decides what wrong bytes mean.
 */
import { crc32 } from 'node:zlib';
import { assert, LIMITS } from '../../base/index.ts';
import type { ByteWriter } from './byte-writer.ts';

/** What a disk writes as a whole, or not at all. */
export const SECTOR_BYTES = 512;
/** Grows when an older release could no longer read what a newer one writes. */
export const RECORD_VERSION = 1;
/** Bytes before the content. */
export const HEADER_BYTES = 28;
/** Behind the content, to the end of the sector. */
const FILLER = 0xa5;

const MAGIC = 0x314c4b41;
const CONTENT_CRC_AT = 20;
const HEADER_CRC_AT = 24;

/** What a record holds. Their order is part of the format: new kinds come last. */
const KINDS = ['segment', 'group', 'snapshot', 'requests', 'state', 'backup', 'end'] as const;

/** What a record holds: `segment-header.ts`, `item-codec.ts`, `snapshot-codec.ts`, `backup-file.ts`. */
export type RecordKind = (typeof KINDS)[number];

/** Where a record stands. */
export interface RecordPlace {
  /** Of the segment or snapshot; 0 in a backup. */
  readonly fileNumber: number;
  /** From the beginning of the file, a multiple of 512. */
  readonly offset: number;
}

/** A header that was written by somebody. */
export interface RecordHeader extends RecordPlace {
  readonly version: number;
  /** Null: of a newer release. */
  readonly kind: RecordKind | null;
  readonly contentBytes: number;
  readonly checksum: number;
}

/** Leaves room for the header of a record at the end of `writer`; its content follows. */
export function beginRecord(writer: ByteWriter): number {
  const start = writer.length;
  assert(start % SECTOR_BYTES === 0, 'a record begins at a sector');
  writer.fillTo(start + HEADER_BYTES, 0);
  return start;
}

/** Ends the record that `beginRecord` began at `start`, as it will stand at `place`. */
export function endRecord(writer: ByteWriter, start: number, kind: RecordKind, place: RecordPlace): void {
  const contentBytes = writer.length - start - HEADER_BYTES;
  assert(contentBytes <= LIMITS.logRecordBytesMax, 'a record of the log fits its bound');
  assert(place.offset % SECTOR_BYTES === 0, 'a record stands at a sector');
  writer.fillTo(start + recordBytes(contentBytes), FILLER);
  const bytes = writer.written(start);
  bytes.writeUInt32LE(MAGIC, 0);
  bytes[4] = RECORD_VERSION;
  bytes[5] = KINDS.indexOf(kind) + 1;
  bytes.writeUInt32LE(place.fileNumber, 8);
  bytes.writeUInt32LE(place.offset / SECTOR_BYTES, 12);
  bytes.writeUInt32LE(contentBytes, 16);
  bytes.writeUInt32LE(crc32(bytes.subarray(HEADER_BYTES)), CONTENT_CRC_AT);
  bytes.writeUInt32LE(crc32(bytes.subarray(0, HEADER_CRC_AT)), HEADER_CRC_AT);
}

/** Size of a record with so many bytes of content, header and filler included. */
export function recordBytes(contentBytes: number): number {
  return Math.ceil((HEADER_BYTES + contentBytes + 1) / SECTOR_BYTES) * SECTOR_BYTES;
}

/** The header at `at`, or null when none was written there, whole, for that place. */
export function readHeader(bytes: Buffer, at: number, fileNumber: number): RecordHeader | null {
  if (at + HEADER_BYTES > bytes.length || bytes.readUInt32LE(at) !== MAGIC) return null;
  const checksum = crc32(bytes.subarray(at, at + HEADER_CRC_AT));
  if (checksum !== bytes.readUInt32LE(at + HEADER_CRC_AT)) return null;
  const isHere =
    bytes.readUInt32LE(at + 8) === fileNumber && bytes.readUInt32LE(at + 12) === at / SECTOR_BYTES;
  if (!isHere) return null;
  return {
    fileNumber,
    offset: at,
    version: bytes[at + 4] as number,
    kind: KINDS[(bytes[at + 5] as number) - 1] ?? null,
    contentBytes: bytes.readUInt32LE(at + 16),
    checksum: bytes.readUInt32LE(at + CONTENT_CRC_AT),
  };
}
