/**
 * `npm run bench`: the conductor of a run.
 *
 * Starts servers and load makers on cores of their own, lets them be measured in interleaved rounds
 * and prints medians as ratios of the same round, against a bare `ws` server or another build. With
 * `log` as its subject it measures the replicated log against etcd (`log/`). It makes no load and
 * judges nothing: a message lost is an error, a bar missed is a line in the table. See `README.md`.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { etcdVersion } from './log/etcd.ts';
import { renderGrpc, summarizeLog } from './log/log-report.ts';
import { type LogEntry, runLogRounds } from './log/run-log.ts';
import { LOG_SCENARIOS } from './log/scenarios.ts';
import { describeDisk, describeMachine, warnIfBusy } from './machine.ts';
import { arrokoth, BUILT_PROGRAM } from './peers/arrokoth.ts';
import { BARE_WS, BARE_WS_TWIN } from './peers/bare-ws.ts';
import type { Peer } from './peers/peer.ts';
import { warnIfUnpinned } from './pinned-process.ts';
import { renderTable, type Summary, summarize } from './report.ts';
import { AGAINST_A_BUILD, type Scenario, SITTINGS, type Sitting } from './scenarios.ts';
import { type Figure, type Pace, runSitting } from './sitting.ts';

const USAGE = `npm run bench -- [log] [options]
  log             the replicated log against etcd, instead of a node against bare ws
  --rounds N      interleaved rounds (5)
  --only A,B      scenarios of that name, or of all that begin so up to a dash
  --quick         one round with short windows: shows that it runs, not what it yields
  --program FILE  the node's program (dist/main/arrokoth.js), to measure another build
  --against FILE  the program of another build as the yardstick: shows what a change costs
  --twin          the yardstick against itself instead of a node: what noise alone does
  --profile       writes CPU profiles of the servers to bench/profiles; slows them
  --json FILE     writes all figures of all rounds
Scenarios: ${SITTINGS.flatMap(({ scenarios }) => scenarios.map(({ name }) => name)).join(' ')}
Of log: ${LOG_SCENARIOS.map(({ name }) => name).join(' ')}
`;

const FULL_PACE: Pace = { warmUpMs: 1_500, windowMs: 5_000 };
const QUICK_PACE: Pace = { warmUpMs: 500, windowMs: 1_000 };
/** A cluster is fresh in each round, and its code is compiled while it runs. */
const LOG_WARM_UP_MS = 4_000;
const ROUNDS = 5;
/** Of the master, over all rounds. */
const KILLS = 30;
const QUICK_KILLS = 2;
const PROFILES = join(import.meta.dirname, 'profiles');

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string' },
    only: { type: 'string' },
    quick: { type: 'boolean', default: false },
    program: { type: 'string', default: BUILT_PROGRAM },
    against: { type: 'string' },
    twin: { type: 'boolean', default: false },
    profile: { type: 'boolean', default: false },
    json: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

if (options.help) process.stdout.write(USAGE);
else await run().catch(fail);

async function run(): Promise<void> {
  const subject = positionals.join(' ');
  if (subject !== '' && subject !== 'log') throw new Error(`${subject}: no such subject\n${USAGE}`);
  const rounds = options.rounds === undefined ? (options.quick ? 1 : ROUNDS) : Number(options.rounds);
  if (!Number.isInteger(rounds) || rounds < 1)
    throw new Error(`--rounds ${options.rounds}: not a number from 1`);
  console.log(describeMachine());
  warnIfUnpinned(cpus().length);
  warnIfBusy();
  const directory = mkdtempSync(join(tmpdir(), 'arrokoth-bench-'));
  process.on('exit', () => rmSync(directory, { recursive: true, force: true, maxRetries: 3 }));
  await (subject === 'log' ? benchLog(rounds, directory) : benchNode(rounds, directory));
}

async function benchNode(rounds: number, directory: string): Promise<void> {
  const ours = options.twin ? BARE_WS_TWIN : built(options.program, 'arrokoth');
  const yardstick = options.against === undefined ? BARE_WS : built(options.against, 'other-build');
  const sittings = wantedSittings();
  console.log(`${ours.name} against ${yardstick.name}, ${rounds} round(s)`);
  const figures = await runRounds({ sittings, peers: [ours, yardstick], rounds, directory });
  const summaries = sittings
    .flatMap(({ scenarios }) => scenarios)
    .map((scenario) => summarize(scenario, figures.of(scenario, ours), figures.of(scenario, yardstick)));
  report(summaries, figures.all);
}

async function benchLog(rounds: number, directory: string): Promise<void> {
  const version = etcdVersion();
  if (version === null) {
    console.error('!! SKIPPED: etcd (Debian: etcd-server) is not here, and a figure alone means nothing');
    return;
  }
  const scenarios = LOG_SCENARIOS.filter(isWanted);
  if (scenarios.length === 0) throw nothingWanted();
  // What is measured is what users get, and not that of yesterday.
  execFileSync('npm', ['run', '--silent', 'build'], { stdio: 'inherit' });
  console.log(`${describeDisk(directory)}\nthe log against etcd ${version}, ${rounds} round(s)`);
  const kills = Math.ceil((options.quick ? QUICK_KILLS : KILLS) / rounds);
  const pace = { ...(options.quick ? QUICK_PACE : { ...FULL_PACE, warmUpMs: LOG_WARM_UP_MS }), kills };
  const entries: LogEntry[] = [];
  const onEntry = (entry: LogEntry): void => {
    entries.push(entry);
    console.log(describeFigure(entry));
  };
  await runLogRounds({ rounds, pace, scenarios, directory, onEntry });
  report(summarizeLog(scenarios, entries), entries);
  console.log(`\n${renderGrpc(entries)}`);
}

function report(summaries: readonly Summary[], entries: readonly object[]): void {
  console.log(`\n${renderTable(summaries)}`);
  if (options.json === undefined) return;
  const content = { machine: describeMachine(), at: new Date().toISOString(), summaries, entries };
  writeFileSync(options.json, `${JSON.stringify(content, null, 2)}\n`);
}

function built(program: string, name: string): Peer {
  if (!existsSync(program)) throw new Error(`${program}: run npm run build first`);
  return arrokoth(program, name);
}

function fail(error: Error): never {
  console.error(`!! ${error.message}`);
  process.exit(1);
}

function isWanted({ name }: { readonly name: string }): boolean {
  const names = options.only?.split(',') ?? null;
  return names === null || names.some((wanted) => name === wanted || name.startsWith(`${wanted}-`));
}

function nothingWanted(): Error {
  return new Error(`--only ${options.only}: no such scenario\n${USAGE}`);
}

function wantedSittings(): Sitting[] {
  const known = options.against === undefined ? SITTINGS : AGAINST_A_BUILD;
  const sittings = known.map((sitting) => ({ ...sitting, scenarios: sitting.scenarios.filter(isWanted) }));
  const chosen = sittings.filter(({ scenarios }) => scenarios.length > 0);
  if (chosen.length === 0) throw nothingWanted();
  return chosen;
}

/** One figure with its place in the run; the JSON file is a list of them. */
interface Entry {
  readonly round: number;
  readonly scenario: string;
  readonly peer: string;
  readonly unit: string;
  readonly figure: Figure;
}

async function runRounds(plan: {
  readonly sittings: readonly Sitting[];
  readonly peers: readonly Peer[];
  readonly rounds: number;
  readonly directory: string;
}): Promise<{ all: Entry[]; of(scenario: Scenario, peer: Peer): Figure[] }> {
  const all: Entry[] = [];
  if (options.profile) mkdirSync(PROFILES, { recursive: true });
  for (let round = 1; round <= plan.rounds; round += 1) {
    const peers = round % 2 === 1 ? plan.peers : plan.peers.toReversed();
    for (const [index, sitting] of plan.sittings.entries()) {
      await runSitting({
        sitting,
        peers,
        pace: options.quick ? QUICK_PACE : FULL_PACE,
        directory: join(plan.directory, `${round}-${index}`),
        profiles: options.profile ? join(PROFILES, `round-${round}`) : null,
        onFigure: (scenario, peer, figure) => {
          const entry = { round, scenario: scenario.name, peer, unit: scenario.unit, figure };
          all.push(entry);
          console.log(describeFigure(entry));
        },
      });
    }
  }
  const of = (scenario: Scenario, peer: Peer): Figure[] =>
    all
      .filter((entry) => entry.scenario === scenario.name && entry.peer === peer.name)
      .map(({ figure }) => figure);
  return { all, of };
}

function describeFigure({ round, scenario, peer, unit, figure }: Entry): string {
  const value = figure.value.toFixed(figure.value < 100 ? 2 : 0);
  const idle =
    figure.measurement === undefined
      ? ''
      : `  maker idle ${Math.round(figure.measurement.makerIdle * 100)} %`;
  return `round ${round}  ${scenario.padEnd(17)} ${peer.padEnd(12)} ${value.padStart(9)} ${unit}${idle}`;
}
