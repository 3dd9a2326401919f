/**
 * The file that becomes the next segment: full of zeros and durable before anything is written to it.
 *
 * A write into a file that does not grow costs the disk one write instead of three, and cannot meet
 * a full disk. Made while the present segment still has room, a piece at a time, so that no commit
 * waits for it. Its name is one that nobody reads, until `LogJournal` gives it a real one.
 */
import { join } from 'node:path';
import type { LogDisk, LogFile } from './log-disk.ts';
import { createFile, UNFINISHED } from './log-folder.ts';

const ZEROS = new Uint8Array(1_024 * 1_024);

/** A file that was filled. */
export interface PreparedFile {
  readonly file: LogFile;
  readonly sizeBytes: number;
}

/** At most one file, being filled or ready. */
export class SpareSegment {
  /** Where the file is until it gets its name. */
  readonly path: string;
  readonly #disk: LogDisk;
  #ready: PreparedFile | null = null;
  #preparing = false;

  constructor(options: { readonly disk: LogDisk; readonly folder: string }) {
    this.#disk = options.disk;
    this.path = join(options.folder, `spare${UNFINISHED}`);
  }

  get preparing(): boolean {
    return this.#preparing;
  }

  /** Whether there is one of that size. */
  has(sizeBytes: number): boolean {
    return this.#ready !== null && this.#ready.sizeBytes >= sizeBytes;
  }

  /** Hands the file over; the caller closes it. */
  take(): PreparedFile | null {
    const ready = this.#ready;
    this.#ready = null;
    return ready;
  }

  /** Fills a file of that size in the place of the one there is. Not while `preparing`. */
  prepare(sizeBytes: number, done: (error: Error | null) => void): void {
    this.discard();
    this.#preparing = true;
    let file: LogFile | null = null;
    let at = 0;
    const end = (error: Error | null): void => {
      this.#preparing = false;
      if (error === null && file !== null) this.#ready = { file, sizeBytes };
      else this.#abandon(file);
      done(error);
    };
    const step = (error: Error | null): void => {
      if (error !== null || (file !== null && at === sizeBytes)) return end(error);
      try {
        file ??= createFile(this.#disk, this.path);
        const count = Math.min(ZEROS.length, sizeBytes - at);
        file.write(at, count === ZEROS.length ? ZEROS : ZEROS.subarray(0, count));
        at += count;
        file.sync(step);
      } catch (thrown) {
        end(thrown instanceof Error ? thrown : new Error(String(thrown)));
      }
    };
    step(null);
  }

  /** Lets the file go. */
  discard(): void {
    const ready = this.take();
    if (ready !== null) this.#abandon(ready.file);
  }

  #abandon(file: LogFile | null): void {
    try {
      file?.close();
      this.#disk.remove(this.path);
    } catch {
      // Nobody reads the name; the next one that is prepared, or the next start, removes it.
    }
  }
}
