/**
 * A disk in memory that can lose power, fail and be full, for the tests of the log.
 *
 * It knows what was written and what was made durable. `afterPowerCut` is a disk on which every
 * sector that was not synced is there or not, each by itself, and every change of a name that was
 * not synced happened or not; `afterKill` is one on which everything that was written is there.
 */
import type { LogDisk, LogFile } from '../log-disk.ts';

/** What a disk writes as a whole. */
const SECTOR_BYTES = 512;

/** Thrown by every call once the power is off. */
export class PowerCut extends Error {
  override name = 'PowerCut';
}

/** One call that changes something, before it happens. */
export interface DiskStep {
  readonly call: 'write' | 'sync' | 'truncate' | 'create' | 'rename' | 'remove' | 'syncFolder';
  readonly path: string;
  readonly bytes?: Uint8Array;
}

interface Inode {
  bytes: Uint8Array;
  durable: Uint8Array;
  readonly dirty: Set<number>;
}

interface NameChange {
  readonly set: readonly (readonly [string, Inode])[];
  readonly remove: readonly string[];
}

/** A file system with one flat set of paths; folders are there without being made. */
export class MemoryDisk implements LogDisk {
  /** Called before each step; an error it returns is thrown, or handed to the callback of a sync. */
  onStep: (step: DiskStep) => Error | null = () => null;
  /** Syncs wait until `finishSync`; else they call back at once. */
  holdSyncs = false;
  #names: Map<string, Inode>;
  #durableNames: Map<string, Inode>;
  #changes: NameChange[] = [];
  #syncs: (() => void)[] = [];

  constructor(files: Iterable<readonly [string, Uint8Array]> = []) {
    this.#names = new Map([...files].map(([path, bytes]) => [path, newInode(bytes)]));
    this.#durableNames = new Map(this.#names);
  }

  /** Everything that was written, durable or not. */
  get files(): Map<string, Uint8Array> {
    return new Map([...this.#names].map(([path, { bytes }]) => [path, bytes.slice()]));
  }

  get syncsHeld(): number {
    return this.#syncs.length;
  }

  /** Ends the oldest sync that is held. */
  finishSync(): void {
    this.#syncs.shift()?.();
  }

  /** What a process that was killed leaves behind: the kernel has it all, the disk perhaps not yet. */
  afterKill(): MemoryDisk {
    const copies = new Map<Inode, Inode>();
    const copyOf = (inode: Inode): Inode => {
      const copy = copies.get(inode) ?? {
        bytes: inode.bytes.slice(),
        durable: inode.durable.slice(),
        dirty: new Set(inode.dirty),
      };
      copies.set(inode, copy);
      return copy;
    };
    const copyNames = (names: Iterable<readonly [string, Inode]>) =>
      [...names].map(([path, inode]) => [path, copyOf(inode)] as const);
    const disk = new MemoryDisk();
    disk.#names = new Map(copyNames(this.#names));
    disk.#durableNames = new Map(copyNames(this.#durableNames));
    disk.#changes = this.#changes.map(({ set, remove }) => ({ set: copyNames(set), remove }));
    return disk;
  }

  /** What a machine without power leaves behind; `arrived` is asked for each thing that was not synced. */
  afterPowerCut(arrived: () => boolean): MemoryDisk {
    const names = new Map(this.#durableNames);
    for (const change of this.#changes) {
      if (!arrived()) continue;
      for (const path of change.remove) names.delete(path);
      for (const [path, inode] of change.set) names.set(path, inode);
    }
    return new MemoryDisk([...names].map(([path, inode]) => [path, survivingBytes(inode, arrived)]));
  }

  list(folder: string): string[] {
    const prefix = `${folder}/`;
    return [...this.#names.keys()]
      .filter((path) => path.startsWith(prefix) && !path.slice(prefix.length).includes('/'))
      .map((path) => path.slice(prefix.length));
  }

  read(path: string): Uint8Array {
    return this.#inode(path).bytes.slice();
  }

  makeFolder(): void {}

  open(path: string, { create }: { readonly create: boolean }): LogFile {
    if (create) {
      this.#take({ call: 'create', path });
      if (this.#names.has(path)) throw systemError('EEXIST');
      this.#change({ set: [[path, newInode(new Uint8Array(0))]], remove: [] });
    }
    return new MemoryFile(this.#inode(path), (step) => this.onStep({ ...step, path }), this.#later);
  }

  rename(from: string, to: string): void {
    this.#take({ call: 'rename', path: to });
    this.#change({ set: [[to, this.#inode(from)]], remove: [from] });
  }

  remove(path: string): void {
    this.#take({ call: 'remove', path });
    if (this.#names.has(path)) this.#change({ set: [], remove: [path] });
  }

  syncFolder(path: string): void {
    this.#take({ call: 'syncFolder', path });
    this.#durableNames = new Map(this.#names);
    this.#changes = [];
  }

  #later = (run: () => void): void => {
    if (this.holdSyncs) this.#syncs.push(run);
    else run();
  };

  #inode(path: string): Inode {
    const inode = this.#names.get(path);
    if (inode === undefined) throw systemError('ENOENT');
    return inode;
  }

  #take(step: DiskStep): void {
    const error = this.onStep(step);
    if (error !== null) throw error;
  }

  #change(change: NameChange): void {
    this.#changes.push(change);
    for (const path of change.remove) this.#names.delete(path);
    for (const [path, inode] of change.set) this.#names.set(path, inode);
  }
}

class MemoryFile implements LogFile {
  readonly #inode: Inode;
  readonly #step: (step: Omit<DiskStep, 'path'>) => Error | null;
  readonly #later: (run: () => void) => void;

  constructor(
    inode: Inode,
    step: (step: Omit<DiskStep, 'path'>) => Error | null,
    later: (run: () => void) => void,
  ) {
    this.#inode = inode;
    this.#step = step;
    this.#later = later;
  }

  get size(): number {
    return this.#inode.bytes.length;
  }

  write(offset: number, bytes: Uint8Array): void {
    const error = this.#step({ call: 'write', bytes });
    if (error !== null) throw error;
    const end = offset + bytes.length;
    if (end > this.size) this.#inode.bytes = grown(this.#inode.bytes, end);
    this.#inode.bytes.set(bytes, offset);
    for (let sector = Math.floor(offset / SECTOR_BYTES); sector * SECTOR_BYTES < end; sector++) {
      this.#inode.dirty.add(sector);
    }
  }

  sync(done: (error: Error | null) => void): void {
    this.#later(() => done(this.#sync()));
  }

  syncNow(): void {
    const error = this.#sync();
    if (error !== null) throw error;
  }

  truncate(size: number): void {
    const error = this.#step({ call: 'truncate' });
    if (error !== null) throw error;
    this.#inode.bytes = grown(this.#inode.bytes.subarray(0, size), size);
  }

  close(): void {}

  #sync(): Error | null {
    const error = this.#step({ call: 'sync' });
    if (error !== null) return error;
    this.#inode.durable = this.#inode.bytes.slice();
    this.#inode.dirty.clear();
    return null;
  }
}

/** An error as the file system throws it. */
export function systemError(code: string): Error {
  return Object.assign(new Error(`${code}: the disk says no`), { code });
}

function newInode(bytes: Uint8Array): Inode {
  return { bytes: bytes.slice(), durable: bytes.slice(), dirty: new Set() };
}

function survivingBytes({ bytes, durable, dirty }: Inode, arrived: () => boolean): Uint8Array {
  let survived = new Uint8Array(durable);
  for (const sector of dirty) {
    if (!arrived()) continue;
    const from = sector * SECTOR_BYTES;
    const piece = bytes.subarray(from, from + SECTOR_BYTES);
    if (from + piece.length > survived.length) survived = grown(survived, from + piece.length);
    survived.set(piece, from);
  }
  return survived;
}

function grown(bytes: Uint8Array, size: number): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(size);
  larger.set(bytes);
  return larger;
}
