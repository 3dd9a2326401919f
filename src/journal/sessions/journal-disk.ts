/**
 * The few things a journal asks of a file system, and the real one behind them.
 *
 * Synchronous, because a record has to be on disk before the turn goes on to the next one's
 * callbacks; an interface, so that tests can let a disk be full, slow to take bytes, or torn.
 */
import { closeSync, ftruncateSync, openSync, readSync, renameSync, rmSync, writeSync } from 'node:fs';

const READ_CHUNK_BYTES = 1_024 * 1_024;
/** Session keys may be personal data: the files belong to the node's user alone. */
const FILE_MODE = 0o600;

/** A file that only grows at its end, or is cut back. */
export interface AppendFile {
  /** Appends what the disk takes of `bytes` and says how many that were; throws when it takes none. */
  write(bytes: Uint8Array): number;
  truncate(sizeBytes: number): void;
  close(): void;
}

/** A file system as journals see it. Every method throws the system's error. */
export interface JournalDisk {
  /** Creates an empty file; a file of that name must not exist. */
  create(path: string): AppendFile;
  /** The bytes of a file, in pieces. */
  read(path: string): Iterable<Uint8Array>;
  /** Atomic, and replaces a file of the new name. */
  rename(from: string, to: string): void;
  /** Harmless when there is no such file. */
  remove(path: string): void;
}

/** The disk of this machine. */
export const systemDisk: JournalDisk = {
  create(path) {
    const descriptor = openSync(path, 'ax', FILE_MODE);
    return {
      write: (bytes) => writeSync(descriptor, bytes),
      truncate: (sizeBytes) => ftruncateSync(descriptor, sizeBytes),
      close: () => closeSync(descriptor),
    };
  },
  *read(path) {
    const descriptor = openSync(path, 'r');
    try {
      for (;;) {
        const chunk = Buffer.allocUnsafe(READ_CHUNK_BYTES);
        const length = readSync(descriptor, chunk);
        if (length === 0) return;
        yield chunk.subarray(0, length);
      }
    } finally {
      closeSync(descriptor);
    }
  },
  rename: (from, to) => renameSync(from, to),
  remove: (path) => rmSync(path, { force: true }),
};
