/**
 * Whether the process may open more: found out by trying, because limits change under a process and
 * what it reads of them may lie behind a file that it can no longer open.
 */
import { closeSync, openSync } from 'node:fs';

/** True when `count` more descriptors can be open at the same time now; `file` is what is opened. */
export function canOpen(count: number, file = '/dev/null'): boolean {
  const opened: number[] = [];
  try {
    for (let index = 0; index < count; index++) opened.push(openSync(file, 'r'));
    return true;
  } catch {
    return false;
  } finally {
    for (const descriptor of opened) closeSync(descriptor);
  }
}
