/**
 * One line that says where figures came from; without it they mean nothing.
 */
import { spawnSync } from 'node:child_process';
import { cpus, loadavg, release, totalmem } from 'node:os';

const GIB = 1_024 ** 3;
/** Above this somebody else is using the cores that are being measured. */
const QUIET_LOAD_MAX = 0.5;

/** CPU, memory, kernel, Node and the number of descriptors a process may have. */
export function describeMachine(): string {
  const processors = cpus();
  const model = processors[0]?.model.trim() ?? 'unknown CPU';
  const memoryGib = Math.round(totalmem() / GIB);
  return (
    `${processors.length} x ${model}, ${memoryGib} GiB, Linux ${release()}, Node ${process.versions.node}, ` +
    `${descriptorsMax()} descriptors a process`
  );
}

/** Says loudly when the machine is not quiet at the start. */
export function warnIfBusy(): void {
  const load = loadavg()[0] ?? 0;
  if (load > QUIET_LOAD_MAX) {
    console.error(`!! the machine is not quiet (load ${load.toFixed(2)}): absolute figures mean little`);
  }
}

function descriptorsMax(): string {
  return spawnSync('sh', ['-c', 'ulimit -n'], { encoding: 'utf8' }).stdout.trim();
}
