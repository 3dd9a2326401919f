/**
 * The operator of the simulated cluster: adds members, removes and replaces them, moves mastership.
 *
 * Does what a person may do at any time, and no more: never below three members, and a directory is
 * emptied only when enough others are whole (`Fleet.canLose`). What the cluster refuses stays undone.
 */
import type { Fleet } from './fleet.ts';
import type { Rng } from './rng.ts';
import type { SimulatedNode } from './simulated-node.ts';

const MEMBERS_MIN = 3;
/** How soon it asks again who does not have what it should have. */
const LOOK_MS = 300;

/** One person, one wish at a time. */
export class Operator {
  readonly #fleet: Fleet;
  readonly #rng: Rng;
  readonly #meanMs: number;
  #resting = false;

  constructor(fleet: Fleet, rng: Rng, meanMs: number) {
    this.#fleet = fleet;
    this.#rng = rng;
    this.#meanMs = meanMs;
  }

  /** Adds the first members until all of `nodes` are in; `done` then. */
  gather(nodes: readonly SimulatedNode[], done: () => void): void {
    const missing = nodes.find((node) => !this.#isMember(node));
    if (missing === undefined) return done();
    this.#fleet.master()?.changeMember({ type: 'add', name: missing.name }, () => {});
    this.#fleet.world.after(LOOK_MS, () => this.gather(nodes, done));
  }

  /** Begins to have wishes. */
  start(): void {
    this.#resting = false;
    this.#fleet.world.after(this.#rng.exponential(this.#meanMs), () => {
      if (this.#resting) return;
      this.#wish();
      this.start();
    });
  }

  stop(): void {
    this.#resting = true;
  }

  #wish(): void {
    const { nodes } = this.#fleet;
    const members = nodes.filter((node) => this.#isMember(node));
    const others = nodes.filter((node) => !this.#isMember(node));
    const lot = this.#rng.fraction();
    if (lot < 0.3) return this.#transfer(members);
    if (others.length > 0 && lot < 0.65) return this.#add(this.#rng.pick(others));
    if (members.length > MEMBERS_MIN) return this.#remove(this.#rng.pick(members));
    if (others.length > 0) this.#add(this.#rng.pick(others));
  }

  #transfer(members: readonly SimulatedNode[]): void {
    if (members.length === 0) return;
    const to = this.#rng.chance(0.3) ? null : this.#rng.pick(members).name;
    this.#fleet.trace.note('wish: transfer', 'operator', 0, to);
    this.#fleet.master()?.transfer(to, (outcome) => {
      if (outcome.type === 'committed') this.#fleet.totals.transfers++;
    });
  }

  /** A node that was a member before comes back with an empty directory: it is another one. */
  #add(node: SimulatedNode): void {
    if (node.hasJoined && this.#fleet.canLose(node)) {
      this.#fleet.totals.replacements++;
      node.losePower('everything');
      node.empty();
      node.start();
    }
    this.#fleet.trace.note('wish: add', 'operator', 0, node.name);
    this.#fleet.master()?.changeMember({ type: 'add', name: node.name }, () => {});
  }

  #remove(node: SimulatedNode): void {
    if (!this.#fleet.canLose(node)) return;
    this.#fleet.trace.note('wish: remove', 'operator', 0, node.name);
    this.#fleet.master()?.changeMember({ type: 'remove', name: node.name }, (outcome) => {
      if (outcome.type === 'committed') this.#fleet.totals.removals++;
    });
  }

  #isMember(node: SimulatedNode): boolean {
    return this.#fleet.judge.configuration.members.some(({ name }) => name === node.name);
  }
}
