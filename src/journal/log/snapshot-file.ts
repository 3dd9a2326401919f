/**
 * A snapshot on disk: written beside the log, synced piece by piece, and only then given its name.
 *
 * A file with its name is whole and durable. It counts when a record of the log says so, with its
 * checksum; until then the one before it does, and both are there.
 */
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import type { Snapshot } from '../../consensus/index.ts';
import { MalformedBytes } from './byte-reader.ts';
import { ByteWriter } from './byte-writer.ts';
import type { SnapshotPlace } from './item-codec.ts';
import type { LogDisk, LogFile } from './log-disk.ts';
import { createFile, snapshotName, UNFINISHED } from './log-folder.ts';
import { readRecord } from './record-reader.ts';
import { SnapshotAssembler, snapshotRecords } from './snapshot-codec.ts';

/** Bytes written between two syncs: what a disk takes in a few milliseconds. */
const SYNC_BYTES = 1_024 * 1_024;

/** What a write needs to know. */
export interface SnapshotTarget {
  readonly disk: LogDisk;
  readonly folder: string;
  readonly number: number;
}

/** Writes a snapshot; `done` gets its place once it is durable under its name. */
export function writeSnapshotFile(
  target: SnapshotTarget,
  snapshot: Snapshot,
  done: (error: Error | null, place: SnapshotPlace | null) => void,
): void {
  const { disk, folder, number } = target;
  const path = join(folder, snapshotName(number));
  const unfinished = `${path}${UNFINISHED}`;
  const records = snapshotRecords(snapshot, new ByteWriter(), number);
  let file: LogFile | null = null;
  let sizeBytes = 0;
  let checksum = 0;

  const giveUp = (error: unknown): void => {
    abandon(disk, unfinished, file);
    done(error instanceof Error ? error : new Error(String(error)), null);
  };
  /** Writes until there is enough for a sync; true: that was all. */
  const writePiece = (to: LogFile): boolean => {
    const syncAt = sizeBytes + SYNC_BYTES;
    while (sizeBytes < syncAt) {
      const { value, done: isLast } = records.next();
      if (isLast === true) return true;
      to.write(sizeBytes, value as Uint8Array);
      checksum = crc32(value as Uint8Array, checksum);
      sizeBytes += (value as Uint8Array).length;
    }
    return false;
  };
  const step = (error: Error | null): void => {
    if (error !== null) return giveUp(error);
    try {
      file ??= createFile(disk, unfinished);
      const isLast = writePiece(file);
      file.sync(isLast ? finish : step);
    } catch (thrown) {
      giveUp(thrown);
    }
  };
  const finish = (error: Error | null): void => {
    if (error !== null) return giveUp(error);
    try {
      file?.close();
      file = null;
      disk.rename(unfinished, path);
      disk.syncFolder(folder);
    } catch (thrown) {
      return giveUp(thrown);
    }
    const { index, ballot } = snapshot;
    done(null, { number, index, ballot, sizeBytes, checksum });
  };
  step(null);
}

/** What a snapshot file holds, or why it is not the one that the log means. */
export function readSnapshotFile(
  bytes: Uint8Array,
  place: SnapshotPlace,
): { readonly snapshot: Snapshot } | { readonly offset: number; readonly why: string } {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const assembler = new SnapshotAssembler();
  let at = 0;
  for (;;) {
    const found = readRecord(buffer, at, place.number);
    if (found.type === 'end') return { offset: at, why: 'the file ends before the snapshot does' };
    if (found.type !== 'record') return { offset: at, why: `the record ${found.why}` };
    try {
      const snapshot = assembler.add(found.kind, found.content);
      if (snapshot !== null) return checkWhole(buffer, found.endAt, place, snapshot);
    } catch (error) {
      if (!(error instanceof MalformedBytes)) throw error;
      return { offset: at, why: `the record makes no sense to this release: ${error.message}` };
    }
    at = found.endAt;
  }
}

function checkWhole(bytes: Buffer, endAt: number, place: SnapshotPlace, snapshot: Snapshot) {
  if (endAt !== bytes.length) return { offset: endAt, why: 'something follows the end of the snapshot' };
  const isMeant =
    bytes.length === place.sizeBytes &&
    crc32(bytes) === place.checksum &&
    snapshot.index === place.index &&
    snapshot.ballot === place.ballot;
  return isMeant ? { snapshot } : { offset: 0, why: 'it is not the snapshot that the log names' };
}

function abandon(disk: LogDisk, path: string, file: LogFile | null): void {
  try {
    file?.close();
    disk.remove(path);
  } catch {
    // A file without its name is read by nobody and removed by the next start.
  }
}
