/**
 * The segments of a log: the one that is written to, the ones before it, the spare one.
 *
 * Knows files and bytes, not facts. One append at a time, each its own record and sync; when a
 * record does not fit, or what stands behind the last good one is in doubt, the next segment begins
 * with it: written and synced under another name, then renamed, then its name made durable.
 * Driven by `LogJournal`.
 */
import { join } from 'node:path';
import type { Logger } from '../../base/index.ts';
import { ByteWriter } from './byte-writer.ts';
import type { LogDisk, LogFile } from './log-disk.ts';
import { segmentName } from './log-folder.ts';
import type { LogState } from './log-state.ts';
import type { OpenedLog } from './open-log.ts';
import type { ReadSegment } from './read-log.ts';
import { endRecord, HEADER_BYTES, recordBytes, SECTOR_BYTES } from './record-codec.ts';
import { writeSegmentHeader } from './segment-header.ts';
import { type PreparedFile, SpareSegment } from './spare-segment.ts';

/** A group, ready but for its header. */
export interface Group {
  /** Holds room for the header and then the content. */
  readonly writer: ByteWriter;
  /** What the log is before it. */
  readonly state: LogState;
  /** The highest index of its entries; 0: it has none. */
  readonly maxIndex: number;
}

type Done = (error: Error | null) => void;

/** The segment that is written to. */
interface ActiveSegment {
  readonly number: number;
  readonly file: LogFile;
  /** Behind the last record that is durable. */
  endBytes: number;
  maxIndex: number;
  /** Something else may stand behind `endBytes`: nothing more is written here. */
  suspect: boolean;
}

/** What the chain is made of. */
export interface SegmentChainOptions {
  readonly disk: LogDisk;
  readonly folder: string;
  readonly logger: Logger;
  readonly segmentBytes: number;
  readonly opened: OpenedLog;
}

/** Appends records, and lets old segments go. */
export class SegmentChain {
  readonly #disk: LogDisk;
  readonly #folder: string;
  readonly #logger: Logger;
  readonly #segmentBytes: number;
  readonly #storage: string;
  readonly #spare: SpareSegment;
  readonly #headerWriter = new ByteWriter();
  #sealed: ReadSegment[];
  #active: ActiveSegment;
  #namesUnsynced = false;
  /** Called when the spare that is being prepared is ready, or has failed. */
  #spareAwaited: (() => void) | null = null;
  /** The segment in which a spare was last prepared: a full disk is not asked again and again. */
  #spareTriedIn = 0;

  constructor({ disk, folder, logger, segmentBytes, opened }: SegmentChainOptions) {
    const { reading, file } = opened;
    const last = reading.segments.at(-1) as ReadSegment;
    this.#disk = disk;
    this.#folder = folder;
    this.#logger = logger;
    this.#segmentBytes = segmentBytes;
    this.#storage = reading.storage;
    this.#spare = new SpareSegment({ disk, folder });
    this.#sealed = reading.segments.slice(0, -1);
    this.#active = { ...last, file, suspect: false };
  }

  /** Makes a group durable. The next one may be given when `done` was called, even from within it. */
  append(group: Group, done: Done): void {
    try {
      if (this.#namesUnsynced) this.#disk.syncFolder(this.#folder);
      this.#namesUnsynced = false;
    } catch (error) {
      return done(asError(error));
    }
    const sizeBytes = recordBytes(group.writer.length - HEADER_BYTES);
    const { suspect, endBytes, file } = this.#active;
    if (suspect || endBytes + sizeBytes > file.size) this.#moveOn(group, sizeBytes, done);
    else this.#write(group, sizeBytes, done);
  }

  /** Prepares the next segment once this one is half full, so that nobody has to wait for it. */
  prepareSpare(): void {
    const { number, endBytes, file } = this.#active;
    const isEarly = endBytes * 2 < file.size || this.#spareTriedIn === number;
    if (isEarly || this.#spare.preparing || this.#spare.has(this.#segmentBytes)) return;
    this.#spareTriedIn = number;
    this.#spare.prepare(this.#segmentBytes, (error) => {
      if (error !== null) this.#logger.warn({ cause: error.message }, 'no spare segment can be prepared');
      this.#wake();
    });
  }

  /** Removes the oldest segments, as long as they hold nothing above that index. */
  letGo(maxIndex: number): void {
    try {
      let oldest = this.#sealed[0];
      while (oldest !== undefined && oldest.maxIndex <= maxIndex) {
        this.#disk.remove(join(this.#folder, segmentName(oldest.number)));
        this.#sealed.shift();
        oldest = this.#sealed[0];
      }
    } catch (error) {
      this.#logger.warn({ cause: String(error) }, 'an old segment cannot be removed; it is tried again');
    }
  }

  /** Calls back later, as a failure is to be told: never from within the call that failed. */
  later(run: () => void): void {
    this.#active.file.sync(() => run());
  }

  /** Gives the files back. Not while an append is under way. */
  close(done: () => void): void {
    if (this.#spare.preparing) {
      this.#spareAwaited = () => this.close(done);
      return;
    }
    this.#spare.discard();
    this.#active.file.close();
    done();
  }

  #write(group: Group, sizeBytes: number, done: Done): void {
    const active = this.#active;
    try {
      endRecord(group.writer, 0, 'group', { fileNumber: active.number, offset: active.endBytes });
      active.file.write(active.endBytes, group.writer.written());
    } catch (error) {
      active.suspect = true;
      return done(asError(error));
    }
    active.file.sync((error) => {
      if (error === null) {
        active.endBytes += sizeBytes;
        active.maxIndex = Math.max(active.maxIndex, group.maxIndex);
      } else active.suspect = true;
      done(error);
    });
  }

  /** Begins the next segment with this group. */
  #moveOn(group: Group, sizeBytes: number, done: Done): void {
    // The size in the header is not known yet, and may have more digits.
    const headerBytes = this.#makeHeader(group.state, 0) + SECTOR_BYTES;
    const wanted = Math.max(this.#segmentBytes, headerBytes + sizeBytes);
    this.#whenSpare(wanted, (error) => {
      const prepared = error === null ? this.#spare.take() : null;
      if (prepared === null) return done(error ?? new Error('no segment was prepared'));
      this.#begin(prepared, group, sizeBytes, done);
    });
  }

  #begin(prepared: PreparedFile, group: Group, sizeBytes: number, done: Done): void {
    const { file } = prepared;
    const headerBytes = this.#makeHeader(group.state, prepared.sizeBytes);
    const place = { fileNumber: this.#active.number + 1, offset: headerBytes };
    try {
      endRecord(group.writer, 0, 'group', place);
      file.write(0, this.#headerWriter.written());
      file.write(headerBytes, group.writer.written());
    } catch (error) {
      this.#drop(file);
      return done(asError(error));
    }
    file.sync((error) => {
      const failure = error ?? this.#adopt(file, headerBytes);
      if (failure !== null) {
        if (this.#active.file !== file) this.#drop(file);
        return done(failure);
      }
      this.#active.endBytes += sizeBytes;
      this.#active.maxIndex = group.maxIndex;
      this.#active.suspect = false;
      done(null);
    });
  }

  /** Gives the new segment its name and makes it the active one, as yet without its group. */
  #adopt(file: LogFile, headerBytes: number): Error | null {
    const { number, endBytes, maxIndex } = this.#active;
    try {
      this.#disk.rename(this.#spare.path, join(this.#folder, segmentName(number + 1)));
      this.#active.file.close();
      this.#sealed.push({ number, endBytes, maxIndex });
      this.#active = { number: number + 1, file, endBytes: headerBytes, maxIndex: 0, suspect: true };
      this.#namesUnsynced = true;
      this.#disk.syncFolder(this.#folder);
      this.#namesUnsynced = false;
      return null;
    } catch (error) {
      return asError(error);
    }
  }

  #makeHeader(state: LogState, sizeBytes: number): number {
    const { number, endBytes, suspect } = this.#active;
    const previous = { number, endBytes, cut: suspect };
    this.#headerWriter.clear();
    writeSegmentHeader(this.#headerWriter, number + 1, {
      storage: this.#storage,
      sizeBytes,
      previous,
      state,
    });
    return this.#headerWriter.length;
  }

  #whenSpare(sizeBytes: number, done: Done): void {
    if (this.#spare.preparing) this.#spareAwaited = () => this.#whenSpare(sizeBytes, done);
    else if (this.#spare.has(sizeBytes)) done(null);
    else this.#spare.prepare(sizeBytes, done);
  }

  #wake(): void {
    const awaited = this.#spareAwaited;
    this.#spareAwaited = null;
    awaited?.();
  }

  #drop(file: LogFile): void {
    try {
      file.close();
      this.#disk.remove(this.#spare.path);
    } catch {
      // Nobody reads the name; the next spare or the next start removes it.
    }
  }
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
