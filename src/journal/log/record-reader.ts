/**
 * Reads records one after the other, and decides what wrong bytes mean.
 *
 * A crash may leave the last record of the last segment incomplete: it was being written, so nobody
 * was told that it is there. Everything else that is wrong is damage: somebody may have been told.
 * A segment was filled with zeros before its use, and a disk writes a sector of 512 bytes whole or
 * not at all. So the bytes at a place where a record may begin, up to the end of the file, are
 *
 * - *the end*, when all of them are zero;
 * - *torn*, when the file ends before the record does;
 * - *torn*, when the header is right, the checksum of the content is wrong, nothing but zeros follows
 *   the record, and a sector of its own, or its last byte, is zero: that part never arrived;
 * - *torn*, when the first sector is zero and something follows, but no header: the rest of the only
 *   record that was being written arrived without its beginning;
 * - *damaged* in all other cases: a wrong header that is not zero, a record of full length with a
 *   wrong checksum, or anything incomplete with a record behind it.
 *
 * Pure over bytes. Whether a torn record may be cut is decided by whoever reads the folder: in a
 * segment that has a successor, in a snapshot and in a backup it is damage as well.
 */
import { crc32 } from 'node:zlib';
import { LIMITS } from '../../base/index.ts';
import {
  HEADER_BYTES,
  RECORD_VERSION,
  type RecordHeader,
  type RecordKind,
  readHeader,
  recordBytes,
  SECTOR_BYTES,
} from './record-codec.ts';

/** What stands at one place of a file. */
export type Found =
  | {
      readonly type: 'record';
      readonly kind: RecordKind;
      readonly content: Uint8Array;
      /** Where the next one begins. */
      readonly endAt: number;
    }
  | { readonly type: 'end' }
  /** `why` reads on from "the record ...". */
  | { readonly type: 'torn' | 'damaged' | 'newer'; readonly why: string };

/** What stands at `at`, a multiple of 512. */
export function readRecord(bytes: Buffer, at: number, fileNumber: number): Found {
  if (isZero(bytes, at, bytes.length)) return { type: 'end' };
  const header = readHeader(bytes, at, fileNumber);
  return header === null ? judgeHeader(bytes, at, fileNumber) : readContent(bytes, header);
}

function readContent(bytes: Buffer, header: RecordHeader): Found {
  const { offset, contentBytes, kind, version } = header;
  if (version !== RECORD_VERSION || kind === null || contentBytes > LIMITS.logRecordBytesMax) {
    return { type: 'newer', why: `has version ${version}, this release reads ${RECORD_VERSION}` };
  }
  const contentAt = offset + HEADER_BYTES;
  const endAt = offset + recordBytes(contentBytes);
  if (endAt > bytes.length) {
    return { type: 'torn', why: `says that it ends at byte ${endAt}, and the file ends at ${bytes.length}` };
  }
  if (crc32(bytes.subarray(contentAt, endAt)) === header.checksum) {
    return { type: 'record', kind, content: bytes.subarray(contentAt, contentAt + contentBytes), endAt };
  }
  if (isZero(bytes, endAt, bytes.length) && hasGap(bytes, offset, endAt)) {
    return { type: 'torn', why: 'is there in part only, and nothing follows it' };
  }
  return { type: 'damaged', why: 'has its full length and a wrong checksum' };
}

function judgeHeader(bytes: Buffer, at: number, fileNumber: number): Found {
  if (at + HEADER_BYTES > bytes.length) return { type: 'torn', why: 'has less than a header' };
  if (!isZero(bytes, at, Math.min(at + SECTOR_BYTES, bytes.length))) {
    return { type: 'damaged', why: 'has a wrong header' };
  }
  for (let next = at + SECTOR_BYTES; next < bytes.length; next += SECTOR_BYTES) {
    if (readHeader(bytes, next, fileNumber) === null) continue;
    return { type: 'damaged', why: `is missing, and another one follows at byte ${next}` };
  }
  return { type: 'torn', why: 'lacks its beginning, and no other one follows' };
}

/** Whether a part of the record that cannot have been zero, or hardly, never arrived. */
function hasGap(bytes: Buffer, from: number, to: number): boolean {
  if (bytes[to - 1] === 0) return true;
  for (let at = from; at < to; at += SECTOR_BYTES) {
    if (isZero(bytes, at, at + SECTOR_BYTES)) return true;
  }
  return false;
}

const ZEROS = Buffer.alloc(64 * 1_024);

/** Compared piece by piece with zeros: a loop over the bytes of a segment would take milliseconds. */
function isZero(bytes: Buffer, from: number, to: number): boolean {
  for (let at = from; at < to; at += ZEROS.length) {
    const end = Math.min(to, at + ZEROS.length);
    if (bytes.compare(ZEROS, 0, end - at, at, end) !== 0) return false;
  }
  return true;
}
