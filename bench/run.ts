/**
 * `npm run bench`: the conductor of a run.
 *
 * Starts servers and load makers on cores of their own, lets them be measured in interleaved rounds
 * and prints medians as ratios of the same round, against a bare `ws` server or another build. It
 * makes no load and judges nothing: a message lost is an error, a bar missed is a line in the
 * table. See `README.md`.
 */
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { describeMachine, warnIfBusy } from './machine.ts';
import { arrokoth, BUILT_PROGRAM } from './peers/arrokoth.ts';
import { BARE_WS, BARE_WS_TWIN } from './peers/bare-ws.ts';
import type { Peer } from './peers/peer.ts';
import { warnIfUnpinned } from './pinned-process.ts';
import { renderTable, type Summary, summarize } from './report.ts';
import { AGAINST_A_BUILD, type Scenario, SITTINGS, type Sitting } from './scenarios.ts';
import { type Figure, type Pace, runSitting } from './sitting.ts';

const USAGE = `npm run bench -- [options]
  --rounds N      interleaved rounds (5)
  --only A,B      scenarios of that name, or of all that begin so up to a dash
  --quick         one round with short windows: shows that it runs, not what it yields
  --program FILE  the node's program (dist/main/arrokoth.js), to measure another build
  --against FILE  the program of another build as the yardstick: shows what a change costs
  --twin          the yardstick against itself instead of a node: what noise alone does
  --profile       writes CPU profiles of the servers to bench/profiles; slows them
  --json FILE     writes all figures of all rounds
Scenarios: ${SITTINGS.flatMap(({ scenarios }) => scenarios.map(({ name }) => name)).join(' ')}
`;

const FULL_PACE: Pace = { warmUpMs: 1_500, windowMs: 5_000 };
const QUICK_PACE: Pace = { warmUpMs: 500, windowMs: 1_000 };
const ROUNDS = 5;
const PROFILES = join(import.meta.dirname, 'profiles');

const { values: options } = parseArgs({
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
  const ours = options.twin ? BARE_WS_TWIN : built(options.program, 'arrokoth');
  const yardstick = options.against === undefined ? BARE_WS : built(options.against, 'other-build');
  const rounds = options.rounds === undefined ? (options.quick ? 1 : ROUNDS) : Number(options.rounds);
  if (!Number.isInteger(rounds) || rounds < 1)
    throw new Error(`--rounds ${options.rounds}: not a number from 1`);
  const sittings = wantedSittings(options.only?.split(',') ?? null);
  console.log(`${describeMachine()}\n${ours.name} against ${yardstick.name}, ${rounds} round(s)`);
  warnIfUnpinned(cpus().length);
  warnIfBusy();
  const figures = await runRounds({ sittings, peers: [ours, yardstick], rounds });
  const summaries = sittings
    .flatMap(({ scenarios }) => scenarios)
    .map((scenario) => summarize(scenario, figures.of(scenario, ours), figures.of(scenario, yardstick)));
  console.log(`\n${renderTable(summaries)}`);
  if (options.json !== undefined) writeJson(options.json, summaries, figures.all);
}

function built(program: string, name: string): Peer {
  if (!existsSync(program)) throw new Error(`${program}: run npm run build first`);
  return arrokoth(program, name);
}

function fail(error: Error): never {
  console.error(`!! ${error.message}`);
  process.exit(1);
}

function wantedSittings(names: readonly string[] | null): Sitting[] {
  const wanted = (scenario: Scenario): boolean =>
    names === null || names.some((name) => scenario.name === name || scenario.name.startsWith(`${name}-`));
  const known = options.against === undefined ? SITTINGS : AGAINST_A_BUILD;
  const sittings = known.map((sitting) => ({ ...sitting, scenarios: sitting.scenarios.filter(wanted) }));
  const chosen = sittings.filter(({ scenarios }) => scenarios.length > 0);
  if (chosen.length === 0) throw new Error(`--only ${options.only}: no such scenario\n${USAGE}`);
  return chosen;
}

/** One figure with its place in the run; the JSON file is a list of them. */
interface Entry {
  readonly round: number;
  readonly scenario: string;
  readonly peer: string;
  readonly figure: Figure;
}

async function runRounds(plan: {
  readonly sittings: readonly Sitting[];
  readonly peers: readonly Peer[];
  readonly rounds: number;
}): Promise<{ all: Entry[]; of(scenario: Scenario, peer: Peer): Figure[] }> {
  const all: Entry[] = [];
  const directory = mkdtempSync(join(tmpdir(), 'arrokoth-bench-'));
  process.on('exit', () => rmSync(directory, { recursive: true, force: true, maxRetries: 3 }));
  if (options.profile) mkdirSync(PROFILES, { recursive: true });
  for (let round = 1; round <= plan.rounds; round += 1) {
    const peers = round % 2 === 1 ? plan.peers : plan.peers.toReversed();
    for (const [index, sitting] of plan.sittings.entries()) {
      await runSitting({
        sitting,
        peers,
        pace: options.quick ? QUICK_PACE : FULL_PACE,
        directory: join(directory, `${round}-${index}`),
        profiles: options.profile ? join(PROFILES, `round-${round}`) : null,
        onFigure: (scenario, peer, figure) => {
          all.push({ round, scenario: scenario.name, peer, figure });
          console.log(describeFigure(round, scenario, peer, figure));
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

function describeFigure(round: number, scenario: Scenario, peer: string, figure: Figure): string {
  const value = figure.value.toFixed(figure.value < 100 ? 2 : 0);
  const idle =
    figure.measurement === undefined
      ? ''
      : `  maker idle ${Math.round(figure.measurement.makerIdle * 100)} %`;
  const who = `${scenario.name.padEnd(17)} ${peer.padEnd(12)}`;
  return `round ${round}  ${who} ${value.padStart(9)} ${scenario.unit}${idle}`;
}

function writeJson(file: string, summaries: readonly Summary[], entries: readonly Entry[]): void {
  const content = { machine: describeMachine(), at: new Date().toISOString(), summaries, entries };
  writeFileSync(file, `${JSON.stringify(content, null, 2)}\n`);
}
