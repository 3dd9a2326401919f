/**
 * One seed of a simulated cluster: it gathers, then a minute of faults in which no two nodes may order
 * one channel, then all is healed and every member has to be up again.
 *
 * The log underneath is the product's, as in `simulation.ts`, and so is the state; the supervisors
 * between them are models (`simulated-supervisor.ts`).
 */
import { Fleet } from '../fleet.ts';
import { Nemesis } from '../nemesis.ts';
import { Network } from '../network.ts';
import { Operator } from '../operator.ts';
import { withoutWorld } from '../poison.ts';
import { Rng } from '../rng.ts';
import { SimulatedNode } from '../simulated-node.ts';
import { drawSwarm } from '../swarm.ts';
import { noTotals } from '../totals.ts';
import { Trace } from '../trace.ts';
import { Violation } from '../violation.ts';
import { World } from '../world.ts';
import { ClusterJudge } from './cluster-judge.ts';
import { type ClusterTotals, noClusterTotals } from './cluster-totals.ts';
import { type ClusterRules, SimulatedSupervisor } from './simulated-supervisor.ts';

const GATHER_MS = 60_000;
const SAFETY_MS = 60_000;
const CONVERGE_MS = 90_000;

/** Shorter than in life, in the same proportion, so that a minute sees more of them. */
const RULES: ClusterRules = { isolationMs: 1_500, downAfterMs: 2_500, ignoresBoot: false };

/** What became of a seed. */
export interface ClusterReport {
  readonly seed: number;
  readonly totals: ClusterTotals;
  readonly failure: { readonly checker: string; readonly text: string } | null;
}

/** Lets one seed happen; `planted` breaks a rule on purpose. */
export function runClusterSeed(seed: number, planted: Partial<ClusterRules> = {}): ClusterReport {
  return withoutWorld(() => new ClusterSimulation(seed, { ...RULES, ...planted }).run());
}

class ClusterSimulation {
  readonly #seed: number;
  readonly #world = new World();
  readonly #totals = noClusterTotals();
  readonly #judge: ClusterJudge;
  readonly #fleet: Fleet;
  readonly #nemesis: Nemesis;
  readonly #operator: Operator;
  readonly #supervisors = new Map<string, SimulatedSupervisor>();

  constructor(seed: number, rules: ClusterRules) {
    this.#seed = seed;
    const rng = new Rng(`cluster-${seed}`);
    const options = drawSwarm(rng.fork('options'));
    const totals = noTotals();
    this.#judge = new ClusterJudge(totals, options.driftMax);
    this.#fleet = new Fleet({
      ...{ world: this.#world, rng, options, totals, judge: this.#judge },
      trace: new Trace(() => this.#world.nowMs, null),
      network: new Network(this.#world, rng.fork('network'), options.nodes, options.network),
    });
    for (let number = 0; number < options.nodes; number++)
      this.#fleet.add(new SimulatedNode(this.#fleet, number));
    this.#nemesis = new Nemesis(this.#fleet, rng.fork('crash'));
    this.#operator = new Operator(this.#fleet, rng.fork('operator'), 1);
    this.#judge.events = {
      started: (who) => {
        const node = this.#fleet.nodes.find(({ name }) => name === who) as SimulatedNode;
        const world = { fleet: this.#fleet, judge: this.#judge, totals: this.#totals, rules };
        const life = rng.fork(`${node.short}-${this.#totals.boots}`);
        this.#supervisors.set(who, new SimulatedSupervisor({ ...world, node, rng: life }));
      },
      turned: (who, views) => this.#supervisors.get(who)?.turned(views),
      received: (who, from) => this.#supervisors.get(who)?.heard(from),
    };
  }

  run(): ClusterReport {
    let failure: ClusterReport['failure'] = null;
    try {
      this.#gather();
      this.#nemesis.start(this.#fleet.options.faults);
      this.#world.runUntil(this.#world.nowMs + SAFETY_MS);
      this.#nemesis.rest();
      this.#nemesis.repair(this.#fleet.nodes);
      this.#await(CONVERGE_MS, 'not every member of the healed cluster comes up', () => this.#allUp());
    } catch (error) {
      if (!(error instanceof Violation)) throw error;
      failure = { checker: error.checker, text: error.message };
    }
    this.#totals.takeovers = this.#judge.owners.takeovers;
    return { seed: this.#seed, totals: this.#totals, failure };
  }

  #gather(): void {
    const { nodes } = this.#fleet;
    (nodes[0] as SimulatedNode).found();
    for (const node of nodes.slice(1)) node.start();
    let gathered = false;
    this.#operator.gather(nodes, () => {
      gathered = true;
    });
    this.#await(GATHER_MS, 'the members do not gather', () => gathered);
  }

  #allUp(): boolean {
    return this.#fleet.nodes.every(({ name, isUp }) => isUp && this.#supervisors.get(name)?.isUp === true);
  }

  #await(boundMs: number, text: string, reached: () => boolean): void {
    this.#world.runUntil(this.#world.nowMs + boundMs, reached);
    if (reached()) return;
    const up = ({ name }: SimulatedNode): string => (this.#supervisors.get(name)?.isUp ? 'up' : 'not up');
    const states = this.#fleet.nodes.map((node) => `${up(node)}: ${node.describe()}`).join('; ');
    throw new Violation('progress', `${text} within ${boundMs} ms: ${states}`);
  }
}
