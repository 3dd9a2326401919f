/**
 * The directory of the unix sockets over which a node's workers talk.
 *
 * Below the temporary directory, because a data directory's path may be too long for a socket; new
 * at each start, because workers of a killed node may still hold theirs. Its path is noted in the
 * data directory, so that what a killed node left is swept by the next start.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

const PREFIX = 'arrokoth-';
const NAME = /^arrokoth-[A-Za-z0-9]{6}$/;
const NOTE = 'mesh-directory';
/** Leaves room for a socket's name within the 107 bytes that its whole path may have. */
const PATH_BYTES_MAX = 70;
const SHORT_TEMPORARY_DIR = '/tmp';

/** A directory and the way to be rid of it. */
export interface MeshDirectory {
  readonly path: string;
  remove(): void;
}

/** Sweeps the directory of an earlier start and makes a new one, for this user alone. */
export function makeMeshDirectory(place: {
  readonly temporaryDir: string;
  readonly dataDir: string;
}): MeshDirectory {
  const note = join(place.dataDir, NOTE);
  const short = Buffer.byteLength(place.temporaryDir) + PREFIX.length + 7 <= PATH_BYTES_MAX;
  const parent = short ? place.temporaryDir : SHORT_TEMPORARY_DIR;
  sweep(note, parent);
  const path = mkdtempSync(join(parent, PREFIX));
  writeFileSync(note, path);
  return {
    path,
    remove: () => {
      rmSync(path, { recursive: true, force: true });
      rmSync(note, { force: true });
    },
  };
}

function sweep(note: string, parent: string): void {
  let left: string;
  try {
    left = readFileSync(note, 'utf8');
  } catch {
    // The last start ended in order, or there was none.
    return;
  }
  // A note that was tampered with must not make us remove anything else.
  if (dirname(left) === parent && NAME.test(basename(left))) rmSync(left, { recursive: true, force: true });
}
