/**
 * A disk in memory that fails when it is told to: full, taking a few bytes, refusing to be cut.
 *
 * What it holds is what a process killed at this moment would leave behind, since the kernel keeps
 * every write that returned.
 */
import type { AppendFile, JournalDisk } from '../../src/journal/index.ts';

/** What becomes of one write of `length` bytes: all of them, so many of them, or an error. */
export type WriteLie = (length: number) => 'all' | number | Error;

/** A file system with one flat set of paths. */
export class MemoryDisk implements JournalDisk {
  files = new Map<string, Uint8Array>();
  /** How often something was written. */
  writes = 0;
  onWrite: WriteLie = () => 'all';
  onTruncate: () => Error | null = () => null;
  /** Pieces in which files are read. */
  readChunkBytes = 7;

  create(path: string): AppendFile {
    if (this.files.has(path)) throw systemError('EEXIST');
    // A descriptor stays with its file through a rename, so the file is held by object.
    const file = { bytes: new Uint8Array(0) };
    this.#open.set(path, file);
    this.files.set(path, file.bytes);
    return {
      write: (bytes) => this.#write(file, bytes),
      truncate: (sizeBytes) => {
        const refusal = this.onTruncate();
        if (refusal !== null) throw refusal;
        this.#store(file, file.bytes.slice(0, sizeBytes));
      },
      close: () => {},
    };
  }

  *read(path: string): Iterable<Uint8Array> {
    const bytes = this.files.get(path);
    if (bytes === undefined) throw systemError('ENOENT');
    for (let at = 0; at < bytes.length; at += this.readChunkBytes) {
      yield bytes.slice(at, at + this.readChunkBytes);
    }
  }

  rename(from: string, to: string): void {
    const bytes = this.files.get(from);
    if (bytes === undefined) throw systemError('ENOENT');
    this.files.delete(from);
    this.files.set(to, bytes);
    const file = this.#open.get(from);
    this.#open.delete(from);
    if (file === undefined) this.#open.delete(to);
    else this.#open.set(to, file);
  }

  remove(path: string): void {
    this.files.delete(path);
    this.#open.delete(path);
  }

  #open = new Map<string, { bytes: Uint8Array }>();

  #write(file: { bytes: Uint8Array }, bytes: Uint8Array): number {
    this.writes++;
    const lie = this.onWrite(bytes.length);
    if (lie instanceof Error) throw lie;
    const count = lie === 'all' ? bytes.length : Math.min(lie, bytes.length);
    const grown = new Uint8Array(file.bytes.length + count);
    grown.set(file.bytes);
    grown.set(bytes.subarray(0, count), file.bytes.length);
    this.#store(file, grown);
    return count;
  }

  #store(file: { bytes: Uint8Array }, bytes: Uint8Array): void {
    file.bytes = bytes;
    for (const [path, open] of this.#open) {
      if (open === file) this.files.set(path, bytes);
    }
  }
}

/** An error as the file system throws it. */
export function systemError(code: string): Error {
  return Object.assign(new Error(`${code}: the disk says no`), { code });
}
