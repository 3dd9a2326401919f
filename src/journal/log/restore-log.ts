/**
 * Makes the first member of a new cluster out of a backup.
 *
 * The state and the entries are the backup's; the incarnation and the storage id are new, and the
 * last entry makes this node the only voter, and others learners that have yet to join. Members of
 * the old cluster that still run are thus strangers to it. The identity is written last: an
 * interrupted restore leaves a folder that no node starts with.
 */
import { crc32 } from 'node:zlib';
import { ArrokothError, assert, failed, ok, type Random, type Result } from '../../base/index.ts';
import type { Configuration, Entry, Member, Snapshot } from '../../consensus/index.ts';
import { type LogBackup, readBackup } from './backup-file.ts';
import { ByteWriter } from './byte-writer.ts';
import { drawStorage, putIdentity } from './identity-file.ts';
import { type LogItem, type SnapshotPlace, writeItem } from './item-codec.ts';
import type { LogDisk } from './log-disk.ts';
import { putFile, segmentName, snapshotName } from './log-folder.ts';
import { toError, toProblem } from './log-problem.ts';
import { EMPTY_LOG } from './log-state.ts';
import { beginRecord, endRecord } from './record-codec.ts';
import { writeSegmentHeader } from './segment-header.ts';
import { snapshotRecords } from './snapshot-codec.ts';

/** Number of the segment and the snapshot that are made. */
const FIRST = 1;
/** Of one record. */
const GROUP_ENTRIES = 1_000;

/** What to restore, and where to. */
export interface RestoreLogOptions {
  readonly disk: LogDisk;
  readonly folder: string;
  readonly file: string;
  /** Address of the new member; null: that of the member whose log it was. */
  readonly name: string | null;
  /** Addresses of those who are to join it, each with an empty folder. */
  readonly others: readonly string[];
  readonly random: Random;
}

/** What came of it. */
export interface Restoration {
  readonly name: string;
  readonly storage: string;
  readonly incarnation: string;
  readonly lastIndex: number;
  /** Members of the old cluster that are not of the new one. */
  readonly left: readonly string[];
}

/** Fills an empty folder, or says why not. */
export function restoreLog(options: RestoreLogOptions): Result<Restoration, ArrokothError> {
  const { disk, folder, file, random } = options;
  try {
    const read = readBackup(disk.read(file));
    if ('why' in read) return failed(unusable(`${file}, at byte ${read.offset}: ${read.why}.`));
    const taken = disk.list(folder);
    if (taken.length > 0)
      return failed(new ArrokothError('LOG_FOLDER_TAKEN', `${folder} holds ${taken.join(', ')}.`));
    const founder = findFounder(read.backup, options.name);
    if (founder === null) {
      return failed(unusable('It does not say which member it was made of: name the new one with --name.'));
    }
    const storage = drawStorage(random);
    const incarnation = drawStorage(random);
    disk.makeFolder(folder);
    const voter: Member = { ...founder, storage, role: 'voter' };
    const others = [...new Set(options.others)].filter((other) => other !== founder.name);
    const members = [voter, ...others.map(newcomer)];
    const lastIndex = putLog(options, read.backup, members, incarnation);
    const { name } = founder;
    const left = membersOf(read.backup)
      .map((member) => member.name)
      .filter((old) => members.every((member) => member.name !== old));
    return ok({ name, storage, incarnation, lastIndex, left });
  } catch (error) {
    return failed(toError(toProblem(error, folder)));
  }
}

/** The member that the backup was made of, under its old name or a new one. */
function findFounder(backup: LogBackup, name: string | null): Member | null {
  const author = membersOf(backup).find(({ storage }) => storage === backup.storage) ?? null;
  if (name === null) return author;
  return { name, storage: null, role: 'voter', knows: author?.knows ?? {} };
}

/** The latest configuration in the backup. */
function membersOf({ snapshot, entries }: LogBackup): readonly Member[] {
  let latest: Configuration | null = snapshot?.configuration ?? null;
  for (const { payload } of entries) {
    if (payload.type === 'members') latest = payload.configuration;
  }
  return latest?.members ?? [];
}

/** As a member is that was added and has not answered yet. */
function newcomer(name: string): Member {
  return { name, storage: null, role: 'learner', knows: {} };
}

/** The first of the members is this node; the index of the last entry. */
function putLog(
  options: RestoreLogOptions,
  backup: LogBackup,
  members: readonly Member[],
  incarnation: string,
): number {
  const { disk, folder } = options;
  const { snapshot, entries } = backup;
  const voter = members[0] as Member;
  const storage = voter.storage as string;
  const place = snapshot === null ? null : putSnapshot(disk, folder, snapshot);
  // Above everything that was ever promised or written in the old cluster, as far as it is known here.
  const ballot = Math.max(backup.promise.ballot, snapshot?.ballot ?? 0, entries.at(-1)?.ballot ?? 0) + 1;
  const index = (entries.at(-1)?.index ?? snapshot?.index ?? 0) + 1;
  const last: Entry = { index, ballot, payload: { type: 'members', configuration: { members } } };
  const items: LogItem[] = [
    { type: 'state', promise: { ballot, votedFor: voter.name }, incarnation, muted: false },
    ...(place === null ? [] : [{ type: 'snapshot' as const, place, installed: true }]),
    ...inGroups([...entries, last]),
  ];
  putSegment(disk, folder, storage, items);
  putIdentity(disk, folder, storage);
  return index;
}

function putSnapshot(disk: LogDisk, folder: string, snapshot: Snapshot): SnapshotPlace {
  const parts: Uint8Array[] = [];
  let sizeBytes = 0;
  let checksum = 0;
  for (const bytes of snapshotRecords(snapshot, new ByteWriter(), FIRST)) {
    // The next record is written over this one.
    parts.push(new Uint8Array(bytes));
    sizeBytes += bytes.length;
    checksum = crc32(bytes, checksum);
  }
  putFile(disk, folder, snapshotName(FIRST), parts);
  return { number: FIRST, index: snapshot.index, ballot: snapshot.ballot, sizeBytes, checksum };
}

function inGroups(entries: readonly Entry[]): LogItem[] {
  const groups: LogItem[] = [];
  for (let from = 0; from < entries.length; from += GROUP_ENTRIES) {
    groups.push({ type: 'entries', entries: entries.slice(from, from + GROUP_ENTRIES) });
  }
  return groups;
}

/** One segment, exactly full: the node begins the next one with its first record. */
function putSegment(disk: LogDisk, folder: string, storage: string, items: readonly LogItem[]): void {
  const header = new ByteWriter();
  const putHeader = (sizeBytes: number): number => {
    header.clear();
    writeSegmentHeader(header, FIRST, { storage, sizeBytes, previous: null, state: EMPTY_LOG });
    return header.length;
  };
  // The size is known at the end; the header is as long with it, because it fills its sectors.
  const headerBytes = putHeader(Number.MAX_SAFE_INTEGER);
  const groups = new ByteWriter();
  for (const item of items) {
    const start = beginRecord(groups);
    writeItem(groups, item);
    endRecord(groups, start, 'group', { fileNumber: FIRST, offset: headerBytes + start });
  }
  assert(putHeader(headerBytes + groups.length) === headerBytes, 'the size changes no length');
  putFile(disk, folder, segmentName(FIRST), [header.written(), groups.written()]);
}

function unusable(details: string): ArrokothError {
  return new ArrokothError('LOG_BACKUP_UNUSABLE', details);
}
