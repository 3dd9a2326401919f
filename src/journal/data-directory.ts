/**
 * The directory in which a node keeps what must outlive its processes.
 *
 * Created for the node's user alone, checked for writing, and locked, so that two nodes never
 * adopt each other's journals. Only the supervisor opens it; workers get paths. What is in the
 * journals is not known here.
 */
import { lstatSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { basename, extname, join, resolve } from 'node:path';
import { ArrokothError, failed, type Logger, ok, type Result, type WorkerSlot } from '../base/index.ts';
import { lockDirectory } from './directory-lock.ts';
import { type ProcessTable, systemProcesses } from './process-identity.ts';
import { UNFINISHED_SUFFIX } from './sessions/journal-file.ts';

const SESSIONS = 'sessions';
const JOURNAL_NAME = /^(\d+)\.(\d+)\.([0-9A-Za-z_-]+)\.journal$/;
const OWNER_ONLY = 0o700;
const WRITABLE_BY_OTHERS = 0o022;
/** A directory we may not have: another one will do if nobody asked for exactly this one. */
const NOT_OURS = ['EACCES', 'EROFS', 'EPERM'];

/** Where the data may go. */
export interface DataDirectoryChoice {
  readonly path: string;
  /** Used when `path` may not be written; null when the operator chose `path`. */
  readonly fallback: {
    readonly path: string;
    /** The user who has to own it: anybody may make directories beside it. Null: not checked. */
    readonly userId: number | null;
  } | null;
}

/** A journal by its name. */
export interface JournalPlace {
  readonly path: string;
  readonly slot: WorkerSlot;
  readonly run: number;
  readonly bootId: string;
}

/** An open, locked data directory. */
export interface DataDirectory {
  readonly path: string;
  /** Journals of all runs that have not been adopted yet, by slot, then run. */
  listJournals(): readonly JournalPlace[];
  /** Gives the lock back; harmless when called twice. */
  release(): void;
}

/** Decides where data goes: where the operator says, else below `cwd`, else below `tmp`. */
export function chooseDataDirectory(facts: {
  readonly configured: string | null;
  /** What tells nodes of one host apart: the port, or the path of the unix socket. */
  readonly label: string;
  readonly cwd: string;
  readonly tmp: string;
  readonly uid: number | null;
}): DataDirectoryChoice {
  const { configured, cwd, tmp, uid } = facts;
  if (configured !== null) return { path: resolve(cwd, configured), fallback: null };
  const label = basename(facts.label, extname(facts.label)) || 'node';
  return {
    path: join(cwd, 'data', label),
    fallback: { path: join(tmp, `arrokoth-${uid ?? 'node'}`, label), userId: uid },
  };
}

/** Creates, checks and locks the data directory. */
export function openDataDirectory(options: {
  readonly choice: DataDirectoryChoice;
  readonly logger: Logger;
  readonly processes?: ProcessTable;
  /** Makes a directory and those above it, for this user alone; throws the system's error. */
  readonly makeDirectory?: (path: string) => void;
}): Result<DataDirectory, ArrokothError> {
  const { choice, logger, processes = systemProcesses, makeDirectory = makeOwnDirectory } = options;
  const refused = prepare(choice.path, makeDirectory);
  if (refused === null) return lockAndOpen(choice.path, processes);
  const { fallback } = choice;
  if (fallback === null || !NOT_OURS.includes(refused.code ?? '')) {
    return failed(unusable(choice.path, refused.message, refused));
  }
  const fields = { wanted: choice.path, used: fallback.path, cause: refused.message };
  logger.warn(fields, 'the data directory is below the temporary one, which a reboot may empty');
  const fallbackRefused = prepare(fallback.path, (path) => {
    makeDirectory(path);
    assertOwn(fallback.path, fallback.userId);
  });
  if (fallbackRefused === null) return lockAndOpen(fallback.path, processes);
  return failed(unusable(fallback.path, fallbackRefused.message, fallbackRefused));
}

/** Spreads journals over today's workers, which may be fewer than those that wrote them. */
export function assignJournals(places: readonly JournalPlace[], workers: number): string[][] {
  const assigned: string[][] = Array.from({ length: workers }, () => []);
  for (const { path, slot } of places) assigned[slot % workers]?.push(path);
  return assigned;
}

/** Path of the journal of one worker run. */
export function journalPath(facts: {
  readonly dataDir: string;
  readonly slot: WorkerSlot;
  readonly run: number;
  readonly bootId: string;
}): string {
  return join(facts.dataDir, SESSIONS, `${facts.slot}.${facts.run}.${facts.bootId}.journal`);
}

function makeOwnDirectory(path: string): void {
  mkdirSync(path, { recursive: true, mode: OWNER_ONLY });
}

/** Makes the directory and tries to write into it; what was thrown when that fails. */
function prepare(path: string, makeDirectory: (path: string) => void): NodeJS.ErrnoException | null {
  try {
    const sessions = join(path, SESSIONS);
    makeDirectory(sessions);
    const probe = join(sessions, `probe${UNFINISHED_SUFFIX}`);
    rmSync(probe, { force: true });
    writeFileSync(probe, '', { flag: 'wx' });
    rmSync(probe);
    return null;
  } catch (error) {
    return error as NodeJS.ErrnoException;
  }
}

/**
 * Throws when somebody else could have prepared a directory on the way to `path`: in a temporary
 * directory whoever comes first makes the names.
 */
function assertOwn(path: string, userId: number | null): void {
  for (const directory of [resolve(path, '..'), path, join(path, SESSIONS)]) {
    const found = lstatSync(directory);
    const isOwn = userId === null || found.uid === userId;
    if (found.isDirectory() && isOwn && (found.mode & WRITABLE_BY_OTHERS) === 0) continue;
    throw new Error(`${directory} may be written by others than this user.`);
  }
}

function lockAndOpen(path: string, processes: ProcessTable): Result<DataDirectory, ArrokothError> {
  try {
    const lock = lockDirectory(path, processes);
    if (!lock.ok) return lock;
    const sessions = join(path, SESSIONS);
    removeUnfinished(sessions);
    return ok({ path, listJournals: () => listJournals(sessions), release: () => lock.value.release() });
  } catch (error) {
    return failed(unusable(path, String(error), error));
  }
}

/** Files that a killed worker was about to put in the place of another one, which is still whole. */
function removeUnfinished(sessions: string): void {
  for (const name of readdirSync(sessions)) {
    if (name.endsWith(UNFINISHED_SUFFIX)) rmSync(join(sessions, name), { force: true });
  }
}

function listJournals(sessions: string): JournalPlace[] {
  const places: JournalPlace[] = [];
  for (const name of readdirSync(sessions)) {
    const [, slot, run, bootId] = JOURNAL_NAME.exec(name) ?? [];
    if (slot === undefined || run === undefined || bootId === undefined) continue;
    places.push({ path: join(sessions, name), slot: Number(slot), run: Number(run), bootId });
  }
  return places.sort((left, right) => left.slot - right.slot || left.run - right.run);
}

function unusable(path: string, why: string, cause?: unknown): ArrokothError {
  return new ArrokothError('DATA_DIR_UNUSABLE', `${path}: ${why}`, { cause });
}
