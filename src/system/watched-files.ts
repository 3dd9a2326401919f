/**
 * Files that others may replace: reading them, and noticing that they have changed.
 *
 * Looked at every few seconds rather than watched: certificates are replaced by renaming, by swapping
 * a symbolic link somewhere above (Kubernetes), or on file systems that tell nobody. What the content
 * means is somebody else's knowledge.
 */
import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { type Cancellable, failed, ok, type Result, type Timers } from '../base/index.ts';

/** A chain is some kilobytes, a bundle of all public authorities a quarter of this. */
const FILE_BYTES_MAX = 1_048_576;
const READABLE_BY_ALL = 0o004;

const WORDS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EACCES: 'this user may not read it',
  EPERM: 'this user may not read it',
  EISDIR: 'it is a folder',
  ENOTDIR: 'a part of its path is no folder',
  ELOOP: 'its symbolic links lead in a circle',
};

/** The text of a small file; the failure says in words why there is none. */
export function readSmallFile(
  path: string,
): Result<{ readonly text: string; readonly readableByAll: boolean }, string> {
  let descriptor: number | null = null;
  try {
    descriptor = openSync(path, 'r');
    const { size, mode } = fstatSync(descriptor);
    if (size > FILE_BYTES_MAX) return failed(`it is larger than ${FILE_BYTES_MAX} bytes`);
    return ok({ text: readFileSync(descriptor, 'utf8'), readableByAll: (mode & READABLE_BY_ALL) !== 0 });
  } catch (error) {
    const { code = 'unknown' } = error as NodeJS.ErrnoException;
    return failed(WORDS[code] ?? `it cannot be read (${code})`);
  } finally {
    if (descriptor !== null) closeSync(descriptor);
  }
}

/**
 * Looks at `paths` every `periodMs` and calls `looked` after each look, with whether any of them is
 * another file than before, or has another content. The first look finds all of them changed.
 */
export function watchFiles(
  paths: readonly string[],
  doors: {
    readonly timers: Timers;
    readonly periodMs: number;
    readonly looked: (changed: boolean) => void;
  },
): Cancellable {
  let known = '';
  let looking = false;
  let cancelled = false;
  const look = async (): Promise<void> => {
    const marks = await Promise.all(paths.map(markOf));
    looking = false;
    if (cancelled) return;
    const now = marks.join('\n');
    const changed = now !== known;
    known = now;
    doors.looked(changed);
  };
  const interval = doors.timers.every(doors.periodMs, () => {
    // A file system that hangs must not collect questions.
    if (looking) return;
    looking = true;
    void look();
  });
  return {
    cancel: () => {
      cancelled = true;
      interval.cancel();
    },
  };
}

/** Changes with every replacement and every write; a file that cannot be looked at has a mark too. */
async function markOf(path: string): Promise<string> {
  try {
    const { dev, ino, size, mtimeNs, ctimeNs } = await stat(path, { bigint: true });
    return `${dev} ${ino} ${size} ${mtimeNs} ${ctimeNs}`;
  } catch (error) {
    return String((error as NodeJS.ErrnoException).code);
  }
}
