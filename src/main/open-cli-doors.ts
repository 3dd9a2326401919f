/**
 * The real doors of the command lines: this process' words, files and ports.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { failed, type Result } from '../base/index.ts';
import type { CliDoors } from '../cli/index.ts';
import type { Config } from '../config/index.ts';
import { systemLogDisk } from '../journal/index.ts';
import { readTlsMaterial } from '../net/index.ts';
import {
  askControl,
  bindTcp,
  type ControlCommand,
  type ControlCommands,
  type ControlFailure,
} from '../process/index.ts';
import { readHost, readSmallFile, systemClock, systemRandom } from '../system/index.ts';
import { findControlSocket } from './control-place.ts';
import { chooseDirectory } from './data-place.ts';
import { startApplication } from './start-application.ts';
import { startNode } from './start-node.ts';
import { readVersion } from './version.ts';

const NOTHING_WRONG = { problems: [], warnings: [] };

/** Opens them. */
export function openCliDoors(): CliDoors {
  return {
    version: readVersion(),
    env: process.env,
    stdout: (text) => process.stdout.write(text),
    stderr: (text) => process.stderr.write(text),
    readText: (path) => readFileSync(path, 'utf8'),
    absolutePath: (path) => resolve(path),
    dataDirectories,
    askNode,
    checkTls: ({ tls }) =>
      tls === null ? NOTHING_WRONG : readTlsMaterial(tls, readSmallFile, systemClock.wallMs()),
    startNode,
    startApplication,
    findPort,
    logDisk: systemLogDisk,
    random: systemRandom,
    makeTemporaryDir,
  };
}

/** The package stands two directories up from sources and from compiled files alike. */
function dataDirectories(config: Config): string[] {
  const { path, fallback } = chooseDirectory(config, readHost());
  return fallback === null ? [path] : [path, fallback.path];
}

/** The first directory that has a node in it counts. */
async function askNode<Name extends ControlCommand>(
  dataDirs: readonly string[],
  command: Name,
  given: ControlCommands[Name]['given'],
): Promise<Result<ControlCommands[Name]['answer'], ControlFailure>> {
  for (const dataDir of dataDirs) {
    const answer = await askControl(findControlSocket(dataDir), command, given);
    if (answer.ok || answer.error.type !== 'absent') return answer;
  }
  return failed({ type: 'absent' });
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
