/**
 * Why a log cannot be read: which file, where in it, and what is wrong there.
 *
 * A value, because damage is expected of disks. Nothing is ever repaired by guessing: the reader
 * stops at the first wrong byte, and `toError` tells the operator what there is to do.
 */
import { ArrokothError } from '../../base/index.ts';

/** What was met. */
export interface LogProblem {
  readonly code: 'LOG_DAMAGED' | 'LOG_VERSION' | 'LOG_DISK_FAILED';
  readonly file: string;
  /** In bytes from its beginning. */
  readonly offset: number;
  /** Half a sentence. */
  readonly why: string;
  readonly cause?: unknown;
}

/** Carries a problem up to whoever began to read; does not leave this folder. */
export class LogTrouble extends Error {
  override name = 'LogTrouble';
  readonly problem: LogProblem;

  constructor(problem: LogProblem) {
    super(describe(problem));
    this.problem = problem;
  }
}

/** What an operator reads. */
export function toError(problem: LogProblem): ArrokothError {
  return new ArrokothError(problem.code, describe(problem), { cause: problem.cause });
}

/** Whatever was thrown, as a problem with the file or folder at `path`. */
export function toProblem(error: unknown, path: string): LogProblem {
  if (error instanceof LogTrouble) return error.problem;
  const why = error instanceof Error ? error.message : String(error);
  return { code: 'LOG_DISK_FAILED', file: path, offset: 0, why, cause: error };
}

function describe({ code, file, offset, why }: LogProblem): string {
  return code === 'LOG_DISK_FAILED' ? `${file}: ${why}.` : `${file}, at byte ${offset}: ${why}.`;
}
