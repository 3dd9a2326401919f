/**
 * A snapshot as bytes that go from node to node in pieces, and back.
 *
 * One byte for the format, four for the length of the head, the head as JSON, then the state as it
 * is. The state is not copied for it: pieces are cut where they are needed. How a snapshot lies on
 * the disk is the journal's own affair.
 */
import { decodeUtf8, encodeUtf8 } from '../base/index.ts';
import { crc32 } from './crc32.ts';
import type { Ballot, Index, Member, Snapshot } from './types.ts';

const FORMAT = 1;
const PREFIX_BYTES = 5;
const ROLES: readonly Member['role'][] = ['voter', 'learner', 'foreign'];

/** A snapshot on its way out. */
export class SnapshotImage {
  readonly index: Index;
  readonly ballot: Ballot;
  readonly totalBytes: number;
  readonly checksum: number;
  readonly #head: Uint8Array;
  readonly #state: Uint8Array;

  constructor({ index, ballot, configuration, requests, state }: Snapshot) {
    const json = encodeUtf8(JSON.stringify({ index, ballot, configuration, requests }));
    this.#head = new Uint8Array(PREFIX_BYTES + json.length);
    this.#head[0] = FORMAT;
    new DataView(this.#head.buffer).setUint32(1, json.length);
    this.#head.set(json, PREFIX_BYTES);
    this.#state = state;
    this.index = index;
    this.ballot = ballot;
    this.totalBytes = this.#head.length + state.length;
    this.checksum = crc32(state, crc32(this.#head));
  }

  /** At most `bytesMax` bytes from `offset` on. */
  piece(offset: number, bytesMax: number): Uint8Array {
    const headBytes = this.#head.length;
    const end = Math.min(offset + bytesMax, this.totalBytes);
    if (offset >= headBytes) return this.#state.subarray(offset - headBytes, end - headBytes);
    if (end <= headBytes) return this.#head.subarray(offset, end);
    const piece = new Uint8Array(end - offset);
    piece.set(this.#head.subarray(offset));
    piece.set(this.#state.subarray(0, end - headBytes), headBytes - offset);
    return piece;
  }
}

/** What `image` holds; null when it is of another format, or no snapshot at all. */
export function decodeSnapshot(image: Uint8Array): Snapshot | null {
  if (image.length < PREFIX_BYTES || image[0] !== FORMAT) return null;
  const view = new DataView(image.buffer, image.byteOffset, image.byteLength);
  const headEnd = PREFIX_BYTES + view.getUint32(1);
  if (headEnd > image.length) return null;
  try {
    const head = JSON.parse(decodeUtf8(image.subarray(PREFIX_BYTES, headEnd))) as Omit<Snapshot, 'state'>;
    const { index, ballot, configuration, requests } = head;
    if (!isCount(index) || !isCount(ballot)) return null;
    if (!isList(configuration?.members, isMember) || !isList(requests, isRequest)) return null;
    return { index, ballot, configuration, requests, state: image.slice(headEnd) };
  } catch {
    return null;
  }
}

function isList<Value>(value: readonly Value[] | undefined, isOne: (value: Value) => boolean): boolean {
  return Array.isArray(value) && value.every(isOne);
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

/** An image comes from another node; what it holds is kept, and must be what others rely on it to be. */
function isMember({ name, storage, role, knows }: Member): boolean {
  if (typeof name !== 'string' || (storage !== null && typeof storage !== 'string')) return false;
  if (!ROLES.includes(role) || typeof knows !== 'object') return false;
  return Object.values(knows).every(isCount);
}

function isRequest([requestId, index]: readonly [string, Index]): boolean {
  return typeof requestId === 'string' && isCount(index);
}
