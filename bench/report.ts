/**
 * The report: one line a scenario, ours against the yardstick, with the bar and whether it is reached.
 *
 * Figures come in round by round; the table is made at the end. Nothing here decides whether a run
 * succeeded: a figure that falls short is a figure, not a failure.
 */
import type { Scenario } from './scenarios.ts';
import type { Figure } from './sitting.ts';
import { type Bar, median, ratios, reaches, type Spread, spread } from './statistics.ts';

/** A scenario over all rounds, as it is also written to the JSON file. */
export interface Summary {
  readonly name: string;
  readonly what: string;
  readonly unit: string;
  readonly bar: Bar | null;
  readonly rounds: number;
  readonly ours: number;
  readonly yardstick: number;
  readonly ratio: Spread;
  /** The ratio of what a second of server CPU time yields; null where nothing was timed. */
  readonly cpuRatio: number | null;
  /** Null without a bar. */
  readonly passes: boolean | null;
  readonly oursDetails: Details;
  readonly yardstickDetails: Details;
}

/** Medians of what stands beside a figure; null where there is no such thing. */
export interface Details {
  readonly p50Us: number | null;
  readonly p99Us: number | null;
  readonly makerIdle: number | null;
  readonly serverBusy: number | null;
  readonly heapKb: number | null;
}

/** Boils the rounds of a scenario down. */
export function summarize(
  scenario: Pick<Scenario, 'name' | 'what' | 'unit' | 'bar'>,
  ours: readonly Figure[],
  yardstick: readonly Figure[],
): Summary {
  const values = (figures: readonly Figure[]): number[] => figures.map(({ value }) => value);
  const ratio = spread(ratios(values(ours), values(yardstick)));
  return {
    name: scenario.name,
    what: scenario.what,
    unit: scenario.unit,
    bar: scenario.bar,
    rounds: Math.min(ours.length, yardstick.length),
    ours: median(values(ours)),
    yardstick: median(values(yardstick)),
    ratio,
    cpuRatio: cpuRatioOf(ours, yardstick),
    passes: scenario.bar === null ? null : reaches(ratio.median, scenario.bar),
    oursDetails: detailsOf(ours),
    yardstickDetails: detailsOf(yardstick),
  };
}

/** Others on the machine take turns of the server's core; CPU time counts only its own. */
function cpuRatioOf(ours: readonly Figure[], yardstick: readonly Figure[]): number | null {
  const perCpuSecond = (figures: readonly Figure[]): number[] => {
    const measured = figures.flatMap(({ measurement }) => measurement ?? []);
    return measured.map(({ perSecond, serverBusy }) => perSecond / serverBusy);
  };
  const compared = ratios(perCpuSecond(ours), perCpuSecond(yardstick));
  return compared.length === 0 ? null : median(compared);
}

function detailsOf(figures: readonly Figure[]): Details {
  const of = (read: (figure: Figure) => number | undefined): number | null => {
    const values = figures.map(read).filter((value) => value !== undefined);
    return values.length === 0 ? null : median(values);
  };
  return {
    p50Us: of(({ measurement }) => measurement?.p50Us),
    p99Us: of(({ measurement }) => measurement?.p99Us),
    makerIdle: of(({ measurement }) => measurement?.makerIdle),
    serverBusy: of(({ measurement }) => measurement?.serverBusy),
    heapKb: of(({ heap }) => heap),
  };
}

const HEADINGS = [
  'scenario',
  'unit',
  'ours',
  'yardstick',
  'ratio (min..max)',
  'per CPU s',
  'bar',
  'verdict',
  'p50/p99 ms ours',
  'p50/p99 ms yardstick',
  'maker idle',
  'server busy',
];

/** The table in Markdown, readable as it is printed. */
export function renderTable(summaries: readonly Summary[]): string {
  const rows = [HEADINGS, ...summaries.map(renderRow)];
  const widths = HEADINGS.map((_, column) => Math.max(...rows.map((row) => (row[column] as string).length)));
  const lines = rows.map(
    (row) => `| ${row.map((cell, column) => cell.padEnd(widths[column] as number)).join(' | ')} |`,
  );
  const rule = `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`;
  return [lines[0], rule, ...lines.slice(1)].join('\n');
}

function renderRow(summary: Summary): string[] {
  const { ratio, oursDetails, yardstickDetails } = summary;
  return [
    summary.name,
    summary.unit,
    number(summary.ours),
    number(summary.yardstick),
    `${ratio.median.toFixed(2)} (${ratio.min.toFixed(2)}..${ratio.max.toFixed(2)})`,
    summary.cpuRatio === null ? '-' : summary.cpuRatio.toFixed(2),
    summary.bar === null ? '-' : `${summary.bar.direction === 'at_least' ? '>=' : '<='} ${summary.bar.ratio}`,
    summary.passes === null ? '-' : summary.passes ? 'pass' : 'SHORT',
    latencies(oursDetails),
    latencies(yardstickDetails),
    `${percent(oursDetails.makerIdle)} / ${percent(yardstickDetails.makerIdle)}`,
    `${percent(oursDetails.serverBusy)} / ${percent(yardstickDetails.serverBusy)}`,
  ];
}

function number(value: number): string {
  return value < 100 ? value.toFixed(2) : Math.round(value).toLocaleString('en');
}

function latencies({ p50Us, p99Us, heapKb }: Details): string {
  if (p50Us === null || p99Us === null) return heapKb === null ? '-' : `heap ${heapKb.toFixed(2)} KB`;
  return `${(p50Us / 1_000).toFixed(2)} / ${(p99Us / 1_000).toFixed(2)}`;
}

function percent(share: number | null): string {
  return share === null ? '-' : `${Math.round(share * 100)} %`;
}
