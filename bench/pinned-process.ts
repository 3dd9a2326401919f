/**
 * Child processes that stay on one core, so that server and load maker do not fight for the same.
 *
 * Each child is the leader of its own process group; at the end the whole group is killed, and at
 * the conductor's own end every group that is left.
 */
import { type ChildProcess, type SpawnOptions, spawn, spawnSync } from 'node:child_process';

/** Where servers run, and where the load is made. */
export const SERVER_CORE = 0;
export const LOAD_CORE = 1;

const canPin = spawnSync('taskset', ['--version'], { stdio: 'ignore' }).error === undefined;
const living = new Set<ChildProcess>();

process.on('exit', () => {
  for (const child of living) killGroup(child);
});
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(1));

/** Says loudly when servers and load maker will share cores. */
export function warnIfUnpinned(cores: number): void {
  if (!canPin)
    console.error('!! taskset (util-linux) is missing: processes are NOT pinned, figures mean little');
  else if (cores < 2) console.error('!! one core only: server and load maker share it, figures mean little');
}

/** Starts `node` with the given arguments on one core. */
export function startNode(
  core: number,
  nodeArguments: readonly string[],
  options: SpawnOptions,
): ChildProcess {
  return startProgram(core, [process.execPath, ...nodeArguments], options);
}

/** Starts any program on one core. */
export function startProgram(core: number, command: readonly string[], options: SpawnOptions): ChildProcess {
  const [file, ...rest] = canPin ? ['taskset', '--cpu-list', String(core), ...command] : command;
  const child = spawn(file as string, rest, { ...options, detached: true });
  living.add(child);
  child.once('exit', () => living.delete(child));
  return child;
}

/** Kills the child and all its descendants at once. */
export function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    // The group has ended by itself.
  }
}
