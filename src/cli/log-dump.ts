/**
 * `arrokoth log dump`: shows a log as it was written, one line of JSON a fact.
 *
 * Changes nothing, and may be asked of a node that runs.
 */
import { dumpLog } from '../journal/index.ts';
import { type CliDoors, EXIT } from './cli-doors.ts';
import { folderOf, type LogPlace, logFailure, noLog } from './log-place.ts';

/** Options of the verb. */
export interface LogDumpOptions extends LogPlace {
  /** Shows what was submitted. */
  readonly changes?: boolean;
}

/** The exit code: `failed` when the log is damaged; what comes before the damage is shown. */
export function logDump(options: LogDumpOptions, doors: CliDoors): number {
  const dumped = dumpLog({
    disk: doors.logDisk,
    folder: folderOf(options, doors),
    withChanges: options.changes === true,
    line: (text) => doors.stdout(`${text}\n`),
  });
  if (!dumped.ok) return logFailure(dumped.error, doors);
  return dumped.value ? EXIT.ok : noLog(options, doors);
}
