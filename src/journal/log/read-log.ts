/**
 * Reads a folder from its first byte to its last and says what the log is, or where it is damaged.
 *
 * Changes nothing, so that `verify`, `dump` and `backup` read as a start does. What follows a torn
 * end, such as a cut, is done by `open-log.ts`.
 */
import { join } from 'node:path';
import { failed, ok, type Result } from '../../base/index.ts';
import type { Entry, Snapshot } from '../../consensus/index.ts';
import { ByteReader, MalformedBytes } from './byte-reader.ts';
import { readIdentity } from './identity-file.ts';
import { type LogItem, readItems } from './item-codec.ts';
import type { LogDisk } from './log-disk.ts';
import { IDENTITY_NAME, listFolder, segmentName, snapshotName } from './log-folder.ts';
import { type LogProblem, LogTrouble, toProblem } from './log-problem.ts';
import type { LogState } from './log-state.ts';
import { readRecord } from './record-reader.ts';
import { LogReplay } from './replay.ts';
import { readSegmentHeader, type SegmentHeader } from './segment-header.ts';
import { readSnapshotFile } from './snapshot-file.ts';

/** A segment that was read. */
export interface ReadSegment {
  readonly number: number;
  /** Behind its last record. */
  readonly endBytes: number;
  /** The highest index of its entries; 0: it has none. */
  readonly maxIndex: number;
}

/** A log as its folder has it. */
export interface LogReading {
  readonly storage: string;
  /** False: the very first start was interrupted before it wrote the identity. */
  readonly hasIdentity: boolean;
  readonly state: LogState;
  /** Contiguous up to the last; they may begin before the snapshot. */
  readonly entries: readonly Entry[];
  readonly snapshot: Snapshot | null;
  /** Those that count, oldest first. */
  readonly segments: readonly ReadSegment[];
  /** Where an incomplete end begins; null: there is none. */
  readonly cut: { readonly file: string; readonly offset: number; readonly why: string } | null;
  readonly bytesSinceSnapshot: number;
  /** Files that do not count any more. */
  readonly leftovers: readonly string[];
}

/** What is met on the way, for those who want to show it. */
export type LogSight =
  | { readonly type: 'header'; readonly file: string; readonly header: SegmentHeader }
  | {
      readonly type: 'group';
      readonly file: string;
      readonly offset: number;
      readonly sizeBytes: number;
      readonly items: readonly LogItem[];
    };

/** What to read, and whom to show it to. */
export interface ReadLogOptions {
  readonly disk: LogDisk;
  readonly folder: string;
  readonly visit?: (sight: LogSight) => void;
}

/** Reads the log of a folder; null: there has never been one. */
export function readLog(options: ReadLogOptions): Result<LogReading | null, LogProblem> {
  try {
    return ok(new LogReader(options).read());
  } catch (error) {
    return failed(toProblem(error, options.folder));
  }
}

/** A segment in memory, with its header understood. */
interface LoadedSegment {
  readonly number: number;
  readonly path: string;
  readonly bytes: Buffer;
  readonly header: SegmentHeader;
  readonly headerEnd: number;
}

class LogReader {
  readonly #disk: LogDisk;
  readonly #folder: string;
  readonly #visit: (sight: LogSight) => void;
  readonly #replay = new LogReplay();
  readonly #segments: ReadSegment[] = [];
  #cut: LogReading['cut'] = null;

  constructor({ disk, folder, visit = () => {} }: ReadLogOptions) {
    this.#disk = disk;
    this.#folder = folder;
    this.#visit = visit;
  }

  read(): LogReading | null {
    const content = listFolder(this.#disk, this.#folder);
    const run = newestRun(content.segments);
    if (run.length === 0) return this.#expectNothing(content.hasIdentity || content.snapshots.length > 0);
    const storage = content.hasIdentity ? this.#readIdentity() : null;
    const first = this.#load(run[0] as number);
    this.#readSegments(run, first, storage ?? first.header.storage);
    if (storage === null) this.#expectUnused(first, content.snapshots.length > 0);
    const { state, entries, bytesSinceSnapshot } = this.#replay;
    const missing = this.#replay.missingEntries();
    if (missing !== null) throw damage(first.path, 0, `${missing}: an older segment is missing`);
    const leftovers = [
      ...content.unfinished,
      ...content.segments.filter((number) => !run.includes(number)).map(segmentName),
      ...content.snapshots.filter((number) => number !== state.snapshot?.number).map(snapshotName),
    ];
    return {
      storage: first.header.storage,
      hasIdentity: storage !== null,
      state,
      entries,
      snapshot: this.#readSnapshot(state),
      segments: this.#segments,
      cut: this.#cut,
      bytesSinceSnapshot,
      leftovers,
    };
  }

  #readSegments(run: readonly number[], first: LoadedSegment, storage: string): void {
    let segment: LoadedSegment | null = first;
    for (let place = 0; segment !== null; place++) {
      const number = run[place + 1];
      const next: LoadedSegment | null = number === undefined ? null : this.#load(number);
      this.#begin(segment, place === 0, storage);
      const { endBytes, maxIndex } = this.#readRecords(segment, next);
      this.#segments.push({ number: segment.number, endBytes, maxIndex });
      segment = next;
    }
  }

  #load(number: number): LoadedSegment {
    const path = join(this.#folder, segmentName(number));
    const read = this.#disk.read(path);
    const bytes = Buffer.from(read.buffer, read.byteOffset, read.byteLength);
    const found = readRecord(bytes, 0, number);
    if (found.type === 'newer') throw newer(path, 0, found.why);
    if (found.type === 'end') throw damage(path, 0, 'the segment has no header');
    if (found.type !== 'record') throw damage(path, 0, `the header of the segment ${found.why}`);
    if (found.kind !== 'segment') throw damage(path, 0, 'the first record is no header of a segment');
    const header = understand(path, 0, () => readSegmentHeader(found.content));
    return { number, path, bytes, header, headerEnd: found.endAt };
  }

  #begin({ path, header }: LoadedSegment, isFirst: boolean, storage: string): void {
    if (header.storage !== storage) throw damage(path, 0, 'the segment belongs to another log');
    const objection = this.#replay.begin(header.state, isFirst);
    if (objection !== null) throw damage(path, 0, objection);
    this.#visit({ type: 'header', file: path, header });
  }

  /** Up to where the next segment says that this one ends; the last one up to where it does. */
  #readRecords(segment: LoadedSegment, next: LoadedSegment | null) {
    const { path, bytes, number, headerEnd } = segment;
    const ending = next === null ? null : endingOf(segment, next);
    let maxIndex = 0;
    let at = headerEnd;
    while (at !== ending?.endBytes) {
      const found = readRecord(bytes, at, number);
      if (found.type === 'newer') throw newer(path, at, found.why);
      if (found.type === 'damaged') throw damage(path, at, `the record ${found.why}`);
      if (found.type !== 'record' && ending !== null) {
        throw damage(path, at, `records are missing from here on to byte ${ending.endBytes}`);
      }
      if (found.type === 'torn') this.#cut = { file: path, offset: at, why: `the record ${found.why}` };
      if (found.type !== 'record') break;
      if (found.kind !== 'group') throw damage(path, at, `a record "${found.kind}" does not belong here`);
      const items = understand(path, at, () => readItems(new ByteReader(found.content)));
      maxIndex = Math.max(maxIndex, this.#apply(path, at, items));
      this.#replay.countBytes(found.endAt - at);
      this.#visit({ type: 'group', file: path, offset: at, sizeBytes: found.endAt - at, items });
      at = found.endAt;
    }
    if (ending === null) this.#checkSize(segment, at);
    else if (!ending.cut && readRecord(bytes, at, number).type !== 'end') {
      throw damage(path, at, 'something follows the end of the segment');
    }
    return { endBytes: at, maxIndex };
  }

  #apply(path: string, at: number, items: readonly LogItem[]): number {
    let maxIndex = 0;
    for (const item of items) {
      const objection = this.#replay.apply(item);
      if (objection !== null) throw damage(path, at, objection);
      if (item.type === 'entries') maxIndex = Math.max(maxIndex, item.entries.at(-1)?.index ?? 0);
    }
    return maxIndex;
  }

  /** A segment had its full size before its first record; what is missing may have been records. */
  #checkSize({ path, bytes, header }: LoadedSegment, at: number): void {
    if (bytes.length >= header.sizeBytes || this.#cut !== null) return;
    const why = `the file has ${bytes.length} of its ${header.sizeBytes} bytes`;
    this.#cut = { file: path, offset: at, why };
  }

  #expectNothing(hasTraces: boolean): null {
    if (!hasTraces) return null;
    throw damage(this.#folder, 0, 'there is a log without segments');
  }

  /** The identity is written last, right after the first segment: a log in use always has one. */
  #expectUnused(first: LoadedSegment, hasSnapshots: boolean): void {
    const isUnused =
      first.number === 1 &&
      this.#segments.length === 1 &&
      this.#segments[0]?.endBytes === first.headerEnd &&
      this.#cut === null;
    if (isUnused && !hasSnapshots) return;
    throw damage(join(this.#folder, IDENTITY_NAME), 0, 'the file is missing, and the log is in use');
  }

  #readIdentity(): string {
    const path = join(this.#folder, IDENTITY_NAME);
    const storage = readIdentity(this.#disk.read(path));
    if (storage === null) throw damage(path, 0, 'this is not the line that was written');
    return storage;
  }

  #readSnapshot({ snapshot: place }: LogState): Snapshot | null {
    if (place === null) return null;
    const path = join(this.#folder, snapshotName(place.number));
    const read = readSnapshotFile(this.#readSnapshotBytes(path), place);
    if ('why' in read) throw damage(path, read.offset, read.why);
    return read.snapshot;
  }

  #readSnapshotBytes(path: string): Uint8Array {
    try {
      return this.#disk.read(path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      throw damage(path, 0, 'the snapshot that the log names is missing');
    }
  }
}

/** Numbers without a hole up to the highest: what is before a hole was let go. */
function newestRun(numbers: readonly number[]): readonly number[] {
  let first = numbers.length - 1;
  while (first > 0 && numbers[first - 1] === (numbers[first] as number) - 1) first--;
  return numbers.slice(Math.max(0, first));
}

function endingOf(segment: LoadedSegment, { path, header }: LoadedSegment) {
  const { previous } = header;
  if (previous?.number === segment.number && previous.endBytes >= segment.headerEnd) return previous;
  throw damage(path, 0, `the segment does not follow ${segmentName(segment.number)}`);
}

function understand<Value>(path: string, offset: number, read: () => Value): Value {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof MalformedBytes)) throw error;
    throw newer(path, offset, `the record makes no sense to this release: ${error.message}`);
  }
}

function damage(file: string, offset: number, why: string): LogTrouble {
  return new LogTrouble({ code: 'LOG_DAMAGED', file, offset, why });
}

function newer(file: string, offset: number, why: string): LogTrouble {
  return new LogTrouble({ code: 'LOG_VERSION', file, offset, why });
}
