/**
 * The table's figures and verdicts, from hand-made rounds.
 */
import { describe, expect, it } from 'vitest';
import { renderTable, summarize } from './report.ts';
import type { Scenario } from './scenarios.ts';
import type { Figure } from './sitting.ts';

const SCENARIO: Scenario = {
  name: 'broadcast-1k-16',
  what: 'to 1k, 16 in flight',
  unit: 'deliveries/s',
  method: { type: 'load', load: 'broadcast', inFlight: 16 },
  bar: { ratio: 6, direction: 'at_least' },
};

function figure(value: number): Figure {
  return {
    value,
    measurement: { perSecond: value, p50Us: 1_500, p99Us: 3_000, makerIdle: 0.25, serverBusy: 0.99 },
  };
}

describe('summarize', () => {
  it('judges the median of the ratios of each round', () => {
    const summary = summarize(SCENARIO, [600, 500, 900].map(figure), [100, 100, 100].map(figure));
    expect(summary.ratio).toEqual({ median: 6, min: 5, max: 9 });
    expect(summary.passes).toBe(true);
    expect(summary.rounds).toBe(3);
  });
  it('says short when the median ratio is below the bar, whatever the best round was', () => {
    const summary = summarize(SCENARIO, [590, 500, 900].map(figure), [100, 100, 100].map(figure));
    expect(summary.passes).toBe(false);
  });
  it('compares what a second of server CPU time yields', () => {
    const busy = (value: number, serverBusy: number): Figure => {
      const { measurement } = figure(value);
      return { value, measurement: { ...(measurement as NonNullable<typeof measurement>), serverBusy } };
    };
    const summary = summarize(SCENARIO, [busy(100, 0.5)], [busy(100, 1)]);
    expect(summary.cpuRatio).toBe(2);
    expect(summary.ratio.median).toBe(1);
    expect(summarize(SCENARIO, [{ value: 1 }], [{ value: 1 }]).cpuRatio).toBeNull();
  });
  it('gives no verdict without a bar', () => {
    expect(summarize({ ...SCENARIO, bar: null }, [figure(1)], [figure(1)]).passes).toBeNull();
  });
});

describe('renderTable', () => {
  it('puts figure, bar and verdict in one line a scenario', () => {
    const table = renderTable([summarize(SCENARIO, [figure(1_200)], [figure(100)])]);
    expect(table.split('\n')).toHaveLength(3);
    expect(table).toContain('1,200');
    expect(table).toContain('12.00 (12.00..12.00)');
    expect(table).toContain('>= 6');
    expect(table).toContain('pass');
    expect(table).toContain('1.50 / 3.00');
    expect(table).toContain('25 % / 25 %');
  });
  it('shows memory without latencies', () => {
    const memory: Scenario = {
      ...SCENARIO,
      name: 'memory',
      unit: 'KB/connection',
      method: { type: 'memory' },
      bar: { ratio: 2, direction: 'at_most' },
    };
    const table = renderTable([summarize(memory, [{ value: 13, heap: 4 }], [{ value: 6, heap: 3 }])]);
    expect(table).toContain('SHORT');
    expect(table).toContain('<= 2');
    expect(table).toContain('heap 4.00 KB');
  });
});
