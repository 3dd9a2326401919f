/**
 * The log of one node on disk: what it is told is durable before it says so.
 *
 * Group commit: what comes while the disk is busy is written as one record and synced once. Nothing
 * that was written is written over; a file whose write or sync failed is left where it was last good,
 * and the log goes on in a new segment as soon as the disk has room for one. Driven by `store/`; what
 * the bytes mean is `read-log.ts`'s.
 */
import { join } from 'node:path';
import {
  ArrokothError,
  assert,
  failed,
  LIMITS,
  type Logger,
  ok,
  type Random,
  type Result,
} from '../../base/index.ts';
import type { Persist, Restored, Snapshot } from '../../consensus/index.ts';
import { ByteWriter } from './byte-writer.ts';
import { type LogItem, writeItem } from './item-codec.ts';
import type { LogDisk } from './log-disk.ts';
import { snapshotName } from './log-folder.ts';
import { toError, toProblem } from './log-problem.ts';
import { type LogState, nextState, objectionTo } from './log-state.ts';
import { type OpenedLog, openLog } from './open-log.ts';
import { HEADER_BYTES, recordBytes } from './record-codec.ts';
import { SegmentChain } from './segment-chain.ts';
import { writeSnapshotFile } from './snapshot-file.ts';

/** Called once, in the order of the calls; null when everything given is durable. */
type Done = (error: Error | null) => void;

/** Sizes; the defaults are in `LIMITS`. */
export interface LogJournalLimits {
  readonly segmentBytes: number;
  /** A group is closed when it has reached this. */
  readonly groupBytes: number;
  /** Entries before a snapshot that stay, so that a slow follower needs no snapshot. */
  readonly entriesKept: number;
}

/** What a journal is opened with. */
export interface LogJournalOptions {
  readonly disk: LogDisk;
  readonly folder: string;
  readonly random: Random;
  readonly logger: Logger;
  readonly limits?: Partial<LogJournalLimits>;
}

/** An open journal, and what it had kept. */
export interface OpenedJournal {
  readonly journal: LogJournal;
  readonly restored: Restored;
  /** Id of the folder. */
  readonly storage: string;
}

/** Something that waits for its turn on the disk. */
interface Waiting {
  readonly items: LogItem[];
  /** A snapshot that was received: its file comes first, and its item takes the place of this. */
  snapshot: Snapshot | null;
  readonly done: Done;
}

const DEFAULTS: LogJournalLimits = {
  segmentBytes: LIMITS.logSegmentBytes,
  groupBytes: LIMITS.logGroupBytes,
  entriesKept: LIMITS.logEntriesKept,
};

/** Keeps the promise of `LogStore` (`store/`). */
export class LogJournal {
  readonly #disk: LogDisk;
  readonly #folder: string;
  readonly #logger: Logger;
  readonly #groupBytes: number;
  readonly #entriesKept: number;
  readonly #chain: SegmentChain;
  readonly #writer = new ByteWriter();
  readonly #lock: { release(): void } | null;
  /** What is durable, and what it will be once all that waits is. */
  #state: LogState;
  #expected: LogState;
  #waiting: Waiting[] = [];
  /** Snapshots of groups that failed. */
  #doubtful: number[] = [];
  #busy = false;
  #saving = false;
  #snapshotNumber: number;
  #bytesSinceSnapshot: number;
  #closed: (() => void) | null = null;

  /** Reads a folder and takes it for this process alone. Synchronous; the failure is for the operator. */
  static open(options: LogJournalOptions): Result<OpenedJournal, ArrokothError> {
    const { disk, folder, logger } = options;
    const limits = { ...DEFAULTS, ...options.limits };
    let lock: { release(): void } | null = null;
    try {
      if (disk.lock !== undefined) {
        disk.makeFolder(folder);
        lock = disk.lock(folder);
      }
    } catch (error) {
      return failed(asLockError(error, folder));
    }
    const opened = openLog({ ...options, segmentBytes: limits.segmentBytes });
    if (!opened.ok) {
      lock?.release();
      return failed(toError(opened.error));
    }
    const { reading } = opened.value;
    const journal = new LogJournal({ disk, folder, logger, limits, lock, opened: opened.value });
    const { promise, incarnation, muted, snapshot } = reading.state;
    const covered = snapshot?.index ?? 0;
    const earlier = reading.entries.filter((entry) => entry.index <= covered);
    const restored: Restored = {
      promise,
      snapshot: reading.snapshot,
      entries: reading.entries.filter((entry) => entry.index > covered),
      ...(earlier.length > 0 && { earlier }),
      incarnation,
      muted,
    };
    return ok({ journal, restored, storage: reading.storage });
  }

  /** Only `open` makes one. */
  private constructor(options: {
    readonly disk: LogDisk;
    readonly folder: string;
    readonly logger: Logger;
    readonly limits: LogJournalLimits;
    readonly lock: { release(): void } | null;
    readonly opened: OpenedLog;
  }) {
    const { disk, folder, logger, limits, opened } = options;
    this.#disk = disk;
    this.#folder = folder;
    this.#logger = logger;
    this.#groupBytes = limits.groupBytes;
    this.#entriesKept = limits.entriesKept;
    this.#lock = options.lock;
    this.#state = opened.reading.state;
    this.#expected = this.#state;
    this.#bytesSinceSnapshot = opened.reading.bytesSinceSnapshot;
    this.#snapshotNumber = (this.#state.snapshot?.number ?? 0) + 1;
    this.#chain = new SegmentChain({ disk, folder, logger, segmentBytes: limits.segmentBytes, opened });
  }

  /** What a restart would have to read again. */
  get bytesSinceSnapshot(): number {
    return this.#bytesSinceSnapshot;
  }

  /**
   * Writes what a turn of the replica wants kept. After an error it is as if neither this batch nor
   * any that waited with it had been given; a later one is tried anew.
   */
  persist(batch: Persist, done: Done): void {
    const items = itemsOf(batch);
    // The place is known when the file is written; until then only its index counts.
    const { snapshot } = batch;
    const foreseen = snapshot === null ? items : [foreseenItem(snapshot), ...items];
    const objection = this.#foresee(foreseen);
    if (objection !== null) return done(new Error(`the log cannot be continued: ${objection}`));
    this.#wait({ items, snapshot, done });
  }

  /**
   * Keeps a snapshot of the applied state and lets go of what it stands for. One at a time: another
   * one meanwhile is refused.
   */
  saveSnapshot(snapshot: Snapshot, done: Done): void {
    const busy = this.#closed !== null ? 'the journal is closed' : this.#saving ? 'one is being saved' : null;
    if (busy !== null) return done(new Error(`the snapshot is not saved: ${busy}`));
    this.#saving = true;
    const target = { disk: this.#disk, folder: this.#folder, number: this.#snapshotNumber++ };
    writeSnapshotFile(target, snapshot, (error, place) => {
      const finish: Done = (failure) => {
        this.#saving = false;
        done(failure);
        this.#pump();
      };
      if (place === null) return finish(error);
      const item: LogItem = { type: 'snapshot', place, installed: false };
      // A newer one was received meanwhile: this one would lead back.
      const isLate = place.index < (this.#expected.snapshot?.index ?? 0);
      const objection = isLate ? null : this.#foresee([item]);
      if (isLate || objection !== null) {
        this.#removeSnapshots([target.number]);
        return finish(objection === null ? null : new Error(`the snapshot is not saved: ${objection}`));
      }
      this.#wait({ items: [item], snapshot: null, done: finish });
    });
  }

  /** Takes nothing more, lets what was given come to its end, and gives the files and the folder back. */
  close(done: () => void): void {
    assert(this.#closed === null, 'a journal is closed once');
    this.#closed = done;
    this.#pump();
  }

  #foresee(items: readonly LogItem[]): string | null {
    if (this.#closed !== null) return 'the journal is closed';
    let state = this.#expected;
    for (const item of items) {
      const objection = objectionTo(state, item);
      if (objection !== null) return objection;
      state = nextState(state, item);
    }
    this.#expected = state;
    return null;
  }

  #wait(waiting: Waiting): void {
    this.#waiting.push(waiting);
    this.#pump();
  }

  /** Begins the next piece of work, if there is one and the disk is free for it. */
  #pump(): void {
    if (this.#busy) return;
    const next = this.#waiting[0];
    if (next === undefined) return this.#rest();
    this.#busy = true;
    // A full disk refuses at once, and `persist` is not the place to call back from.
    let begun = false;
    const fail = (group: readonly Waiting[], error: Error): void => {
      if (begun) this.#fail(group, error);
      else this.#chain.later(() => this.#fail(group, error));
    };
    if (next.snapshot === null) this.#writeGroup(fail);
    else this.#receiveSnapshot(next, next.snapshot, fail);
    begun = true;
  }

  #writeGroup(fail: (group: readonly Waiting[], error: Error) => void): void {
    const group = this.#takeGroup();
    if (this.#writer.length === HEADER_BYTES) return this.#settleGroup(group, 0);
    const sizeBytes = recordBytes(this.#writer.length - HEADER_BYTES);
    const maxIndex = maxIndexOf(group);
    this.#chain.append({ writer: this.#writer, state: this.#state, maxIndex }, (error) => {
      if (error === null) this.#settleGroup(group, sizeBytes);
      else fail(group, error);
    });
  }

  /** The file of a snapshot that was received has to be there before the record that names it. */
  #receiveSnapshot(
    waiting: Waiting,
    snapshot: Snapshot,
    fail: (group: readonly Waiting[], error: Error) => void,
  ): void {
    const number = this.#snapshotNumber++;
    const target = { disk: this.#disk, folder: this.#folder, number };
    writeSnapshotFile(target, snapshot, (error, place) => {
      if (place === null) return fail([], error ?? new Error('the snapshot has no place'));
      waiting.items.unshift({ type: 'snapshot', place, installed: true });
      waiting.snapshot = null;
      this.#busy = false;
      this.#pump();
    });
  }

  /** Moves what goes out together from the queue to the writer. */
  #takeGroup(): Waiting[] {
    const group: Waiting[] = [];
    this.#writer.clear();
    this.#writer.fillTo(HEADER_BYTES, 0);
    for (const waiting of this.#waiting) {
      if (waiting.snapshot !== null || this.#writer.length >= this.#groupBytes) break;
      for (const item of waiting.items) writeItem(this.#writer, item);
      group.push(waiting);
    }
    this.#waiting.splice(0, group.length);
    return group;
  }

  #settleGroup(group: readonly Waiting[], sizeBytes: number): void {
    const replaced = this.#doubtful.splice(0);
    this.#bytesSinceSnapshot += sizeBytes;
    for (const item of group.flatMap(({ items }) => items)) {
      const { snapshot } = this.#state;
      this.#state = nextState(this.#state, item);
      if (item.type !== 'snapshot') continue;
      if (snapshot !== null) replaced.push(snapshot.number);
      this.#bytesSinceSnapshot = sizeBytes;
      this.#chain.letGo(item.installed ? Number.POSITIVE_INFINITY : item.place.index - this.#entriesKept);
    }
    this.#removeSnapshots(replaced);
    // What the callers say now waits for the end of this loop, and goes out as one group.
    for (const { done } of group) done(null);
    this.#busy = false;
    this.#pump();
  }

  /** Nothing that waits may become durable any more: a later part without an earlier one is a hole. */
  #fail(group: readonly Waiting[], error: Error): void {
    const all = [...group, ...this.#waiting];
    this.#waiting = [];
    this.#expected = this.#state;
    this.#logger.error({ cause: error.message, batches: all.length }, 'the log could not be written');
    for (const item of all.flatMap(({ items }) => items)) {
      // Its record may be on disk all the same, and would count after a crash: until the next group is.
      if (item.type === 'snapshot') this.#doubtful.push(item.place.number);
    }
    for (const { done } of all) done(error);
    this.#busy = false;
    this.#pump();
  }

  /** Only files that no record names, or will name after a crash, are removed. */
  #removeSnapshots(numbers: Iterable<number>): void {
    for (const number of numbers) {
      try {
        this.#disk.remove(join(this.#folder, snapshotName(number)));
      } catch (error) {
        this.#logger.warn(
          { cause: String(error) },
          'an old snapshot cannot be removed; the next start tries',
        );
      }
    }
  }

  #rest(): void {
    if (this.#closed === null) return this.#chain.prepareSpare();
    if (this.#saving) return;
    this.#busy = true;
    this.#chain.close(() => {
      this.#lock?.release();
      this.#closed?.();
    });
  }
}

/** The facts of a batch, but for its snapshot. */
function itemsOf({ promise, incarnation, muted, entries }: Persist): LogItem[] {
  const items: LogItem[] = [];
  if (entries.length > 0) items.push({ type: 'entries', entries });
  if (promise !== null || incarnation !== null || muted !== null) {
    items.unshift({ type: 'state', promise, incarnation, muted });
  }
  return items;
}

/** A snapshot whose file is yet to be written. */
function foreseenItem({ index, ballot }: Snapshot): LogItem {
  return {
    type: 'snapshot',
    place: { number: 0, index, ballot, sizeBytes: 0, checksum: 0 },
    installed: true,
  };
}

function maxIndexOf(group: readonly Waiting[]): number {
  let maxIndex = 0;
  for (const { items } of group) {
    for (const item of items) {
      if (item.type === 'entries') maxIndex = Math.max(maxIndex, item.entries.at(-1)?.index ?? 0);
    }
  }
  return maxIndex;
}

function asLockError(error: unknown, folder: string): ArrokothError {
  return error instanceof ArrokothError ? error : toError(toProblem(error, folder));
}
