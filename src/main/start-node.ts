/**
 * Builds a supervisor on real adapters and starts it: the one place where a node comes together.
 *
 * What it takes on the way (data directory, mesh directory) is given back when the start fails or
 * the node ends. The programs call it through the doors of `cli/`.
 */
import { extname } from 'node:path';
import { ArrokothError, failed, IdSource, ok, type Result } from '../base/index.ts';
import type { NodeRequest, StartedNode } from '../cli/index.ts';
import { assignJournals, openDataDirectory } from '../journal/index.ts';
import { bindTcp, bindUnix, spawnWorker } from '../process/index.ts';
import { Supervisor } from '../supervisor/index.ts';
import {
  keepAlive,
  onSignals,
  readHost,
  readSmallFile,
  systemClock,
  systemRandom,
  systemTimers,
} from '../system/index.ts';
import { createLogger } from '../telemetry/index.ts';
import { openControl } from './control-handlers.ts';
import { chooseControlPlace } from './control-place.ts';
import { chooseDirectory } from './data-place.ts';
import { fitToHost } from './host-limits.ts';
import { logRules } from './log-rules.ts';
import { makeMeshDirectory } from './mesh-directory.ts';
import { openNodeLog } from './node-log.ts';
import { NodeTls } from './node-tls.ts';
import { rereadOf } from './reread.ts';

/** The module that every worker process runs: compiled beside compiled, source beside source. */
const WORKER_ENTRY = new URL(`./worker${extname(import.meta.url)}`, import.meta.url);

/** Starts the node that `request` describes; its end is an exit code. */
export async function startNode(request: NodeRequest): Promise<Result<StartedNode, ArrokothError>> {
  const host = readHost();
  const { config, warnings } = fitToHost(request.config, host.descriptorsMax);
  const nodeName = config.node.name ?? `arrokoth@${host.hostname}`;
  const logs = createLogger({ ...logRules(config), base: { node: nodeName, worker: 'supervisor' } });
  const { logger } = logs;
  const secured = NodeTls.open(config.tls, {
    readFile: readSmallFile,
    random: systemRandom,
    wallMs: () => systemClock.wallMs(),
  });
  if (!secured.ok) return secured;
  const { tls, warnings: doubts } = secured.value;
  for (const warning of [...request.warnings, ...warnings, ...doubts]) logger.warn({}, warning);
  const opened = openDataDirectory({ choice: chooseDirectory(config, host), logger });
  if (!opened.ok) return opened;
  const data = opened.value;
  const mesh = makeMeshDirectory({ temporaryDir: host.temporaryDir, dataDir: data.path });
  const control = chooseControlPlace({ dataDir: data.path, meshDir: mesh.path });
  const ids = new IdSource({ clock: systemClock, random: systemRandom });
  const supervisor = new Supervisor({
    config,
    reread: rereadOf(request, { descriptorsMax: host.descriptorsMax, logs }),
    clock: systemClock,
    timers: systemTimers,
    random: systemRandom,
    logger,
    nodeName,
    bootId: ids.next(),
    hostname: host.hostname,
    dataDir: data.path,
    meshDir: mesh.path,
    log: openNodeLog({ config, nodeName, dataDir: data.path, drawBoot: () => ids.next(), logger }),
    bindTcp,
    bindUnix,
    spawn: () => spawnWorker({ entry: WORKER_ENTRY, env: process.env }),
    keepAlive,
    tls,
    journalsOf: (slot) => assignJournals(data.listJournals(), config.workers)[slot] ?? [],
    release: () => {
      control.remove();
      mesh.remove();
      data.release();
    },
  });
  const about = { name: nodeName, processId: host.processId, configFile: request.file };
  return await run(supervisor, {
    name: nodeName,
    hasFile: request.file !== null,
    openControl: () => openControl(control.path, { supervisor, ...about }, logger),
    flush: logs.flush,
  });
}

/** A node as `run` has to know it. */
interface RunnableNode {
  readonly name: string;
  readonly hasFile: boolean;
  /** Opens the way for commands; resolves with the way to close it. */
  readonly openControl: () => Promise<() => void>;
  readonly flush: () => void;
}

async function run(supervisor: Supervisor, node: RunnableNode): Promise<Result<StartedNode, ArrokothError>> {
  const signals = onSignals({
    stop: (signal) => supervisor.stop(signal),
    // Without a file there is nothing to reload, and the end of the terminal is the end of the node.
    ...(node.hasFile ? { hup: () => void supervisor.reload() } : {}),
  });
  const closeControl = await node.openControl();
  const ended = supervisor.ended.then((exitCode) => {
    signals.cancel();
    closeControl();
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
