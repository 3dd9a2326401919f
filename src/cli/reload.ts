/**
 * `arrokoth reload`: has a running node read its configuration again, and says what came of it.
 *
 * The node reads the file that it was started with, whichever way it was found.
 */
import type { ReloadReport } from '../process/index.ts';
import { type CliDoors, EXIT } from './cli-doors.ts';
import { askRunningNode, type NodePlace } from './running-node.ts';

/** Options of the verb. */
export interface ReloadOptions extends NodePlace {
  /** Prints the report as one line of JSON. */
  readonly json?: boolean;
}

/** Resolves with the exit code: `ok` when every worker acts on the file, as far as it can be applied. */
export async function reload(options: ReloadOptions, doors: CliDoors): Promise<number> {
  const answer = await askRunningNode(options, { name: 'reload', given: null }, doors);
  if (!answer.ok) {
    doors.stderr(answer.error.words);
    return answer.error.exitCode;
  }
  const report = answer.value;
  const isWhole = report.result !== 'refused' && report.late.length === 0;
  if (options.json === true) doors.stdout(`${JSON.stringify(report)}\n`);
  else {
    for (const warning of report.warnings) doors.stderr(`warning: ${warning}\n`);
    (isWhole ? doors.stdout : doors.stderr)(describeReload(report));
  }
  return isWhole ? EXIT.ok : EXIT.failed;
}

/** The report as people read it. */
export function describeReload(report: ReloadReport): string {
  const { result, applied, restart, problems, late } = report;
  const parts = [OUTCOMES[result], list('', problems)];
  parts.push(list('Applied:', applied), list('Waiting for a restart of the node:', restart));
  parts.push(list('These workers have not said yet that they have taken it over:', late));
  return parts.join('');
}

const OUTCOMES: Readonly<Record<ReloadReport['result'], string>> = {
  applied: 'Reloaded.\n',
  unchanged: 'Nothing to apply.\n',
  refused: 'Refused; nothing has changed.\n',
};

function list(title: string, lines: readonly string[]): string {
  if (lines.length === 0) return '';
  return `${title === '' ? '' : `${title}\n`}${lines.map((line) => `  ${line}\n`).join('')}`;
}
