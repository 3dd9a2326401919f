/**
 * The release that runs, as its package says.
 */
import { readFileSync } from 'node:fs';

/** For `--version`, and for what a node tells of itself. */
export function readVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
