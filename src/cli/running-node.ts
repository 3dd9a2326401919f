/**
 * How the verbs that speak to a running node find it: by its file or by its data directory.
 *
 * A node is where its data is: it holds the directory while it lives, and its control socket is
 * there. Shared by the verbs; what they say to it is theirs.
 */
import { failed, ok, type Result } from '../base/index.ts';
import type { ControlCommand, ControlCommands } from '../process/index.ts';
import { type CliDoors, EXIT } from './cli-doors.ts';
import { loadConfig, showProblems } from './load-config.ts';

/** Which node is meant; exactly one of the two is given. */
export interface NodePlace {
  readonly config?: string;
  readonly dataDir?: string;
}

/** What to print on stderr and how to end, where no answer was got. */
export interface NoAnswer {
  readonly words: string;
  readonly exitCode: number;
}

/** Sends a command to the node that is meant. */
export async function askRunningNode<Name extends ControlCommand>(
  place: NodePlace,
  command: { readonly name: Name; readonly given: ControlCommands[Name]['given'] },
  doors: CliDoors,
): Promise<Result<ControlCommands[Name]['answer'], NoAnswer>> {
  const dataDirs = dataDirectories(place, doors);
  if (!dataDirs.ok) return dataDirs;
  const answer = await doors.askNode(dataDirs.value, command.name, command.given);
  if (answer.ok) return answer;
  if (answer.error.type === 'failed') {
    return failed({ words: `The node says: ${answer.error.message}.\n`, exitCode: EXIT.failed });
  }
  const words =
    `No node runs with its data in ${dataDirs.value.join(' or ')}.\n` +
    'Name the directory with --data-dir if the node was started in another folder, or with another file.\n';
  return failed({ words, exitCode: EXIT.absent });
}

function dataDirectories(place: NodePlace, doors: CliDoors): Result<readonly string[], NoAnswer> {
  if ((place.config === undefined) === (place.dataDir === undefined)) {
    const words = 'Say which node: either --config FILE or --data-dir DIR.\n';
    return failed({ words, exitCode: EXIT.usage });
  }
  if (place.dataDir !== undefined) return ok([doors.absolutePath(place.dataDir)]);
  const loaded = loadConfig(place.config ?? '', doors);
  if (loaded.ok) return ok(doors.dataDirectories(loaded.value.config));
  const words = `${showProblems(loaded.error)}The node was not asked. It can be, with --data-dir.\n`;
  return failed({ words, exitCode: EXIT.failed });
}
