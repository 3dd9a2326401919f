/**
 * One growing journal file that is never left with half a record in its middle.
 *
 * Knows the offset up to which the file is good: what a failed write left behind it is cut off
 * before anything else is written, however often that takes. Not a journal: it knows records, not
 * connections. Driven by `JournalWriter`.
 */
import type { AppendFile, JournalDisk } from './journal-disk.ts';
import { encodeRecords, type JournalRecord } from './record-codec.ts';

/** The end of a name that marks a file as unfinished; nobody reads those. */
export const UNFINISHED_SUFFIX = '.tmp';

/** Appends records to the file at `path`, which is created with the first of them. */
export class JournalFile {
  readonly #disk: JournalDisk;
  readonly #path: string;
  readonly #header: JournalRecord;
  #file: AppendFile | null = null;
  #goodBytes = 0;
  #tailIsSuspect = false;

  constructor(options: {
    readonly disk: JournalDisk;
    readonly path: string;
    readonly header: JournalRecord;
  }) {
    this.#disk = options.disk;
    this.#path = options.path;
    this.#header = options.header;
  }

  /** Bytes of whole records. */
  get sizeBytes(): number {
    return this.#goodBytes;
  }

  /** Appends all of `records` or none, and says why none. */
  append(records: readonly JournalRecord[]): Error | null {
    try {
      this.#file ??= this.#disk.create(this.#path);
      if (this.#tailIsSuspect) this.#cutTail(this.#file);
      const bytes = encodeRecords(this.#goodBytes === 0 ? [this.#header, ...records] : records);
      this.#tailIsSuspect = true;
      writeAll(this.#file, bytes);
      this.#tailIsSuspect = false;
      this.#goodBytes += bytes.length;
      return null;
    } catch (error) {
      this.#tryToCutTail();
      return asError(error);
    }
  }

  /**
   * Puts a file with only `records` in the place of this one. The old file stays whole until the
   * new one takes its name in one step, so a crash in between costs nothing.
   */
  replace(records: readonly JournalRecord[]): Error | null {
    const unfinishedPath = `${this.#path}${UNFINISHED_SUFFIX}`;
    let successor: AppendFile | null = null;
    try {
      this.#disk.remove(unfinishedPath);
      successor = this.#disk.create(unfinishedPath);
      const bytes = encodeRecords([this.#header, ...records]);
      writeAll(successor, bytes);
      this.#disk.rename(unfinishedPath, this.#path);
      closeQuietly(this.#file);
      this.#file = successor;
      this.#goodBytes = bytes.length;
      this.#tailIsSuspect = false;
      return null;
    } catch (error) {
      closeQuietly(successor);
      this.#removeQuietly(unfinishedPath);
      return asError(error);
    }
  }

  /** Gives the file back; `remove` also takes it from the disk. */
  close(options: { readonly remove: boolean }): void {
    if (this.#file === null) return;
    closeQuietly(this.#file);
    this.#file = null;
    if (options.remove) this.#removeQuietly(this.#path);
  }

  #cutTail(file: AppendFile): void {
    file.truncate(this.#goodBytes);
    this.#tailIsSuspect = false;
  }

  #tryToCutTail(): void {
    if (this.#file === null || !this.#tailIsSuspect) return;
    try {
      this.#cutTail(this.#file);
    } catch {
      // The next append tries again before it writes; a reader meanwhile sees a torn end.
    }
  }

  #removeQuietly(path: string): void {
    try {
      this.#disk.remove(path);
    } catch {
      // A file that stays is read again by the next start, or has a name that nobody reads.
    }
  }
}

function writeAll(file: AppendFile, bytes: Uint8Array): void {
  let written = 0;
  while (written < bytes.length) {
    const count = file.write(written === 0 ? bytes : bytes.subarray(written));
    if (count <= 0) throw new Error('the disk took no bytes');
    written += count;
  }
}

function closeQuietly(file: AppendFile | null): void {
  try {
    file?.close();
  } catch {
    // Nothing is buffered in this process, so a failing close loses nothing.
  }
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
