/**
 * Facts about the machine and the user that this process runs as.
 *
 * Read once, at start. Not the environment variables: those belong to `main/` and `cli/`.
 */
import { readFileSync } from 'node:fs';
import { availableParallelism, hostname, tmpdir, totalmem } from 'node:os';

/** What a process has to know about its host. */
export interface HostFacts {
  readonly hostname: string;
  readonly processId: number;
  /** Null where the system has no numeric users. */
  readonly userId: number | null;
  readonly temporaryDir: string;
  readonly memoryBytes: number;
  readonly processors: number;
  /** How many files and sockets this process may hold open; null when the host does not tell. */
  readonly descriptorsMax: number | null;
}

/** Reads the facts. */
export function readHost(): HostFacts {
  return {
    hostname: hostname(),
    processId: process.pid,
    userId: process.getuid?.() ?? null,
    temporaryDir: tmpdir(),
    memoryBytes: totalmem(),
    processors: availableParallelism(),
    descriptorsMax: parseDescriptorsMax(readLimits()),
  };
}

/** Finds the soft limit of open files in the text of `/proc/self/limits`; `unlimited` is infinity. */
export function parseDescriptorsMax(limits: string): number | null {
  const found = /^Max open files\s+(\d+|unlimited)\s/m.exec(limits)?.[1];
  if (found === undefined) return null;
  return found === 'unlimited' ? Number.POSITIVE_INFINITY : Number(found);
}

function readLimits(): string {
  try {
    return readFileSync('/proc/self/limits', 'utf8');
  } catch {
    // Only Linux has this file; elsewhere the limit stays unknown and nothing depends on it.
    return '';
  }
}
