/**
 * `arrokoth log backup FILE`: copies the log of a node into one file.
 *
 * Only reads the log, so the node may go on running. The file gets its name when it is whole.
 */
import { backupLog } from '../journal/index.ts';
import { type CliDoors, EXIT } from './cli-doors.ts';
import { folderOf, type LogPlace, logFailure, noLog } from './log-place.ts';

/** The exit code. */
export function logBackup(file: string, options: LogPlace, doors: CliDoors): number {
  const path = doors.absolutePath(file);
  const made = backupLog({ disk: doors.logDisk, folder: folderOf(options, doors), file: path });
  if (!made.ok) return logFailure(made.error, doors);
  if (made.value === null) return noLog(options, doors);
  const { lastIndex, sizeBytes, incarnation } = made.value;
  doors.stdout(
    `OK: ${file} holds the log up to index ${lastIndex}, ${sizeBytes} bytes, ` +
      `of the cluster ${incarnation ?? 'that the node has yet to join'}.\n`,
  );
  return EXIT.ok;
}
