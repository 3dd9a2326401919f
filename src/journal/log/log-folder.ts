/**
 * Names of the files of a log, and the steps that make one of them appear whole or not at all.
 *
 *     identity            whose log it is
 *     00000001.log        segments, numbered without holes
 *     00000001.snapshot   snapshots; the log says which one counts
 *     *.tmp               not finished, or about to be used; nobody reads those
 *
 * Other names, such as the lock's, are not ours and stay as they are. Synchronous, for start-up.
 */
import { join } from 'node:path';
import type { LogDisk, LogFile } from './log-disk.ts';

/** Where the log of a node is, in its data directory. */
export function logFolder(dataDir: string): string {
  return join(dataDir, 'log');
}

/** The file that says whose log it is. */
export const IDENTITY_NAME = 'identity';
/** The end of a name that marks a file as unfinished. */
export const UNFINISHED = '.tmp';

const SEGMENT_NAME = /^(\d{8,15})\.log$/;
const SNAPSHOT_NAME = /^(\d{8,15})\.snapshot$/;

/** What a folder holds, in ascending order of their numbers. */
export interface FolderContent {
  readonly hasIdentity: boolean;
  readonly segments: readonly number[];
  readonly snapshots: readonly number[];
  readonly unfinished: readonly string[];
}

/** Name of a segment. */
export function segmentName(number: number): string {
  return `${String(number).padStart(8, '0')}.log`;
}

/** Name of a snapshot. */
export function snapshotName(number: number): string {
  return `${String(number).padStart(8, '0')}.snapshot`;
}

/** Looks at the names of a folder. */
export function listFolder(disk: LogDisk, folder: string): FolderContent {
  const names = disk.list(folder);
  return {
    hasIdentity: names.includes(IDENTITY_NAME),
    segments: numbersIn(names, SEGMENT_NAME),
    snapshots: numbersIn(names, SNAPSHOT_NAME),
    unfinished: names.filter((name) => name.endsWith(UNFINISHED)),
  };
}

/** Puts a file with those bytes into the folder: durable when it returns, and never there in part. */
export function putFile(disk: LogDisk, folder: string, name: string, parts: readonly Uint8Array[]): void {
  const unfinished = join(folder, `${name}${UNFINISHED}`);
  const file = createFile(disk, unfinished);
  try {
    let at = 0;
    for (const part of parts) {
      file.write(at, part);
      at += part.length;
    }
    file.syncNow();
  } finally {
    file.close();
  }
  disk.rename(unfinished, join(folder, name));
  disk.syncFolder(folder);
}

/** Creates an empty file in the place of what an earlier attempt left. */
export function createFile(disk: LogDisk, path: string): LogFile {
  disk.remove(path);
  return disk.open(path, { create: true });
}

function numbersIn(names: readonly string[], pattern: RegExp): number[] {
  const numbers = names.flatMap((name) => {
    const digits = pattern.exec(name)?.[1];
    return digits === undefined ? [] : [Number(digits)];
  });
  return numbers.sort((left, right) => left - right);
}
