/**
 * One seed from beginning to end: a cluster is founded and gathered, then everything may go wrong for
 * a minute and nothing may be wrong; then a random majority is healed and has to go on; then all
 * are healed and have to agree. Returns what was seen, or what was broken.
 */
import { Fleet } from './fleet.ts';
import { Judge } from './judge.ts';
import { Nemesis } from './nemesis.ts';
import { Network } from './network.ts';
import { Operator } from './operator.ts';
import { withoutWorld } from './poison.ts';
import { Rng } from './rng.ts';
import { SimulatedNode } from './simulated-node.ts';
import { drawSwarm, type Focus, type SwarmOptions } from './swarm.ts';
import { noTotals, type Totals } from './totals.ts';
import { Trace } from './trace.ts';
import { Violation } from './violation.ts';
import { Workload } from './workload.ts';
import { World } from './world.ts';

/** The safety phase lasts this long, and until so much was proposed. */
const SAFETY_MS = 60_000;
const PROPOSALS_MIN = 300;
const SAFETY_MAX_MS = 600_000;
/** A healed majority has to go on within this time: several elections, each perhaps a split vote. */
const CORE_MS = 40_000;
/** A change of the voters that begins before the rest is missed has begun within this time. */
const CHANGE_MS = 2_000;
/** A cluster without any fault gathers, and converges, within these. */
const GATHER_MS = 60_000;
const CONVERGE_MS = 90_000;

/** What became of a seed. */
export interface SeedReport {
  readonly seed: number;
  readonly options: SwarmOptions;
  readonly totals: Totals;
  /** Of everything that happened. */
  readonly hash: string;
  readonly virtualMs: number;
  readonly events: number;
  /** Registers whose histories were too long to judge. */
  readonly undecided: readonly string[];
  readonly failure: SeedFailure | null;
}

/** What was broken, and the last that happened before. */
export interface SeedFailure {
  readonly checker: string;
  readonly text: string;
  readonly last: readonly string[];
}

/** Lets one seed happen. `print` gets every event; null: nobody looks. */
export function runSeed(
  seed: number,
  print: ((line: string) => void) | null,
  focus: Focus | null = null,
): SeedReport {
  return withoutWorld(() => new Simulation(seed, print, focus).run());
}

class Simulation {
  readonly #seed: number;
  readonly #world = new World();
  readonly #trace: Trace;
  readonly #totals = noTotals();
  readonly #options: SwarmOptions;
  readonly #fleet: Fleet;
  readonly #nemesis: Nemesis;
  readonly #workload: Workload;
  readonly #operator: Operator;
  readonly #rng: Rng;

  constructor(seed: number, print: ((line: string) => void) | null, focus: Focus | null) {
    this.#seed = seed;
    this.#trace = new Trace(() => this.#world.nowMs, print);
    this.#rng = new Rng(`${seed}`);
    this.#options = drawSwarm(this.#rng.fork('options'), focus);
    const { nodes, spares, driftMax, network, load } = this.#options;
    this.#fleet = new Fleet({
      ...{ world: this.#world, rng: this.#rng, trace: this.#trace, totals: this.#totals },
      ...{ options: this.#options, judge: new Judge(this.#totals, driftMax) },
      network: new Network(this.#world, this.#rng.fork('network'), nodes + spares, network),
    });
    for (let number = 0; number < nodes + spares; number++)
      this.#fleet.add(new SimulatedNode(this.#fleet, number));
    this.#nemesis = new Nemesis(this.#fleet, this.#rng.fork('crash'));
    this.#workload = new Workload(this.#fleet, this.#rng.fork('load'), load);
    this.#operator = new Operator(this.#fleet, this.#rng.fork('operator'), load.operatorMeanMs);
  }

  run(): SeedReport {
    let failure: SeedFailure | null = null;
    let undecided: string[] = [];
    try {
      this.#gather();
      this.#endureFaults();
      this.#healMajority();
      this.#healAll();
      undecided = this.#fleet.judge.conclude();
    } catch (error) {
      failure = { ...named(error), last: this.#trace.last() };
    }
    for (const node of this.#fleet.nodes) this.#totals.tornWrites += node.disk.tornWrites;
    this.#totals.lostMessages = this.#fleet.network.lost;
    this.#totals.repeatedMessages = this.#fleet.network.repeated;
    return {
      ...{ seed: this.#seed, options: this.#options, totals: this.#totals, hash: this.#trace.hash },
      ...{ virtualMs: this.#world.nowMs, events: this.#world.events, undecided, failure },
    };
  }

  #gather(): void {
    const { nodes } = this.#fleet;
    (nodes[0] as SimulatedNode).found();
    for (const node of nodes.slice(1)) node.start();
    let gathered = false;
    this.#operator.gather(nodes.slice(0, this.#options.nodes), () => {
      gathered = true;
    });
    this.#await('progress', GATHER_MS, 'the first members do not gather', () => gathered);
  }

  #endureFaults(): void {
    this.#workload.start();
    this.#operator.start();
    this.#nemesis.start(this.#options.faults);
    const from = this.#world.nowMs;
    this.#world.runUntil(from + SAFETY_MS);
    const enough = (): boolean => this.#totals.proposals >= PROPOSALS_MIN;
    this.#world.runUntil(from + SAFETY_MAX_MS, enough);
    this.#nemesis.rest();
    this.#operator.stop();
  }

  /** Heals just enough nodes, drawn at random, and demands that they go on without the others. */
  #healMajority(): void {
    const core: SimulatedNode[] = [];
    const others = this.#rng.fork('core').shuffled(this.#fleet.members);
    const heal = (): void => {
      for (const node of others.splice(0)) (this.#fleet.canElect(core) ? others : core).push(node);
      this.#trace.note(`healed: ${core.map(({ short }) => short).join(' ')}`, 'nemesis', core.length);
      this.#nemesis.repair(core);
    };
    heal();
    this.#world.runUntil(this.#world.nowMs + CHANGE_MS);
    // Their master may have added a voter that it had just heard of: then a majority is one more.
    if (!this.#fleet.canElect(core)) heal();
    let done = 0;
    this.#workload.writeUntilDone('core', core, () => {
      done++;
      this.#workload.readAll(core, 1, () => done++);
    });
    const text = `the healed majority ${core.map(({ short }) => short).join(' ')} does not go on`;
    this.#await('progress', CORE_MS, text, () => done === 2);
  }

  /** Heals everything and demands that all members end up with the same. */
  #healAll(): void {
    const { nodes, judge } = this.#fleet;
    this.#trace.note('all healed', 'nemesis', nodes.length);
    this.#nemesis.repair(nodes);
    this.#workload.stop();
    let written = false;
    this.#workload.writeUntilDone('last', nodes, () => {
      written = true;
    });
    this.#await('progress', CONVERGE_MS, 'the healed cluster does not go on', () => written);
    const members = (): SimulatedNode[] =>
      nodes.filter(({ name }) => judge.configuration.members.some((member) => member.name === name));
    const isQuiet = (): boolean =>
      members().every(
        (node) => node.appliedIndex === judge.highestIndex && !node.isMuted && node.role !== 'unjoined',
      );
    this.#await('progress', CONVERGE_MS, 'the members do not converge', isQuiet);
    for (const node of members()) judge.converged(node.name, node.appliedIndex);
    const all = members();
    let read = 0;
    for (const [first] of all.entries()) {
      const rotated = [...all.slice(first), ...all.slice(0, first)];
      this.#workload.readAll(rotated, this.#options.load.registers, () => read++);
    }
    this.#await('progress', CONVERGE_MS, 'the last reads are not answered', () => read >= all.length);
  }

  /** Lets time pass until `reached`; that it is not within `boundMs` is a broken promise. */
  #await(checker: string, boundMs: number, text: string, reached: () => boolean): void {
    this.#world.runUntil(this.#world.nowMs + boundMs, reached);
    if (reached()) return;
    const states = this.#fleet.nodes.map((node) => node.describe()).join('; ');
    throw new Violation(checker, `${text} within ${boundMs} ms: ${states}`);
  }
}

/** An assertion of the product that fails is as bad as a broken promise. */
function named(error: unknown): { checker: string; text: string } {
  if (error instanceof Violation) return { checker: error.checker, text: error.message };
  return {
    checker: 'exception',
    text: error instanceof Error ? (error.stack ?? error.message) : String(error),
  };
}
