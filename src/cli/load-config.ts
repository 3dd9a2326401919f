/**
 * From a path to a configuration, or to words for the person who gave the path.
 *
 * Shared by the verbs that take a file; `config/` knows what may stand in it.
 */
import { ArrokothError, failed, ok, type Result } from '../base/index.ts';
import { formatProblems, parseConfig } from '../config/index.ts';
import type { CliDoors, NodeRequest } from './cli-doors.ts';

/** Reads and checks the file at `path`; the error is ready to be shown. */
export function loadConfig(path: string, doors: CliDoors): Result<NodeRequest, string> {
  let text: string;
  try {
    text = doors.readText(path);
  } catch (cause) {
    const details = `${path}: ${cause instanceof Error ? cause.message : String(cause)}.`;
    return failed(`${new ArrokothError('CONFIG_UNREADABLE', details, { cause }).message}\n`);
  }
  const parsed = parseConfig({ text, path, env: doors.env });
  if (!parsed.ok)
    return failed(
      formatProblems(path, parsed.error)
        .map((line) => `${line}\n`)
        .join(''),
    );
  return ok(parsed.value);
}
