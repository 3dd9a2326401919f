/**
 * `arrokoth log verify`: reads a log from its first byte to its last, and says what it is.
 *
 * Changes nothing, and may be asked of a node that runs.
 */
import { type LogSummary, verifyLog } from '../journal/index.ts';
import { type CliDoors, EXIT } from './cli-doors.ts';
import { folderOf, type LogPlace, logFailure, noLog } from './log-place.ts';

/** Options of the verb. */
export interface LogVerifyOptions extends LogPlace {
  /** Prints the summary as one line of JSON. */
  readonly json?: boolean;
}

/** The exit code: `ok` when everything that counts can be read. */
export function logVerify(options: LogVerifyOptions, doors: CliDoors): number {
  const summary = verifyLog({ disk: doors.logDisk, folder: folderOf(options, doors) });
  if (!summary.ok) return logFailure(summary.error, doors);
  if (summary.value === null) return noLog(options, doors);
  doors.stdout(
    options.json === true ? `${JSON.stringify(summary.value)}\n` : describe(summary.value, options.data),
  );
  return EXIT.ok;
}

function describe(summary: LogSummary, place: string): string {
  const { promise, firstIndex, lastIndex, incomplete, leftovers } = summary;
  const facts: [string, string][] = [
    ['storage', summary.storage],
    ['incarnation', summary.incarnation ?? 'none: it has joined no cluster yet'],
    ['promise', `ballot ${promise.ballot}, ${promise.votedFor ?? 'nobody'} has its vote`],
    ['snapshot', describeSnapshot(summary)],
    ['entries', `${firstIndex === null ? 'none' : `${firstIndex} to ${lastIndex}`}, it ends at ${lastIndex}`],
    ['segments', `${summary.segments}`],
  ];
  if (summary.muted) facts.push(['muted', 'it lost something, and the master has not brought it back yet']);
  if (incomplete !== null) {
    facts.push(['incomplete', `${incomplete.file}, at byte ${incomplete.offset}: ${incomplete.why}`]);
    facts.push(['', 'if no node writes there now, the next start cuts it and is muted']);
  }
  if (leftovers.length > 0) facts.push(['leftovers', `${leftovers.join(', ')}: a start removes them`]);
  const lines = facts.map(([name, text]) => `  ${name.padEnd(12)} ${text}\n`);
  return `OK: the log in ${place} can be read to its end.\n${lines.join('')}`;
}

function describeSnapshot({ snapshot }: LogSummary): string {
  if (snapshot === null) return 'none';
  return `at index ${snapshot.index}, ballot ${snapshot.ballot}, ${snapshot.stateBytes} bytes of state`;
}
