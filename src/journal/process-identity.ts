/**
 * Tells a process from a later one that got its number.
 *
 * A process id alone is no identity: after a crash or in a restarted container the number of the
 * old owner of a lock soon belongs to somebody else. With the kernel's boot id and the process's
 * start time it is one.
 */
import { readFileSync } from 'node:fs';

/** The processes of this host, as far as a lock has to know them. */
export interface ProcessTable {
  /** Number of the asking process. */
  readonly processId: number;
  /** Differs for every process that ever had this number; null when it does not run. */
  identityOf(processId: number): string | null;
}

/** Fields of `/proc/PID/stat` behind the command's name, which may itself hold spaces and brackets. */
const STATE_FIELD = 0;
const START_TIME_FIELD = 19;
/** Zombie or dead: it can write nothing any more, even if nobody has collected it yet. */
const ENDED_STATES = ['Z', 'X', 'x'];

/** The processes of this machine. */
export const systemProcesses: ProcessTable = {
  processId: process.pid,
  identityOf(processId) {
    const stat = read(`/proc/${processId}/stat`);
    if (stat !== null) return parseIdentity(stat, read('/proc/sys/kernel/random/boot_id') ?? '');
    return read('/proc/self/stat') === null ? identityWithoutProc(processId) : null;
  },
};

/** Identity out of the text of `/proc/PID/stat`, or null when that process has ended. */
export function parseIdentity(stat: string, kernelBootId: string): string | null {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const state = fields[STATE_FIELD] ?? 'X';
  if (ENDED_STATES.includes(state)) return null;
  return `${kernelBootId.slice(0, 8)}${fields[START_TIME_FIELD] ?? ''}`;
}

/** Where there is no `/proc`, a reused number cannot be told; an honest operator can remove the lock. */
function identityWithoutProc(processId: number): string | null {
  try {
    process.kill(processId, 0);
    return 'running';
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM' ? 'running' : null;
  }
}

function read(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}
