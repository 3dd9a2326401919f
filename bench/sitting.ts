/**
 * One sitting of one round: fresh servers, each with its own load maker, measured in turn.
 *
 * The servers stand side by side so that a scenario is measured on both within seconds; the one
 * that is not being measured idles. The order turns with each round.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { makeCertificate } from './certificate.ts';
import type { Measurement } from './load/orders.ts';
import { MakerProcess } from './maker-process.ts';
import { type HeldMemory, type Peer, RunningPeer } from './peers/peer.ts';
import { CONNECTS_IN_PROGRESS, type Scenario, type Sitting } from './scenarios.ts';

const KB = 1_024;

/** How long each load runs. */
export interface Pace {
  readonly warmUpMs: number;
  readonly windowMs: number;
}

/** A figure of one server in one round. */
export interface Figure {
  readonly value: number;
  /** Absent for memory. */
  readonly measurement?: Measurement;
  /** Heap growth in KB a connection; memory only. */
  readonly heap?: number;
}

/** What is told when a figure is there. */
export type OnFigure = (scenario: Scenario, peer: string, figure: Figure) => void;

interface Pair {
  readonly server: RunningPeer;
  readonly maker: MakerProcess;
  memoryBefore: HeldMemory;
  connects: Measurement | null;
}

/** Runs the wanted scenarios of a sitting once on each peer, in the given order of peers. */
export async function runSitting(options: {
  readonly sitting: Sitting;
  readonly peers: readonly Peer[];
  readonly pace: Pace;
  readonly directory: string;
  /** Path and first part of the name of CPU profiles; null: none are taken. */
  readonly profiles: string | null;
  readonly onFigure: OnFigure;
}): Promise<void> {
  const { sitting, pace, profiles, onFigure } = options;
  const pairs: Pair[] = [];
  try {
    for (const peer of options.peers)
      pairs.push(await startPair(peer, sitting, join(options.directory, peer.name)));
    for (const pair of pairs) {
      pair.memoryBefore = await pair.server.memory();
      const connecting = (): Promise<Measurement> => connectAll(pair, sitting);
      pair.connects = await profiled(pair.server, profiles, 'connects', connecting);
    }
    for (const scenario of sitting.scenarios) {
      for (const pair of pairs) {
        onFigure(scenario, pair.server.name, await measure({ scenario, pair, sitting, pace, profiles }));
      }
    }
  } catch (error) {
    for (const { server } of pairs) console.error(`${server.name}'s last words: ${server.lastWords()}`);
    throw error;
  } finally {
    for (const { server, maker } of pairs) {
      server.kill();
      maker.kill();
    }
  }
}

async function startPair(peer: Peer, sitting: Sitting, directory: string): Promise<Pair> {
  const { compression = false, tls = false } = sitting;
  mkdirSync(directory, { recursive: true });
  const maker = await MakerProcess.start();
  try {
    const server = await RunningPeer.start(peer, directory, {
      applicationUrl: maker.applicationUrl,
      compression,
      certificate: tls ? makeCertificate(directory) : null,
    });
    return { server, maker, memoryBefore: { rss: 0, heap: 0 }, connects: null };
  } catch (error) {
    maker.kill();
    throw error;
  }
}

function connectAll(pair: Pair, { clients, compression = false }: Sitting): Promise<Measurement> {
  const { address } = pair.server;
  const serverPids = pair.server.pids();
  return pair.maker.carryOut({
    type: 'open',
    address,
    clients,
    inProgress: CONNECTS_IN_PROGRESS,
    compression,
    serverPids,
  });
}

async function measure(options: {
  readonly scenario: Scenario;
  readonly pair: Pair;
  readonly sitting: Sitting;
  readonly pace: Pace;
  readonly profiles: string | null;
}): Promise<Figure> {
  const { pair, sitting, pace } = options;
  const { method, name } = options.scenario;
  if (method.type === 'memory') return memoryFigure(pair, sitting.clients);
  if (method.type === 'connects') return measurementFigure(pair.connects as Measurement);
  const serverPids = pair.server.pids();
  const { load, inFlight } = method;
  const measuring = (): Promise<Measurement> =>
    pair.maker.carryOut({ type: 'measure', load, inFlight, ...pace, serverPids });
  return measurementFigure(await profiled(pair.server, options.profiles, name, measuring));
}

function measurementFigure(measurement: Measurement): Figure {
  return { value: measurement.perSecond, measurement };
}

async function memoryFigure(pair: Pair, clients: number): Promise<Figure> {
  const after = await pair.server.memory();
  const perClient = (growth: number): number => growth / clients / KB;
  return {
    value: perClient(after.rss - pair.memoryBefore.rss),
    heap: perClient(after.heap - pair.memoryBefore.heap),
  };
}

/** Records a CPU profile of the server while the work runs, if profiles are wanted. */
async function profiled<T>(
  server: RunningPeer,
  profiles: string | null,
  name: string,
  work: () => Promise<T>,
): Promise<T> {
  if (profiles === null) return work();
  await server.startProfile();
  const result = await work();
  await server.stopProfile(`${profiles}-${name}-${server.name}`);
  return result;
}
