/**
 * The log's lines, from hand-made rounds.
 */
import { describe, expect, it } from 'vitest';
import { renderGrpc, summarizeLog } from './log-report.ts';
import type { LogEntry } from './run-log.ts';
import type { LogScenario } from './scenarios.ts';

const FAIL_OVER: LogScenario = {
  name: 'log-fail-over',
  what: 'kills',
  unit: 'ms',
  method: { type: 'fail_over' },
  bar: { ratio: 1, direction: 'at_most' },
};

function kills(round: number, peer: string, values: readonly number[]): LogEntry[] {
  return values.map((value) => ({ round, scenario: FAIL_OVER.name, peer, unit: 'ms', figure: { value } }));
}

describe('summarizeLog', () => {
  it('judges fail-over by the medians over all kills, and shows how the rounds differ', () => {
    const entries = [
      ...kills(1, 'arrokoth', [100, 110, 120]),
      ...kills(2, 'arrokoth', [100, 300, 310]),
      ...kills(1, 'etcd', [200, 220, 900]),
      ...kills(2, 'etcd', [100, 150, 230]),
    ];
    const [summary] = summarizeLog([FAIL_OVER], entries);
    expect([summary?.ours, summary?.yardstick]).toEqual([115, 210]);
    expect(summary?.ratio).toEqual({ median: 115 / 210, min: 0.5, max: 2 });
    expect(summary?.passes).toBe(true);
  });

  it('says short when the median is longer', () => {
    const entries = [...kills(1, 'arrokoth', [101]), ...kills(1, 'etcd', [100])];
    expect(summarizeLog([FAIL_OVER], entries)[0]?.passes).toBe(false);
  });
});

describe('renderGrpc', () => {
  it('has a line for each load that was measured', () => {
    const measurement = { perSecond: 4_321, p50Us: 1_500, p99Us: 9_000, makerIdle: 0.5, serverBusy: 0.9 };
    const entry = { round: 1, scenario: 'grpc-64', peer: 'etcd', unit: 'commits/s' };
    expect(renderGrpc([{ ...entry, figure: { value: 4_321, measurement } }])).toBe(
      'etcd over gRPC, 64 in flight: 4,321 commits/s, p50/p99 1.50 / 9.00 ms',
    );
    expect(renderGrpc([])).toBe('');
  });
});
