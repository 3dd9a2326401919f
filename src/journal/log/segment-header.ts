/**
 * The first record of each segment: what the log was when the segment began.
 *
 * It repeats everything that must outlive the segments before it, and says where the one before it
 * ends: bytes behind that place are what an unfinished write left there and never counted. So a log
 * is cut, or moves away from a sector that cannot be written, by beginning a new segment; no byte
 * that was written is ever written over.
 */
import { ByteReader, MalformedBytes } from './byte-reader.ts';
import type { ByteWriter } from './byte-writer.ts';
import { checkCount, checkPromise, checkSnapshotPlace, checkText, parseObject } from './item-codec.ts';
import type { LogState } from './log-state.ts';
import { beginRecord, endRecord } from './record-codec.ts';

/** What stands there. */
export interface SegmentHeader {
  /** Whose log this is. */
  readonly storage: string;
  /** Of the file; a shorter one has lost something. */
  readonly sizeBytes: number;
  /** Null in the first segment of all. */
  readonly previous: {
    readonly number: number;
    readonly endBytes: number;
    /** What stands behind `endBytes` is to be ignored; otherwise it has to be zero. */
    readonly cut: boolean;
  } | null;
  readonly state: LogState;
}

/** Appends the header's record to an empty writer. */
export function writeSegmentHeader(writer: ByteWriter, number: number, header: SegmentHeader): void {
  const start = beginRecord(writer);
  writer.text(JSON.stringify(header));
  endRecord(writer, start, 'segment', { fileNumber: number, offset: 0 });
}

/** Reads the content of the header's record; throws `MalformedBytes`. */
export function readSegmentHeader(content: Uint8Array): SegmentHeader {
  const { storage, sizeBytes, previous, state } = parseObject(new ByteReader(content).text());
  return {
    storage: checkText(storage, 'storage'),
    sizeBytes: checkCount(sizeBytes, 'sizeBytes'),
    previous: previous === null ? null : readPrevious(previous),
    state: readState(state),
  };
}

function readPrevious(value: unknown): SegmentHeader['previous'] {
  const { number, endBytes, cut } = (value ?? {}) as Record<string, unknown>;
  return {
    number: checkCount(number, 'number'),
    endBytes: checkCount(endBytes, 'endBytes'),
    cut: cut === true,
  };
}

function readState(value: unknown): LogState {
  if (typeof value !== 'object' || value === null) throw new MalformedBytes('a segment without a state');
  const { promise, incarnation, muted, snapshot, lastIndex } = value as Record<string, unknown>;
  return {
    promise: checkPromise(promise),
    incarnation: incarnation === null ? null : checkText(incarnation, 'incarnation'),
    muted: muted === true,
    snapshot: snapshot === null ? null : checkSnapshotPlace(snapshot),
    lastIndex: checkCount(lastIndex, 'lastIndex'),
  };
}
