/** The words of a run: what it has seen, and how a failed seed is repeated. */
import type { SeedReport } from './simulation.ts';
import type { Totals } from './totals.ts';

/** What a run was, beside its totals. */
export interface RunSize {
  readonly seeds: number;
  readonly failures: readonly SeedReport[];
  readonly undecided: number;
  readonly virtualMs: number;
  readonly tookMs: number;
  /** Time of all cores, compiling included. */
  readonly cpuMs: number;
  readonly workers: number;
}

/** A failed seed: its world, what was broken, the end of its trace, and what to do. */
export function renderFailure({ seed, options, hash, failure }: SeedReport, commit: string): string {
  if (failure === null) return '';
  return [
    `seed ${seed} failed at commit ${commit}, trace ${hash}`,
    `options ${JSON.stringify(options)}`,
    'the last events:',
    ...failure.last,
    failure.text,
    `repeat it: npm run sim -- --seed ${seed} --trace`,
    `keep it: add "${seed}  ${failure.checker}: why it failed" to sim/seeds.txt`,
    '',
  ].join('\n');
}

/** Sums of a run, and how fast it was. */
export function renderTotals(totals: Totals, size: RunSize): string {
  const { seeds, failures, undecided, virtualMs, tookMs, cpuMs, workers } = size;
  const rows = Object.entries(totals).map(([name, count]) => `  ${spaced(name).padEnd(22)} ${count}`);
  const perSecond = Math.round(totals.messages / (tookMs / 1_000));
  const perCoreSecond = Math.round(totals.messages / (cpuMs / 1_000));
  const failed = failures.map(({ seed, failure }) => `${seed} (${failure?.checker})`).join(', ');
  return [
    `${seeds} seeds, ${Math.round(virtualMs / 60_000)} virtual minutes in ${(tookMs / 1_000).toFixed(1)} s`,
    ...rows,
    `  undecided registers    ${undecided}`,
    `  messages a second      ${perSecond} by ${workers} process(es), ${perCoreSecond} a core second`,
    failures.length === 0 ? 'every promise was kept' : `${failures.length} failed: ${failed}`,
    '',
  ].join('\n');
}

/** `tornWrites` -> `torn writes`. */
function spaced(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}
