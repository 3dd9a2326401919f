/**
 * The disk of this machine, as a log sees it.
 *
 * Files belong to the node's user alone. Syncing goes through the thread pool, so that the event
 * loop serves others meanwhile; everything else is a system call that the kernel answers from memory.
 */
import {
  closeSync,
  fdatasync,
  fdatasyncSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { dirname, resolve } from 'node:path';
import { lockDirectory } from '../directory-lock.ts';
import { systemProcesses } from '../process-identity.ts';
import type { LogDisk, LogFile } from './log-disk.ts';

const FILE_MODE = 0o600;
const FOLDER_MODE = 0o700;
const READ_AND_WRITE = 'r+';
const NEW_FILE = 'wx+';

/** The disk of this machine. */
export const systemLogDisk: LogDisk = {
  list(folder) {
    try {
      return readdirSync(folder);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw error;
    }
  },
  read: (path) => readFileSync(path),
  makeFolder(path) {
    const first = mkdirSync(path, { recursive: true, mode: FOLDER_MODE });
    if (first === undefined) return;
    // The name of each folder that was made is in the one above it.
    for (let made = resolve(path); ; made = dirname(made)) {
      syncFolder(dirname(made));
      if (made === resolve(first)) return;
    }
  },
  open: (path, { create }) =>
    new SystemLogFile(openSync(path, create ? NEW_FILE : READ_AND_WRITE, FILE_MODE)),
  rename: (from, to) => renameSync(from, to),
  remove: (path) => rmSync(path, { force: true }),
  syncFolder,
  lock(folder) {
    const locked = lockDirectory(folder, systemProcesses);
    if (!locked.ok) throw locked.error;
    return locked.value;
  },
};

class SystemLogFile implements LogFile {
  readonly #descriptor: number;
  #size: number;

  constructor(descriptor: number) {
    this.#descriptor = descriptor;
    this.#size = fstatSync(descriptor).size;
  }

  get size(): number {
    return this.#size;
  }

  write(offset: number, bytes: Uint8Array): void {
    let written = 0;
    while (written < bytes.length) {
      const rest = written === 0 ? bytes : bytes.subarray(written);
      written += writeSync(this.#descriptor, rest, 0, rest.length, offset + written);
    }
    this.#size = Math.max(this.#size, offset + bytes.length);
  }

  sync(done: (error: Error | null) => void): void {
    fdatasync(this.#descriptor, done);
  }

  syncNow(): void {
    fdatasyncSync(this.#descriptor);
  }

  truncate(size: number): void {
    ftruncateSync(this.#descriptor, size);
    this.#size = size;
  }

  close(): void {
    closeSync(this.#descriptor);
  }
}

function syncFolder(path: string): void {
  const descriptor = openSync(path, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
