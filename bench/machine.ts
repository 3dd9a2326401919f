/**
 * One line that says where figures came from; without it they mean nothing.
 */
import { spawnSync } from 'node:child_process';
import { closeSync, fdatasyncSync, openSync, rmSync, writeSync } from 'node:fs';
import { cpus, loadavg, release, totalmem } from 'node:os';
import { join } from 'node:path';
import { median } from './statistics.ts';

const GIB = 1_024 ** 3;
/** Above this somebody else is using the cores that are being measured. */
const QUIET_LOAD_MAX = 0.5;

/** As long as a record of the log with a value of 100 bytes, about. */
const PROBE = Buffer.alloc(256, 1);
const SYNCS = 200;

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

/** What a durable write costs in a folder; above a hundredth of a second everything else is noise. */
export function describeDisk(directory: string): string {
  const path = join(directory, 'probe');
  const file = openSync(path, 'w');
  const times: number[] = [];
  for (let write = 0; write < SYNCS; write += 1) {
    const startedMs = performance.now();
    writeSync(file, PROBE);
    fdatasyncSync(file);
    times.push(performance.now() - startedMs);
  }
  closeSync(file);
  rmSync(path);
  return `disk: ${PROBE.length} bytes appended and synced in ${median(times).toFixed(2)} ms (of ${SYNCS})`;
}

function descriptorsMax(): string {
  return spawnSync('sh', ['-c', 'ulimit -n'], { encoding: 'utf8' }).stdout.trim();
}
