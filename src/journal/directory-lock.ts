/**
 * One node for one data directory.
 *
 * The lock is a file whose name is the owner's identity, `node.<pid>.<identity>.lock`. Since no
 * two processes ever share a name, removing a dead owner's file can never hit a living one's, which
 * a lock with one common name cannot promise. Two nodes that start in the same moment may both be
 * refused, but never both be let in.
 */
import { closeSync, openSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { ArrokothError, failed, ok, type Result } from '../base/index.ts';
import type { ProcessTable } from './process-identity.ts';

const LOCK_NAME = /^node\.(\d+)\.([0-9a-z]+)\.lock$/;
const LOCK_MODE = 0o600;

/** A lock that is held until `release`. */
export interface DirectoryLock {
  release(): void;
}

/** Takes the lock of `directory`; refuses while another living process holds it. */
export function lockDirectory(
  directory: string,
  processes: ProcessTable,
): Result<DirectoryLock, ArrokothError> {
  const { processId } = processes;
  const path = join(directory, `node.${processId}.${processes.identityOf(processId) ?? 'unknown'}.lock`);
  try {
    closeSync(openSync(path, 'wx', LOCK_MODE));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    return failed(inUse(directory, processId));
  }
  // Our file lies there before we look: of two that look, at least one sees the other.
  const owner = findOtherOwner(directory, path, processes);
  if (owner === null) return ok({ release: () => rmSync(path, { force: true }) });
  rmSync(path, { force: true });
  return failed(inUse(directory, owner));
}

/** Number of another process that holds the lock; files of dead ones are removed on the way. */
function findOtherOwner(directory: string, ownPath: string, processes: ProcessTable): number | null {
  let owner: number | null = null;
  for (const name of readdirSync(directory)) {
    const [, processId, identity] = LOCK_NAME.exec(name) ?? [];
    const path = join(directory, name);
    if (processId === undefined || path === ownPath) continue;
    if (processes.identityOf(Number(processId)) === identity) owner = Number(processId);
    else rmSync(path, { force: true });
  }
  return owner;
}

function inUse(directory: string, processId: number): ArrokothError {
  return new ArrokothError('DATA_DIR_IN_USE', `${directory} is held by process ${processId}.`);
}
