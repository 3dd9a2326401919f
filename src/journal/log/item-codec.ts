/**
 * What a group holds: the facts of the log, in the order in which they became true.
 *
 * A tag byte and the fact. Small and rare facts are JSON; entries, which are many, are binary:
 * their count, the first index, and for each its ballot, its type and what it holds.
 * Pure over bytes; `record-codec.ts` puts checksums around them.
 */
import type {
  Ballot,
  Configuration,
  Entry,
  Index,
  Member,
  Payload,
  VotePromise,
} from '../../consensus/index.ts';
import { type ByteReader, MalformedBytes } from './byte-reader.ts';
import type { ByteWriter } from './byte-writer.ts';

/** A snapshot file, known by everything that could tell it from another one. */
export interface SnapshotPlace {
  /** `NNNNNNNN.snapshot`. */
  readonly number: number;
  readonly index: Index;
  readonly ballot: Ballot;
  readonly sizeBytes: number;
  /** CRC-32 of the whole file. */
  readonly checksum: number;
}

/** One fact. */
export type LogItem =
  /** Null: unchanged. */
  | {
      readonly type: 'state';
      readonly promise: VotePromise | null;
      readonly incarnation: string | null;
      readonly muted: boolean | null;
    }
  /** The snapshot in force; `installed`: received from a master, in place of all entries so far. */
  | { readonly type: 'snapshot'; readonly place: SnapshotPlace; readonly installed: boolean }
  /** Contiguous; the first replaces whatever the log had at its index and after it. */
  | { readonly type: 'entries'; readonly entries: readonly Entry[] };

const STATE = 1;
const SNAPSHOT = 2;
const ENTRIES = 3;
const NOOP = 1;
const MEMBERS = 2;
const CHANGES = 3;

/** Appends one fact. */
export function writeItem(writer: ByteWriter, item: LogItem): void {
  if (item.type === 'state') {
    writer.u8(STATE);
    writer.text(JSON.stringify({ ...item, type: undefined }));
  } else if (item.type === 'snapshot') {
    writer.u8(SNAPSHOT);
    writer.text(JSON.stringify({ ...item, type: undefined }));
  } else {
    writeEntries(writer, item.entries);
  }
}

/** Reads the facts of a group; throws `MalformedBytes`. */
export function readItems(reader: ByteReader): LogItem[] {
  const items: LogItem[] = [];
  while (!reader.atEnd) items.push(readItem(reader));
  return items;
}

/** A place as JSON said it; throws `MalformedBytes`. */
export function checkSnapshotPlace(value: unknown): SnapshotPlace {
  const place = checkObject(value);
  for (const key of ['number', 'index', 'ballot', 'sizeBytes', 'checksum']) checkCount(place[key], key);
  return place as unknown as SnapshotPlace;
}

/** A promise as JSON said it; throws `MalformedBytes`. */
export function checkPromise(value: unknown): VotePromise {
  const promise = checkObject(value);
  checkCount(promise.ballot, 'ballot');
  if (promise.votedFor !== null) checkText(promise.votedFor, 'votedFor');
  return promise as unknown as VotePromise;
}

/** A configuration as JSON said it; throws `MalformedBytes`. */
export function checkConfiguration(value: unknown): Configuration {
  const { members } = checkObject(value);
  if (!Array.isArray(members)) throw new MalformedBytes('members are no list');
  for (const member of members as unknown[]) {
    const { name, storage, role, knows } = checkObject(member) as unknown as Member;
    checkText(name, 'name');
    if (storage !== null) checkText(storage, 'storage');
    if (!['voter', 'learner', 'foreign'].includes(role)) throw new MalformedBytes(`no such role: ${role}`);
    for (const version of Object.values(checkObject(knows))) checkCount(version, 'version');
  }
  return value as Configuration;
}

/** Parses JSON that passed a checksum; throws `MalformedBytes`. */
export function parseObject(text: string): Record<string, unknown> {
  try {
    return checkObject(JSON.parse(text));
  } catch (error) {
    throw error instanceof MalformedBytes ? error : new MalformedBytes('JSON that is none');
  }
}

/** A whole number from 0 on; throws `MalformedBytes`. */
export function checkCount(value: unknown, key: string): number {
  if (Number.isSafeInteger(value) && (value as number) >= 0) return value as number;
  throw new MalformedBytes(`${key} is no number of the log`);
}

/** A text; throws `MalformedBytes`. */
export function checkText(value: unknown, key: string): string {
  if (typeof value === 'string') return value;
  throw new MalformedBytes(`${key} is no text`);
}

function checkObject(value: unknown): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return value as Record<string, unknown>;
  }
  throw new MalformedBytes('a value is no object');
}

function readItem(reader: ByteReader): LogItem {
  const tag = reader.u8();
  if (tag === STATE) {
    const { promise, incarnation, muted } = parseObject(reader.text());
    return {
      type: 'state',
      promise: promise === null ? null : checkPromise(promise),
      incarnation: incarnation === null ? null : checkText(incarnation, 'incarnation'),
      muted: muted === null ? null : muted === true,
    };
  }
  if (tag === SNAPSHOT) {
    const { place, installed } = parseObject(reader.text());
    return { type: 'snapshot', place: checkSnapshotPlace(place), installed: installed === true };
  }
  if (tag === ENTRIES) return { type: 'entries', entries: readEntries(reader) };
  throw new MalformedBytes(`a group holds something with the tag ${tag}`);
}

function writeEntries(writer: ByteWriter, entries: readonly Entry[]): void {
  writer.u8(ENTRIES);
  writer.u32(entries.length);
  writer.u53(entries[0]?.index ?? 0);
  for (const { ballot, payload } of entries) {
    writer.u53(ballot);
    if (payload.type === 'noop') writer.u8(NOOP);
    else if (payload.type === 'members') {
      writer.u8(MEMBERS);
      writer.text(JSON.stringify(payload.configuration));
    } else writeChanges(writer, payload);
  }
}

function writeChanges(writer: ByteWriter, payload: Extract<Payload, { type: 'changes' }>): void {
  writer.u8(CHANGES);
  writer.text(payload.kind);
  writer.u32(payload.version);
  writer.u8(payload.requestId === null ? 0 : 1);
  if (payload.requestId !== null) writer.text(payload.requestId);
  writer.u32(payload.changes.length);
  for (const change of payload.changes) {
    writer.u32(change.length);
    writer.raw(change);
  }
}

function readEntries(reader: ByteReader): Entry[] {
  const count = reader.u32();
  const first = reader.u53();
  const entries: Entry[] = [];
  for (let place = 0; place < count; place++) {
    entries.push({ index: first + place, ballot: reader.u53(), payload: readPayload(reader) });
  }
  return entries;
}

function readPayload(reader: ByteReader): Payload {
  const tag = reader.u8();
  if (tag === NOOP) return { type: 'noop' };
  if (tag === MEMBERS) {
    return { type: 'members', configuration: checkConfiguration(parseObject(reader.text())) };
  }
  if (tag !== CHANGES) throw new MalformedBytes(`an entry holds something with the tag ${tag}`);
  const kind = reader.text();
  const version = reader.u32();
  const requestId = reader.u8() === 0 ? null : reader.text();
  const changes: Uint8Array[] = [];
  for (let left = reader.u32(); left > 0; left--) changes.push(reader.raw(reader.u32()));
  return { type: 'changes', kind, version, requestId, changes };
}
