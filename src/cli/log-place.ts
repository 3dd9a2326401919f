/**
 * Which log a verb means, and what it says where there is none.
 *
 * Shared by the verbs of `arrokoth log`.
 */
import type { ArrokothError } from '../base/index.ts';
import { logFolder } from '../journal/index.ts';
import { type CliDoors, EXIT } from './cli-doors.ts';

/** Options that all of the verbs have. */
export interface LogPlace {
  /** The data directory of the node. */
  readonly data: string;
}

/** Where the log is. */
export function folderOf(place: LogPlace, doors: CliDoors): string {
  return logFolder(doors.absolutePath(place.data));
}

/** Says that there is no log; the exit code. */
export function noLog(place: LogPlace, doors: CliDoors): number {
  doors.stderr(`There is no log in ${folderOf(place, doors)}.\n`);
  return EXIT.absent;
}

/** Says what is wrong; the exit code. */
export function logFailure(error: ArrokothError, doors: CliDoors): number {
  doors.stderr(`${error.code}: ${error.message}\n`);
  return EXIT.failed;
}
