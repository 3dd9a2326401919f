/**
 * What is wrong with a configuration file, where, and how it is told.
 *
 * Problems are values: a start collects all of them before it gives up, so that an operator
 * corrects a file once and not once per mistake. `load.ts` makes them, the CLI prints them.
 */

/** One mistake; `line` and `column` count from 1. */
export interface ConfigProblem {
  readonly line: number;
  readonly column: number;
  /** Dotted name of the key, or empty when the file as a whole is meant. */
  readonly key: string;
  /** What was expected, what was met, and what to do where that is not plain. */
  readonly message: string;
}

/** A file with more mistakes than this is not a configuration file; the rest is only counted. */
export const PROBLEMS_MAX = 100;
/** Keys, and what a parser quotes, come from the file and may be of any length. */
const KEY_LENGTH_MAX = 120;
const MESSAGE_LENGTH_MAX = 600;

/** Lines such as `config.yml:12:3 callback.timeout: expected a duration such as 10s, got "abc"`. */
export function formatProblems(path: string, problems: readonly ConfigProblem[]): string[] {
  const lines = problems
    .slice(0, PROBLEMS_MAX)
    .map((problem) => `${formatPlace(path, problem)}: ${oneLine(problem.message, MESSAGE_LENGTH_MAX)}`);
  const unsaid = problems.length - lines.length;
  return unsaid === 0 ? lines : [...lines, `${path}: and ${unsaid} more`];
}

/** The beginning of such a line, for warnings too. */
export function formatPlace(path: string, place: Omit<ConfigProblem, 'message'>): string {
  const position = `${path}:${place.line}:${place.column}`;
  return place.key === '' ? position : `${position} ${oneLine(place.key, KEY_LENGTH_MAX)}`;
}

/** Text of a file as it may appear in a message: one line, bounded, without control characters. */
export function quoteShort(text: string, lengthMax = 60): string {
  const shown = text.length <= lengthMax ? text : `${text.slice(0, lengthMax)}…`;
  return JSON.stringify(shown);
}

function oneLine(text: string, lengthMax: number): string {
  const shown = text.length <= lengthMax ? text : `${text.slice(0, lengthMax)}…`;
  // Control characters could forge further lines, or move the cursor of a terminal.
  return shown.replace(/[\p{Cc}\p{Zl}\p{Zp}]/gu, '\ufffd');
}
