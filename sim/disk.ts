/**
 * The simulated disk of one node, behind the journal's own door. It outlives the node's processes.
 *
 * ## The fault model: what may happen, where, and why the cluster survives it
 *
 * - **Power loss**, on any node, on all at once. What was not synced is kept or lost sector by
 *   sector, in any subset, so the last write may be torn; names that were not synced are lost from
 *   some point on. Nothing that was promised is lost: a promise waits for the sync.
 * - **Death of a process** (`kill -9`), anywhere. The kernel keeps what was written.
 * - **A slow or full disk**, anywhere, for a while. Refusals; no damage.
 * - **A flipped bit** in what was synced, at rest. The journal finds it at the next start and refuses;
 *   the operator empties the directory. No other damage passes the journal's checksums.
 * - **A lost tail**: the last synced write is torn, and so what followed it is gone, although the
 *   disk had said that it was safe. The node finds the torn record and is muted.
 * - **An emptied directory.** The node comes back under its name with another storage.
 *
 * The last three destroy what was promised. `nemesis.ts` deals them out to fewer than half of the
 * voters at a time, the next only when the cluster has made the former whole again: each committed
 * entry was on more than half, so a majority without the damaged ones still has it. A tail that is
 * lost without a trace (whole records, at a clean edge) is outside of the model: no node could know.
 */
import { assert } from '../src/base/index.ts';
import type { LogDisk, LogFile } from '../src/journal/index.ts';
import { type DirtyWrite, Inode } from './inode.ts';
import type { Rng } from './rng.ts';

/** Drawn once a seed. */
export interface DiskOptions {
  readonly sectorBytes: number;
  readonly syncLeastMs: number;
  readonly syncMeanMs: number;
  readonly stallChance: number;
  readonly stallMeanMs: number;
}

/** What a power loss leaves of writes that were not synced. */
export type PowerLoss = 'nothing' | 'everything' | 'any_sectors' | 'a_prefix';

type NameChange =
  | { readonly type: 'make'; readonly path: string; readonly inode: Inode }
  | { readonly type: 'rename'; readonly path: string; readonly to: string }
  | { readonly type: 'remove'; readonly path: string };

/** How a process reaches its disk: `later` runs its callbacks, unless it died meanwhile. */
export type Later = (delayMs: number, run: () => void) => void;

/** Files and names, each as the kernel shows them and as they are on the medium. */
export class SimulatedDisk {
  readonly #rng: Rng;
  readonly #options: DiskOptions;
  #names = new Map<string, Inode>();
  #durable = new Map<string, Inode>();
  #changes: NameChange[] = [];
  #folders = new Set<string>();
  /** The inode and place of the newest synced write, for a lost tail. */
  #newest: Inode | null = null;
  /** `any`: no write succeeds (copy on write); `growth`: only what needs more room fails. */
  full: 'no' | 'growth' | 'any' = 'no';
  /** Added to each sync. */
  slowMs = 0;
  /** Called once, a moment after the next sync has begun and before it can have ended. */
  atNextSync: (() => void) | null = null;
  tornWrites = 0;

  constructor(rng: Rng, options: DiskOptions) {
    this.#rng = rng;
    this.#options = options;
  }

  /** The disk as one process sees it. */
  mount(later: Later): LogDisk {
    return {
      list: (folder) => this.#list(folder),
      read: (path) => this.#existing(path).contents(),
      makeFolder: (path) => {
        this.#folders.add(path);
      },
      open: (path, { create }) => this.#open(path, create, later),
      rename: (from, to) => this.#rename(from, to),
      remove: (path) => {
        if (this.#names.delete(path)) this.#changes.push({ type: 'remove', path });
      },
      syncFolder: (path) => this.#syncFolder(path),
    };
  }

  get isEmpty(): boolean {
    return this.#names.size === 0;
  }

  /** The medium keeps what was synced, and of the rest what `loss` says. */
  losePower(loss: PowerLoss): void {
    const changes = this.#changes.splice(0);
    const kept =
      loss === 'nothing' ? 0 : loss === 'everything' ? changes.length : this.#rng.below(changes.length + 1);
    for (const change of changes.slice(0, kept)) applyChange(this.#durable, change);
    this.#names = new Map(this.#durable);
    for (const inode of new Set(this.#names.values())) {
      this.tornWrites += inode.losePower(
        (write) => this.#keptSectors(write, loss),
        this.#options.sectorBytes,
      );
    }
  }

  /** All of it is gone. */
  empty(): void {
    this.#names.clear();
    this.#durable.clear();
    this.#changes.length = 0;
    this.#newest = null;
  }

  /** Flips one bit somewhere in what is on the medium; false when there is nothing. */
  flipBit(): boolean {
    const inodes = [...new Set(this.#names.values())].filter((inode) => inode.written > 0);
    if (inodes.length === 0) return false;
    const inode = this.#rng.pick(inodes);
    inode.flip(this.#rng.below(inode.written), this.#rng.below(8));
    return true;
  }

  /** Tears one of the last synced writes by a few bytes and undoes what came after it. */
  loseTail(): boolean {
    const inode = this.#newest;
    if (inode === null || ![...this.#names.values()].includes(inode)) return false;
    return inode.loseTail(this.#rng.between(1, 3), this.#rng.between(1, 8));
  }

  #list(folder: string): string[] {
    const names: string[] = [];
    for (const path of this.#names.keys()) {
      if (path.startsWith(`${folder}/`) && !path.includes('/', folder.length + 1))
        names.push(path.slice(folder.length + 1));
    }
    return this.#rng.shuffled(names);
  }

  #existing(path: string): Inode {
    const inode = this.#names.get(path);
    if (inode === undefined) throw systemError('ENOENT', path);
    return inode;
  }

  #open(path: string, create: boolean, later: Later): LogFile {
    let inode = this.#names.get(path);
    if (inode === undefined) {
      if (!create) throw systemError('ENOENT', path);
      if (this.full !== 'no') throw systemError('ENOSPC', path);
      inode = new Inode();
      this.#names.set(path, inode);
      this.#changes.push({ type: 'make', path, inode });
    }
    return new SimulatedFile(inode, { disk: this, path, later });
  }

  #rename(from: string, to: string): void {
    const inode = this.#existing(from);
    this.#names.delete(from);
    this.#names.set(to, inode);
    this.#changes.push({ type: 'rename', path: from, to });
  }

  #syncFolder(folder: string): void {
    const left: NameChange[] = [];
    for (const change of this.#changes) {
      if (change.path.startsWith(`${folder}/`)) applyChange(this.#durable, change);
      else left.push(change);
    }
    this.#changes = left;
  }

  /** Draws how long a sync takes. */
  syncMs(): number {
    const { syncLeastMs, syncMeanMs, stallChance, stallMeanMs } = this.#options;
    const stallMs = this.#rng.chance(stallChance) ? this.#rng.exponential(stallMeanMs) : 0;
    return syncLeastMs + this.#rng.exponential(syncMeanMs) + stallMs + this.slowMs;
  }

  /** A sync has ended: `inode` has the newest promise. */
  synced(inode: Inode): void {
    if (inode.hasTail) this.#newest = inode;
  }

  #keptSectors(write: DirtyWrite, loss: PowerLoss): (sector: number) => boolean {
    if (loss === 'nothing') return () => false;
    if (loss === 'everything') return () => true;
    if (loss === 'any_sectors') return () => this.#rng.chance(0.5);
    const edge = this.#rng.below(write.bytes.length + 1) + write.offset;
    return (sector) => (sector + 1) * this.#options.sectorBytes <= edge;
  }
}

/** An open file; a handle of a process that died does nothing any more, because `later` does not. */
class SimulatedFile implements LogFile {
  readonly #inode: Inode;
  readonly #disk: SimulatedDisk;
  readonly #path: string;
  readonly #later: Later;
  #syncing = false;

  constructor(inode: Inode, place: { disk: SimulatedDisk; path: string; later: Later }) {
    this.#inode = inode;
    this.#disk = place.disk;
    this.#path = place.path;
    this.#later = place.later;
  }

  get size(): number {
    return this.#inode.size;
  }

  write(offset: number, bytes: Uint8Array): void {
    const grows = offset + bytes.length > this.#inode.size;
    if (this.#disk.full === 'any' || (this.#disk.full === 'growth' && grows))
      throw systemError('ENOSPC', this.#path);
    this.#inode.write(offset, bytes);
  }

  sync(done: (error: Error | null) => void): void {
    assert(!this.#syncing, 'one sync of a file at a time');
    this.#syncing = true;
    const covered = this.#inode.beginSync();
    const tookMs = this.#disk.syncMs();
    const trap = this.#disk.atNextSync;
    this.#disk.atNextSync = null;
    if (trap !== null) this.#later(tookMs / 2, trap);
    this.#later(tookMs, () => {
      this.#syncing = false;
      this.#inode.endSync(covered);
      this.#disk.synced(this.#inode);
      done(null);
    });
  }

  syncNow(): void {
    this.#inode.endSync(this.#inode.beginSync());
    this.#disk.synced(this.#inode);
  }

  truncate(size: number): void {
    this.#inode.truncate(size);
  }

  close(): void {
    // Nothing to give back: a closed file stays in the kernel's cache as it is.
  }
}

function applyChange(names: Map<string, Inode>, change: NameChange): void {
  if (change.type === 'make') names.set(change.path, change.inode);
  else if (change.type === 'remove') names.delete(change.path);
  else {
    const inode = names.get(change.path);
    if (inode === undefined) return;
    names.delete(change.path);
    names.set(change.to, inode);
  }
}

function systemError(code: string, path: string): Error {
  return Object.assign(new Error(`${code}: simulated, ${path}`), { code });
}
