/**
 * Where the control socket of a node is: in its data directory, because operators know that one.
 *
 * Where the path of the directory is too long for a socket, the socket is in the mesh directory and
 * the data directory has a note of it.
 */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const SOCKET = 'control.sock';
const NOTE = 'control-socket';
/** What fits into the address of a unix socket. */
const PATH_BYTES_MAX = 107;

/** The address of a control socket, and the way to forget it. */
export interface ControlPlace {
  readonly path: string;
  remove(): void;
}

/** Chooses the place for a node that starts, and leaves the note where one is needed. */
export function chooseControlPlace(directories: {
  readonly dataDir: string;
  readonly meshDir: string;
}): ControlPlace {
  const note = join(directories.dataDir, NOTE);
  const near = join(directories.dataDir, SOCKET);
  rmSync(note, { force: true });
  if (Buffer.byteLength(near) <= PATH_BYTES_MAX) {
    return { path: near, remove: () => rmSync(near, { force: true }) };
  }
  const path = join(directories.meshDir, SOCKET);
  writeFileSync(note, path);
  return {
    path,
    remove: () => {
      rmSync(path, { force: true });
      rmSync(note, { force: true });
    },
  };
}

/** Where the control socket of the node would be that has its data in `dataDir`. */
export function findControlSocket(dataDir: string): string {
  try {
    return readFileSync(join(dataDir, NOTE), 'utf8');
  } catch {
    return join(dataDir, SOCKET);
  }
}
