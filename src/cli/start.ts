/**
 * `arrokoth start --config FILE`: runs a node until it is told to stop.
 */
import { type CliDoors, EXIT, type NodeRequest } from './cli-doors.ts';
import { describeStarted } from './listeners.ts';
import { loadConfig, showProblems } from './load-config.ts';

/** Starts from the file at `configPath` and resolves with the exit code when the node has ended. */
export async function start(configPath: string, doors: CliDoors): Promise<number> {
  const loaded = loadConfig(configPath, doors);
  if (!loaded.ok) {
    doors.stderr(showProblems(loaded.error));
    return EXIT.failed;
  }
  const file = doors.absolutePath(configPath);
  return await runNode({ ...loaded.value, file, reread: () => loadConfig(file, doors) }, doors);
}

/** Starts what `request` describes, says where it listens, and waits for its end. */
export async function runNode(request: NodeRequest, doors: CliDoors): Promise<number> {
  const started = await doors.startNode(request);
  if (!started.ok) {
    doors.stderr(`${started.error.code}: ${started.error.message}\n`);
    return EXIT.failed;
  }
  // Without addresses it was told to stop before it served.
  if (started.value.addresses.length > 0)
    doors.stdout(describeStarted(started.value, doors.version, request.config));
  return await started.value.ended;
}
