/**
 * The pieces of a snapshot that arrive, put together again.
 *
 * One snapshot at a time; pieces come in order, and the answer to each says how far it got, so that
 * a lost or repeated one does no harm. What does not add up in the end is thrown away whole.
 */
import { crc32 } from './crc32.ts';
import { decodeSnapshot } from './snapshot-image.ts';
import type { Ballot, Index, Snapshot } from './types.ts';

/** What a piece says about the whole and about itself. */
export interface SnapshotPiece {
  readonly index: Index;
  readonly lastBallot: Ballot;
  readonly totalBytes: number;
  readonly checksum: number;
  readonly offset: number;
  readonly piece: Uint8Array;
}

/** A snapshot on its way in. */
export class SnapshotAssembly {
  readonly #bytesMax: number;
  #of: SnapshotPiece | null = null;
  #bytes = new Uint8Array(0);
  #size = 0;

  /** Larger snapshots than `bytesMax` are not begun. */
  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** Takes a piece; answers how many bytes are in hand, and the snapshot once it is whole. */
  take(piece: SnapshotPiece): { readonly offset: number; readonly whole: Snapshot | null } {
    if (!this.#isSame(piece)) {
      if (piece.totalBytes > this.#bytesMax) return { offset: 0, whole: null };
      this.drop();
      this.#of = piece;
    }
    const end = piece.offset + piece.piece.length;
    if (piece.offset === this.#size && end <= piece.totalBytes) {
      this.#grow(end, piece.totalBytes);
      this.#bytes.set(piece.piece, piece.offset);
      this.#size = end;
    }
    if (this.#size < piece.totalBytes) return { offset: this.#size, whole: null };
    const whole = this.#decode(piece);
    this.drop();
    return { offset: whole === null ? 0 : piece.totalBytes, whole };
  }

  /** Forgets what has arrived. */
  drop(): void {
    this.#of = null;
    this.#bytes = new Uint8Array(0);
    this.#size = 0;
  }

  /** Room for what is here, not for what is promised: a size alone must not cost memory. */
  #grow(needed: number, totalBytes: number): void {
    if (needed <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.min(totalBytes, Math.max(needed, 2 * this.#bytes.length)));
    grown.set(this.#bytes.subarray(0, this.#size));
    this.#bytes = grown;
  }

  #isSame({ index, lastBallot, totalBytes, checksum }: SnapshotPiece): boolean {
    const of = this.#of;
    if (of === null || of.index !== index || of.lastBallot !== lastBallot) return false;
    return of.totalBytes === totalBytes && of.checksum === checksum;
  }

  #decode({ index, lastBallot, checksum }: SnapshotPiece): Snapshot | null {
    const bytes = this.#bytes.subarray(0, this.#size);
    if (crc32(bytes) !== checksum) return null;
    const snapshot = decodeSnapshot(bytes);
    return snapshot?.index === index && snapshot.ballot === lastBallot ? snapshot : null;
  }
}
