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
  const { promise, snapshot, firstIndex, lastIndex, incomplete, leftovers } = summary;
  const voted = promise.votedFor === null ? 'no vote in it' : `voted for ${promise.votedFor}`;
  const lines = [
    `OK: the log in ${place} can be read to its end.`,
    `  storage      ${summary.storage}`,
    `  incarnation  ${summary.incarnation ?? 'none: it has joined no cluster yet'}`,
    `  promise      ballot ${promise.ballot}, ${voted}`,
    snapshot === null
      ? '  snapshot     none'
      : `  snapshot     at index ${snapshot.index}, ballot ${snapshot.ballot}, ${snapshot.stateBytes} bytes of state`,
    `  entries      ${firstIndex === null ? 'none' : `${firstIndex} to ${lastIndex}`}, the log ends at ${lastIndex}`,
    `  segments     ${summary.segments}`,
  ];
  if (summary.muted)
    lines.push('  muted        it lost something once, and the master has not brought it back yet');
  if (incomplete !== null) {
    lines.push(
      `  incomplete   ${incomplete.file}, at byte ${incomplete.offset}: ${incomplete.why}.`,
      '               If no node is writing there now, the next start cuts it and does not vote until it is back.',
    );
  }
  if (leftovers.length > 0)
    lines.push(`  leftovers    ${leftovers.join(', ')}: do not count; a start removes them`);
  return `${lines.join('\n')}\n`;
}
