/**
 * The real doors of the command lines: this process' words, files and ports.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { CliDoors } from '../cli/index.ts';
import { bindTcp } from '../process/index.ts';
import { readHost } from '../system/index.ts';
import { startApplication } from './start-application.ts';
import { startNode } from './start-node.ts';

/** Opens them. */
export function openCliDoors(): CliDoors {
  return {
    version: readVersion(),
    env: process.env,
    stdout: (text) => process.stdout.write(text),
    stderr: (text) => process.stderr.write(text),
    readText: (path) => readFileSync(path, 'utf8'),
    startNode,
    startApplication,
    findPort,
    makeTemporaryDir,
  };
}

/** The package stands two directories up from sources and from compiled files alike. */
function readVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

async function findPort(port: number): Promise<number | null> {
  const bound = await bindTcp({ host: '127.0.0.1', port });
  if (!bound.ok) return null;
  bound.value.close();
  return bound.value.port;
}

function makeTemporaryDir(): { path: string; remove(): void } {
  const path = mkdtempSync(join(readHost().temporaryDir, 'arrokoth-demo-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}
