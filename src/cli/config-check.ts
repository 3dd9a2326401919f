/**
 * `arrokoth config check FILE`: everything that is wrong with a file, or what it would do.
 */
import { type CliDoors, EXIT } from './cli-doors.ts';
import { describeListeners } from './listeners.ts';
import { loadConfig, showProblems } from './load-config.ts';

/** Checks the file at `path`; problems and doubts go to stderr, the summary to stdout. */
export function configCheck(path: string, doors: CliDoors): number {
  const loaded = loadConfig(path, doors);
  if (!loaded.ok) {
    doors.stderr(showProblems(loaded.error));
    return EXIT.failed;
  }
  const { config, warnings } = loaded.value;
  const files = doors.checkTls(config);
  for (const warning of [...warnings, ...files.warnings]) doors.stderr(`warning: ${warning}\n`);
  if (files.problems.length > 0) {
    for (const problem of files.problems) doors.stderr(`${path}: ${problem}\n`);
    return EXIT.failed;
  }
  const workers = config.workers === 1 ? '1 gateway worker' : `${config.workers} gateway workers`;
  doors.stdout(`OK: ${path} describes a node with ${workers} that listens on\n${describeListeners(config)}`);
  return EXIT.ok;
}
