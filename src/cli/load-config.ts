/**
 * From a path to a configuration, or to words for the person who gave the path.
 *
 * Shared by the verbs that take a file; `config/` knows what may stand in it.
 */
import { ArrokothError, failed, ok, type Result } from '../base/index.ts';
import { formatProblems, type LoadedConfig, parseConfig } from '../config/index.ts';
import type { CliDoors } from './cli-doors.ts';

/** Reads and checks the file at `path`; the error is ready to be shown, one line a problem. */
export function loadConfig(path: string, doors: CliDoors): Result<LoadedConfig, readonly string[]> {
  let text: string;
  try {
    text = doors.readText(path);
  } catch (cause) {
    const details = `${path}: ${cause instanceof Error ? cause.message : String(cause)}.`;
    return failed([new ArrokothError('CONFIG_UNREADABLE', details, { cause }).message]);
  }
  const parsed = parseConfig({ text, path, env: doors.env });
  return parsed.ok ? ok(parsed.value) : failed(formatProblems(path, parsed.error));
}

/** The lines as people read them. */
export function showProblems(problems: readonly string[]): string {
  return problems.map((line) => `${line}\n`).join('');
}
