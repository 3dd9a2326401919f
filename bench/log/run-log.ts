/**
 * `npm run bench -- log`: the replicated log against a cluster of etcd, three members each.
 *
 * In each round both clusters are started afresh and measured one after the other, so that neither
 * pays for the other's heartbeats; the order turns with every round. A ratio is taken within a round.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Measurement } from '../load/orders.ts';
import type { Figure } from '../sitting.ts';
import { ETCD } from './etcd.ts';
import { failOver } from './fail-over.ts';
import { measureCommits } from './maker-process.ts';
import type { Protocol } from './orders.ts';
import { REPLICATED_KV } from './replicated-kv.ts';
import { RunningCluster } from './running-cluster.ts';
import type { LogScenario } from './scenarios.ts';

/** How long a load runs, and how many kills a round has. */
export interface LogPace {
  readonly warmUpMs: number;
  readonly windowMs: number;
  readonly kills: number;
}

/** One figure with its place in the run; each kill is a figure of its own. */
export interface LogEntry {
  readonly round: number;
  readonly scenario: string;
  readonly peer: string;
  readonly unit: string;
  readonly figure: Figure;
}

/** A run, as it is wanted. */
export interface LogPlan {
  readonly rounds: number;
  readonly pace: LogPace;
  readonly scenarios: readonly LogScenario[];
  /** Empty; for the data of the clusters. */
  readonly directory: string;
  readonly onEntry: (entry: LogEntry) => void;
}

/** Measures all rounds. */
export async function runLogRounds(plan: LogPlan): Promise<void> {
  const peers = [REPLICATED_KV, ETCD];
  for (let round = 1; round <= plan.rounds; round += 1) {
    for (const peer of round % 2 === 1 ? peers : peers.toReversed()) {
      const directory = join(plan.directory, `${round}-${peer.name}`);
      mkdirSync(directory);
      const cluster = await RunningCluster.start(peer, directory);
      try {
        await sit(cluster, plan, (figure) => plan.onEntry({ round, peer: peer.name, ...figure }));
      } catch (error) {
        console.error(`${peer.name}'s last words: ${cluster.lastWords()}`);
        throw error;
      } finally {
        cluster.kill();
      }
    }
  }
}

type OnFigure = (figure: Pick<LogEntry, 'scenario' | 'unit' | 'figure'>) => void;

/** One cluster of one round. */
async function sit(cluster: RunningCluster, plan: LogPlan, onFigure: OnFigure): Promise<void> {
  const { peer } = cluster;
  const measured = new Map<number, Measurement>();
  for (const { name, unit, method } of plan.scenarios) {
    if (method.type === 'fail_over') {
      for (let kill = 0; kill < plan.pace.kills; kill += 1)
        onFigure({ scenario: name, unit, figure: { value: await failOver(cluster) } });
      continue;
    }
    const { inFlight } = method;
    const measurement =
      measured.get(inFlight) ?? (await measure(cluster, peer.protocol, inFlight, plan.pace));
    measured.set(inFlight, measurement);
    const value = method.figure === 'p50' ? measurement.p50Us / 1_000 : measurement.perSecond;
    onFigure({ scenario: name, unit, figure: { value, measurement } });
  }
  if (peer === ETCD) await measureGrpc(cluster, plan.pace, [...measured.keys()], onFigure);
}

/** What etcd does in its own protocol stands beside the others and is compared with nothing. */
async function measureGrpc(
  cluster: RunningCluster,
  pace: LogPace,
  inFlights: readonly number[],
  onFigure: OnFigure,
): Promise<void> {
  for (const inFlight of inFlights) {
    const measurement = await measure(cluster, 'etcd_grpc', inFlight, pace);
    const figure = { value: measurement.perSecond, measurement };
    onFigure({ scenario: `grpc-${inFlight}`, unit: 'commits/s', figure });
  }
}

async function measure(
  cluster: RunningCluster,
  protocol: Protocol,
  inFlight: number,
  pace: LogPace,
): Promise<Measurement> {
  const { address } = await cluster.master();
  const { warmUpMs, windowMs } = pace;
  return measureCommits({ address, protocol, inFlight, warmUpMs, windowMs, serverPids: cluster.pids() });
}
