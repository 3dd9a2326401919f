/**
 * Builds a supervisor on real adapters and starts it: the one place where a node comes together.
 *
 * What it takes on the way (data directory, mesh directory) is given back when the start fails or
 * the node ends. The programs call it through the doors of `cli/`.
 */
import { extname } from 'node:path';
import { ArrokothError, failed, IdSource, ok, type Result } from '../base/index.ts';
import type { NodeRequest, StartedNode } from '../cli/index.ts';
import type { Config } from '../config/index.ts';
import { assignJournals, chooseDataDirectory, openDataDirectory } from '../journal/index.ts';
import { bindTcp, bindUnix, spawnWorker } from '../process/index.ts';
import { Supervisor } from '../supervisor/index.ts';
import { keepAlive, onSignals, readHost, systemClock, systemRandom, systemTimers } from '../system/index.ts';
import { createLogger } from '../telemetry/index.ts';
import { fitToHost } from './host-limits.ts';
import { makeMeshDirectory } from './mesh-directory.ts';

/** The module that every worker process runs: compiled beside compiled, source beside source. */
const WORKER_ENTRY = new URL(`./worker${extname(import.meta.url)}`, import.meta.url);

/** Starts the node that `request` describes; its end is an exit code. */
export async function startNode(request: NodeRequest): Promise<Result<StartedNode, ArrokothError>> {
  const host = readHost();
  const { config, warnings } = fitToHost(request.config, host.descriptorsMax);
  const nodeName = config.node.name ?? `arrokoth@${host.hostname}`;
  const logs = createLogger({
    level: config.log.level,
    base: { node: nodeName, worker: 'supervisor' },
    showSecrets: config.log.headers,
  });
  const { logger } = logs;
  for (const warning of [...request.warnings, ...warnings]) logger.warn({}, warning);
  const opened = openDataDirectory({ choice: chooseDirectory(config, host), logger });
  if (!opened.ok) return opened;
  const data = opened.value;
  const mesh = makeMeshDirectory({ temporaryDir: host.temporaryDir, dataDir: data.path });
  const supervisor = new Supervisor({
    config,
    clock: systemClock,
    timers: systemTimers,
    logger,
    nodeName,
    bootId: new IdSource({ clock: systemClock, random: systemRandom }).next(),
    hostname: host.hostname,
    dataDir: data.path,
    meshDir: mesh.path,
    bindTcp,
    bindUnix,
    spawn: () => spawnWorker({ entry: WORKER_ENTRY, env: process.env }),
    keepAlive,
    journalsOf: (slot) => assignJournals(data.listJournals(), config.workers)[slot] ?? [],
    release: () => {
      mesh.remove();
      data.release();
    },
  });
  return await run(supervisor, { name: nodeName, flush: logs.flush });
}

async function run(
  supervisor: Supervisor,
  node: { readonly name: string; readonly flush: () => void },
): Promise<Result<StartedNode, ArrokothError>> {
  const signals = onSignals({ stop: (signal) => supervisor.stop(signal) });
  const ended = supervisor.ended.then((exitCode) => {
    signals.cancel();
    node.flush();
    return exitCode;
  });
  try {
    const { listeners } = await supervisor.start();
    return ok({ name: node.name, addresses: listeners, ended });
  } catch (error) {
    await ended;
    if (error instanceof ArrokothError) return failed(error);
    throw error;
  }
}

function chooseDirectory(config: Config, host: ReturnType<typeof readHost>) {
  return chooseDataDirectory({
    configured: config.node.dataDir,
    label: config.sock ?? String(config.port),
    cwd: process.cwd(),
    tmp: host.temporaryDir,
    uid: host.userId,
  });
}
