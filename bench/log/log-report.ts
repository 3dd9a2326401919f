/**
 * The log's lines of the report, from the figures of all rounds.
 *
 * A kill is one sample and means little by itself, so fail-over is judged by the medians over all
 * kills of each side; everything else by the median of the rounds' ratios.
 */
import { type Summary, summarize } from '../report.ts';
import type { Figure } from '../sitting.ts';
import { median, ratios, reaches, spread } from '../statistics.ts';
import { ETCD } from './etcd.ts';
import { REPLICATED_KV } from './replicated-kv.ts';
import type { LogEntry } from './run-log.ts';
import type { LogScenario } from './scenarios.ts';

/** One summary a scenario. */
export function summarizeLog(scenarios: readonly LogScenario[], entries: readonly LogEntry[]): Summary[] {
  return scenarios.map((scenario) => {
    const ours = entries.filter(
      ({ scenario: name, peer }) => name === scenario.name && peer === REPLICATED_KV.name,
    );
    const theirs = entries.filter(({ scenario: name, peer }) => name === scenario.name && peer === ETCD.name);
    const figures = (side: readonly LogEntry[]): Figure[] => side.map(({ figure }) => figure);
    const summary = summarize(scenario, figures(ours), figures(theirs));
    if (scenario.method.type !== 'fail_over') return summary;
    const { min, max } = spread(ratios(roundMedians(ours), roundMedians(theirs)));
    const ratio = { median: summary.ours / summary.yardstick, min, max };
    return { ...summary, ratio, passes: scenario.bar === null ? null : reaches(ratio.median, scenario.bar) };
  });
}

function roundMedians(entries: readonly LogEntry[]): number[] {
  const rounds = [...new Set(entries.map(({ round }) => round))];
  return rounds.map((round) =>
    median(entries.filter((one) => one.round === round).map(({ figure }) => figure.value)),
  );
}

/** What etcd did in its own protocol, a line a load; empty when that was not measured. */
export function renderGrpc(entries: readonly LogEntry[]): string {
  const lines: string[] = [];
  for (const inFlight of [1, 64]) {
    const measured = entries.flatMap(({ scenario, figure }) =>
      scenario === `grpc-${inFlight}` && figure.measurement !== undefined ? [figure.measurement] : [],
    );
    if (measured.length === 0) continue;
    const middle = (read: (one: (typeof measured)[number]) => number): number => median(measured.map(read));
    const perSecond = Math.round(middle((one) => one.perSecond)).toLocaleString('en');
    const [p50, p99] = [middle((one) => one.p50Us), middle((one) => one.p99Us)].map((us) => us / 1_000);
    lines.push(
      `etcd over gRPC, ${inFlight} in flight: ${perSecond} commits/s, ` +
        `p50/p99 ${p50?.toFixed(2)} / ${p99?.toFixed(2)} ms`,
    );
  }
  return lines.join('\n');
}
