/**
 * Copies a log into one file, from which `restoreLog` makes a new cluster.
 *
 * Only reads, so it works beside a running node. The node appends, begins segments and removes old
 * ones meanwhile; a look that met a file on its way out, or a record that was half written, is
 * thrown away and taken again. A real damage stays where it is.
 */
import { dirname, join } from 'node:path';
import { type ArrokothError, failed, ok, type Result } from '../../base/index.ts';
import { backupRecords } from './backup-file.ts';
import type { LogDisk } from './log-disk.ts';
import { createFile, UNFINISHED } from './log-folder.ts';
import { toError, toProblem } from './log-problem.ts';
import { type LogReading, readLog } from './read-log.ts';

/** Looks before it is a damage: a node would have to begin a segment during each. */
const LOOKS_MAX = 8;

/** What a backup was made of. */
export interface BackupMade {
  readonly storage: string;
  readonly incarnation: string | null;
  readonly lastIndex: number;
  readonly sizeBytes: number;
}

/** Writes the backup; null: the folder holds no log. The file is durable, or not there. */
export function backupLog(options: {
  readonly disk: LogDisk;
  readonly folder: string;
  readonly file: string;
}): Result<BackupMade | null, ArrokothError> {
  const { disk, folder, file } = options;
  const read = lookUntilWhole(disk, folder);
  if (!read.ok) return read;
  const reading = read.value;
  if (reading === null) return ok(null);
  const { storage, state, snapshot } = reading;
  const { promise, incarnation, lastIndex } = state;
  const covered = snapshot?.index ?? 0;
  const entries = reading.entries.filter((entry) => entry.index > covered);
  const records = backupRecords({ storage, incarnation, promise, snapshot, entries });
  try {
    const sizeBytes = putRecords(disk, file, records);
    return ok({ storage, incarnation, lastIndex, sizeBytes });
  } catch (error) {
    return failed(toError(toProblem(error, file)));
  }
}

function lookUntilWhole(disk: LogDisk, folder: string): Result<LogReading | null, ArrokothError> {
  for (let look = 1; ; look++) {
    const read = readLog({ disk, folder });
    if (read.ok) return read;
    if (look === LOOKS_MAX || read.error.code === 'LOG_VERSION') return failed(toError(read.error));
  }
}

function putRecords(disk: LogDisk, path: string, records: Iterable<Uint8Array>): number {
  const unfinished = `${path}${UNFINISHED}`;
  const file = createFile(disk, unfinished);
  let sizeBytes = 0;
  try {
    for (const bytes of records) {
      file.write(sizeBytes, bytes);
      sizeBytes += bytes.length;
    }
    file.syncNow();
  } catch (error) {
    disk.remove(unfinished);
    throw error;
  } finally {
    file.close();
  }
  disk.rename(unfinished, path);
  disk.syncFolder(dirname(join(path)));
  return sizeBytes;
}
