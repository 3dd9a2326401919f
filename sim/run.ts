/**
 * `npm run sim`: runs seeds, prints what they have seen, and how to repeat the one that failed.
 *
 * The seeds of `seeds.txt` come first, always: each of them has failed once. Exits 1 when a promise
 * was broken, or when something that has to be tried never happened.
 */
import { execFileSync, fork } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { renderFailure, renderTotals } from './report.ts';
import { runSeed, type SeedReport } from './simulation.ts';
import type { Focus } from './swarm.ts';
import { addTotals, missingFrom, noTotals } from './totals.ts';

const USAGE = `npm run sim -- [options]
  --seeds N    seeds after those of sim/seeds.txt (200)
  --from S     the first of them (1)
  --seed S     this seed alone; with --trace every event of it
  --workers N  processes (1)
  --focus F    worlds that are cruel in one way: votes, masters or tails; with one process only
  --json       one line a seed, for a parent process
`;

/** Seeds that a worker process is given at a time: few, so that all end at about the same time. */
const PORTION = 10;
/** Messages live for a moment: with more room for the young, hardly any of them is ever copied. */
const ROOM = '--max-semi-space-size=64';
/** Below this, a run is too short to have tried everything. */
const SEEDS_FOR_TOTALS = 100;
/** Failures that are printed in full. */
const PRINTED_MAX = 3;

/** A worker has nothing to do, and has cost so much so far. */
interface Idle {
  readonly userMs: number;
}

const { values: options } = parseArgs({
  options: {
    seeds: { type: 'string', default: '200' },
    from: { type: 'string', default: '1' },
    seed: { type: 'string' },
    workers: { type: 'string', default: '1' },
    trace: { type: 'boolean', default: false },
    worker: { type: 'boolean', default: false },
    focus: { type: 'string' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

if (options.help) process.stdout.write(USAGE);
else if (options.worker) serveParent();
else if (options.seed !== undefined) await runMany([number(options.seed, '--seed')]);
else {
  const from = number(options.from, '--from');
  const wanted = Array.from({ length: number(options.seeds, '--seeds') }, (_, index) => from + index);
  await runMany([...keptSeeds(), ...wanted]);
}

async function runMany(seeds: readonly number[]): Promise<void> {
  const sum = noTotals();
  const failures: SeedReport[] = [];
  let undecided = 0;
  let virtualMs = 0;
  const startedMs = performance.now();
  const count = (report: SeedReport): void => {
    addTotals(sum, report.totals);
    virtualMs += report.virtualMs;
    undecided += report.undecided.length;
    if (options.json) process.stdout.write(`${JSON.stringify(brief(report))}\n`);
    if (report.failure === null) return;
    failures.push(report);
    if (failures.length <= PRINTED_MAX && !options.json)
      process.stdout.write(renderFailure(report, commit()));
  };
  const workers = number(options.workers, '--workers');
  let workersMs = 0;
  if (workers > 1) workersMs = await runInWorkers(seeds, workers, count);
  else for (const seed of seeds) count(runSeed(seed, options.trace ? printLine : null, focus()));
  if (options.json) return;
  const tookMs = performance.now() - startedMs;
  // A machine that has other things to do as well must not make the simulator look slow.
  const cpuMs = workers > 1 ? workersMs : userMs();
  process.stdout.write(
    renderTotals(sum, { seeds: seeds.length, failures, undecided, virtualMs, tookMs, cpuMs, workers }),
  );
  const missing = seeds.length >= SEEDS_FOR_TOTALS ? missingFrom(sum) : [];
  if (missing.length > 0)
    process.stdout.write(`never happened, so nothing is proved: ${missing.join(', ')}\n`);
  if (failures.length > 0 || missing.length > 0) process.exitCode = 1;
}

/** Hands portions of the seeds to processes, counts what they report, and returns the time of their cores. */
function runInWorkers(
  seeds: readonly number[],
  workers: number,
  count: (report: SeedReport) => void,
): Promise<number> {
  const left = [...seeds];
  const one = (): Promise<number> =>
    new Promise((done, fail) => {
      const child = fork(import.meta.filename, ['--worker'], { execArgv: [...process.execArgv, ROOM] });
      let spentMs = 0;
      const next = (idle: Idle): void => {
        spentMs = idle.userMs;
        const portion = left.splice(0, PORTION);
        if (portion.length > 0) child.send(portion);
        else child.disconnect();
      };
      child.on('message', (told: SeedReport | Idle) => ('userMs' in told ? next(told) : count(told)));
      child.on('error', fail);
      child.on('exit', (code) =>
        code === 0 ? done(spentMs) : fail(new Error(`a worker ended with ${code}`)),
      );
    });
  return Promise.all(Array.from({ length: workers }, one)).then((spent) =>
    spent.reduce((sum, each) => sum + each, 0),
  );
}

function serveParent(): void {
  process.on('message', (seeds: readonly number[]) => {
    for (const seed of seeds) process.send?.(runSeed(seed, null));
    process.send?.({ userMs: userMs() } satisfies Idle);
  });
  process.send?.({ userMs: userMs() } satisfies Idle);
}

/** What this process has cost so far, compiling and collecting garbage included. */
function userMs(): number {
  return process.cpuUsage().user / 1_000;
}

/** Seeds that failed once, in the order of the file. */
function keptSeeds(): number[] {
  const path = join(import.meta.dirname, 'seeds.txt');
  if (!existsSync(path)) return [];
  const lines = readFileSync(path, 'utf8').split('\n');
  return lines.filter((line) => /^\d/.test(line)).map((line) => Number.parseInt(line, 10));
}

function brief({ seed, hash, failure, totals }: SeedReport): object {
  return {
    seed,
    hash,
    checker: failure?.checker ?? null,
    text: failure?.text ?? null,
    messages: totals.messages,
  };
}

function focus(): Focus | null {
  const { focus: name } = options;
  if (name === undefined) return null;
  if (name === 'votes' || name === 'masters' || name === 'tails') return name;
  throw new Error(`--focus ${name}: none of votes, masters, tails`);
}

function commit(): string {
  try {
    return execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim();
  } catch {
    return 'unknown';
  }
}

function number(text: string, name: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0) throw new Error(`${name} ${text}: not a whole number`);
  return value;
}

function printLine(line: string): void {
  process.stdout.write(`${line}\n`);
}
