/**
 * One file of the simulated disk: its bytes as the kernel shows them, as the medium has them, and
 * the writes between the two.
 *
 * Knows nothing of names and draws nothing: what survives a power loss is decided by the caller.
 */

/** A write that the medium does not have for certain. `bytes` null: the file was cut to `offset`. */
export interface DirtyWrite {
  readonly offset: number;
  readonly bytes: Uint8Array;
  readonly cut: boolean;
}

/** What a synced write replaced on the medium. */
export interface Undo {
  readonly offset: number;
  readonly before: Uint8Array;
  readonly sizeBefore: number;
}

/** Synced writes that a lost tail may undo. */
const UNDOS_KEPT = 4;
const NOTHING = new Uint8Array(0);

/** Contents of a file. */
export class Inode {
  #cache: Uint8Array = new Uint8Array(1_024);
  #medium: Uint8Array = new Uint8Array(1_024);
  #mediumSize = 0;
  #dirty: DirtyWrite[] = [];
  #undos: Undo[] = [];
  size = 0;
  /** Bytes up to the end of the last write: what lies behind is only preallocated. */
  written = 0;

  contents(): Uint8Array {
    return this.#cache.slice(0, this.size);
  }

  write(offset: number, bytes: Uint8Array): void {
    // Not `slice`: that of a Buffer shares its bytes. From the pool: a run makes millions of these.
    const copy = Buffer.allocUnsafe(bytes.length);
    copy.set(bytes);
    this.#cache = put(this.#cache, offset, copy);
    this.size = Math.max(this.size, offset + copy.length);
    this.written = Math.max(this.written, lastByte(copy) + 1 + offset);
    this.#dirty.push({ offset, bytes: copy, cut: false });
  }

  truncate(size: number): void {
    this.#cache = resized(this.#cache, this.size, size);
    this.size = size;
    this.written = Math.min(this.written, size);
    this.#dirty.push({ offset: size, bytes: NOTHING, cut: true });
  }

  /** True when a lost tail would lose something here. */
  get hasTail(): boolean {
    return this.#undos.length > 0;
  }

  /** A sync covers what was written before it. */
  beginSync(): number {
    return this.#dirty.length;
  }

  endSync(covered: number): void {
    for (const write of this.#dirty.splice(0, covered)) this.#settle(write);
  }

  /** Keeps what `keptSectors` chooses of each write; counts the writes that are torn by it. */
  losePower(keptSectors: (write: DirtyWrite) => (sector: number) => boolean, sectorBytes: number): number {
    let torn = 0;
    for (const write of this.#dirty.splice(0)) {
      if (write.cut) {
        if (keptSectors(write)(0)) this.#settle(write);
        continue;
      }
      const kept = this.#keep(write, keptSectors(write), sectorBytes);
      if (kept > 0 && kept < write.bytes.length) torn++;
    }
    this.#cache = this.#medium.slice();
    this.size = this.#mediumSize;
    this.written = lastByte(this.#medium.subarray(0, this.size)) + 1;
    return torn;
  }

  flip(place: number, bit: number): void {
    for (const bytes of [this.#cache, this.#medium]) bytes[place] = (bytes[place] ?? 0) ^ (1 << bit);
  }

  /** Undoes the last `writes` - 1 synced writes and the last bytes of the one before. */
  loseTail(writes: number, bytes: number): boolean {
    const undone = this.#undos.splice(-writes);
    const torn = undone.shift();
    if (torn === undefined || torn.before.length <= bytes) return false;
    for (const undo of undone.reverse()) this.#undo(undo, 0);
    this.#undo(torn, torn.before.length - bytes);
    this.#undos.length = 0;
    this.#cache = this.#medium.slice();
    this.size = this.#mediumSize;
    this.written = lastByte(this.#medium.subarray(0, this.size)) + 1;
    return true;
  }

  #settle(write: DirtyWrite): void {
    if (write.cut) {
      this.#medium = resized(this.#medium, this.#mediumSize, write.offset);
      this.#mediumSize = write.offset;
      this.#undos.length = 0;
      return;
    }
    const end = write.offset + write.bytes.length;
    // Zeros in advance are no promise: losing them is no loss.
    if (write.bytes.at(-1) !== 0) {
      const before = Buffer.allocUnsafe(write.bytes.length).fill(0);
      before.set(this.#medium.subarray(write.offset, end));
      this.#undos.push({ offset: write.offset, before, sizeBefore: this.#mediumSize });
      if (this.#undos.length > UNDOS_KEPT) this.#undos.shift();
    }
    this.#medium = put(this.#medium, write.offset, write.bytes);
    this.#mediumSize = Math.max(this.#mediumSize, end);
  }

  #undo(undo: Undo, from: number): void {
    this.#medium.set(undo.before.subarray(from), undo.offset + from);
    this.#mediumSize = Math.max(undo.sizeBefore, from === 0 ? 0 : undo.offset + undo.before.length);
  }

  /** Bytes of `write` that reach the medium. */
  #keep(write: DirtyWrite, isKept: (sector: number) => boolean, sectorBytes: number): number {
    const end = write.offset + write.bytes.length;
    let kept = 0;
    for (let sector = Math.floor(write.offset / sectorBytes); sector * sectorBytes < end; sector++) {
      if (!isKept(sector)) continue;
      const from = Math.max(write.offset, sector * sectorBytes);
      const to = Math.min(end, (sector + 1) * sectorBytes);
      const piece = write.bytes.subarray(from - write.offset, to - write.offset);
      this.#medium = put(this.#medium, from, piece);
      this.#mediumSize = Math.max(this.#mediumSize, to);
      kept += piece.length;
    }
    return kept;
  }
}

/** Where bytes that are not zero end. */
function lastByte(bytes: Uint8Array): number {
  let last = bytes.length - 1;
  while (last >= 0 && bytes[last] === 0) last--;
  return last;
}

/** Writes into an array that grows by doubling; room behind the end is zero. */
function put(target: Uint8Array, offset: number, bytes: Uint8Array): Uint8Array {
  const end = offset + bytes.length;
  let room = target;
  if (end > target.length) {
    room = new Uint8Array(Math.max(end, 2 * target.length));
    room.set(target);
  }
  room.set(bytes, offset);
  return room;
}

function resized(target: Uint8Array, from: number, to: number): Uint8Array {
  const room = to > target.length ? put(target, to - 1, new Uint8Array(1)) : target;
  if (to < from) room.fill(0, to, from);
  return room;
}
