/**
 * The few things that a log asks of a disk.
 *
 * Start-up and rare work are synchronous; only making written bytes durable takes time, and calls
 * back. An interface, so that the simulator can forget what was not synced, tear the last write, be
 * slow, be full and flip bits; every method throws the system's error.
 */

/** A file of fixed or growing size. */
export interface LogFile {
  readonly size: number;
  /**
   * Into the kernel's cache, all of it; a file grows when written beyond its end. `bytes` are the
   * caller's again when it returns, and are soon written over.
   */
  write(offset: number, bytes: Uint8Array): void;
  /** Makes everything written so far durable (fdatasync). At most one at a time. */
  sync(done: (error: Error | null) => void): void;
  /** As `sync`, but waits for it: at start-up there is nobody else to serve. */
  syncNow(): void;
  truncate(size: number): void;
  close(): void;
}

/** A folder's worth of file system. */
export interface LogDisk {
  /** Names in a folder, in any order; empty when there is no such folder. */
  list(folder: string): readonly string[];
  read(path: string): Uint8Array;
  /** With those above it; harmless when it is there. */
  makeFolder(path: string): void;
  /** `create`: there is no such file yet. */
  open(path: string, options: { readonly create: boolean }): LogFile;
  /** Atomic, and replaces a file of the new name. */
  rename(from: string, to: string): void;
  /** Harmless when there is no such file. */
  remove(path: string): void;
  /** Makes the names in a folder durable. */
  syncFolder(path: string): void;
  /** Takes a folder for this process alone, or throws. A disk that only one process can see needs none. */
  lock?(folder: string): { release(): void };
}
