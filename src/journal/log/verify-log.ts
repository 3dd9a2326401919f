/**
 * Reads every byte of a log that counts and says what it is, or where it is damaged.
 *
 * Changes nothing and takes no lock, so it may be asked of a running node's folder; then the end may
 * be a record that is being written at this moment.
 */
import { type ArrokothError, failed, ok, type Result } from '../../base/index.ts';
import type { LogDisk } from './log-disk.ts';
import { toError } from './log-problem.ts';
import { type LogReading, readLog } from './read-log.ts';

/** What a log is. */
export interface LogSummary {
  readonly storage: string;
  readonly incarnation: string | null;
  readonly promise: { readonly ballot: number; readonly votedFor: string | null };
  readonly muted: boolean;
  /** Index and ballot, and bytes of its state; null: there is none. */
  readonly snapshot: { readonly index: number; readonly ballot: number; readonly stateBytes: number } | null;
  /** Of those that are there; null: none. */
  readonly firstIndex: number | null;
  readonly lastIndex: number;
  readonly segments: number;
  /** The incomplete record at the end; null: there is none. */
  readonly incomplete: { readonly file: string; readonly offset: number; readonly why: string } | null;
  /** Files that a start would remove. */
  readonly leftovers: readonly string[];
}

/** The summary, null where there is no log, or the damage. */
export function verifyLog(options: {
  readonly disk: LogDisk;
  readonly folder: string;
}): Result<LogSummary | null, ArrokothError> {
  const read = readLog(options);
  if (!read.ok) return failed(toError(read.error));
  return ok(read.value === null ? null : summaryOf(read.value));
}

function summaryOf(reading: LogReading): LogSummary {
  const { storage, state, snapshot, entries, segments, cut, leftovers } = reading;
  return {
    storage,
    incarnation: state.incarnation,
    promise: state.promise,
    muted: state.muted,
    snapshot:
      snapshot === null
        ? null
        : { index: snapshot.index, ballot: snapshot.ballot, stateBytes: snapshot.state.length },
    firstIndex: entries[0]?.index ?? null,
    lastIndex: state.lastIndex,
    segments: segments.length,
    incomplete: cut,
    leftovers,
  };
}
