/**
 * Everything that goes wrong in the simulated world, at the rates that the seed has drawn.
 *
 * One actor for each kind of fault; each waits its random time, does its harm, undoes it after a
 * while, and waits again. `rest` ends all of it. What the fault model forbids is not done.
 */
import type { PowerLoss } from './disk.ts';
import type { Fleet } from './fleet.ts';
import { drawPartition, type Side } from './partitions.ts';
import type { Rng } from './rng.ts';
import type { SimulatedNode } from './simulated-node.ts';
import type { FaultRates } from './swarm.ts';

const LOSSES: readonly PowerLoss[] = [
  'nothing',
  'everything',
  'any_sectors',
  'any_sectors',
  'a_prefix',
  'a_prefix',
];

/** Does harm. */
export class Nemesis {
  readonly #fleet: Fleet;
  readonly #rng: Rng;
  #resting = false;

  constructor(fleet: Fleet, rng: Rng) {
    this.#fleet = fleet;
    this.#rng = rng;
  }

  start(rates: FaultRates): void {
    const harms: Record<keyof FaultRates, (rng: Rng) => void> = {
      kill: (rng) => this.#kill(rng),
      powerLoss: (rng) => this.#losePower(rng.pick(this.#fleet.nodes), rng),
      blackout: (rng) => this.#blackOut(rng),
      pause: (rng) => this.#pause(rng),
      partition: (rng) => this.#partition(rng),
      swizzle: (rng) => this.#swizzle(rng),
      fullDisk: (rng) => this.#fillDisk(rng),
      slowDisk: (rng) => this.#slowDisk(rng),
      damage: (rng) => this.#damage(rng),
      drift: (rng) => this.#drift(rng),
    };
    for (const kind of Object.keys(harms) as (keyof FaultRates)[]) {
      const meanMs = rates[kind];
      if (meanMs !== null) this.#repeat(meanMs, this.#rng.fork(kind), harms[kind]);
    }
  }

  /** No more harm; what was done is undone by `repair`. */
  rest(): void {
    this.#resting = true;
  }

  /** Undoes all harm to some nodes; only they may reach each other then. */
  repair(nodes: readonly SimulatedNode[]): void {
    const { network } = this.#fleet;
    network.calm();
    for (const from of this.#fleet.nodes) {
      for (const to of this.#fleet.nodes) {
        if (from === to) continue;
        network.heal(from.number, to.number);
        if (!nodes.includes(from) || !nodes.includes(to)) network.cut(from.number, to.number);
      }
    }
    for (const node of nodes) {
      node.disk.full = 'no';
      node.disk.slowMs = 0;
      node.resume();
      if (!node.isUp) node.start();
    }
  }

  #repeat(meanMs: number, rng: Rng, harm: (rng: Rng) => void): void {
    this.#fleet.world.after(rng.exponential(meanMs), () => {
      if (this.#resting) return;
      harm(rng);
      this.#repeat(meanMs, rng, harm);
    });
  }

  /** Later, unless everything was repaired meanwhile. */
  #later(delayMs: number, run: () => void): void {
    this.#fleet.world.after(delayMs, () => {
      if (!this.#resting) run();
    });
  }

  #restart(node: SimulatedNode, rng: Rng): void {
    const lot = rng.fraction();
    // At once, while others still talk of what it had said; soon; or much later.
    const delayMs =
      lot < 0.3 ? rng.between(0, 10) : lot < 0.8 ? rng.between(20, 1_000) : rng.between(1_000, 8_000);
    this.#later(delayMs, () => {
      if (!node.isUp) node.start();
    });
  }

  #kill(rng: Rng): void {
    const master = this.#fleet.master();
    const node = master !== undefined && rng.chance(0.5) ? master : rng.pick(this.#fleet.nodes);
    const die = (): void => {
      if (!node.isUp || this.#resting) return;
      this.#fleet.totals.crashes++;
      node.kill();
      this.#restart(node, rng);
    };
    if (rng.chance(0.5)) die();
    else node.disk.atNextSync = die;
  }

  /** A torn tail mutes a node, so while a voter is damaged only those may lose power that can be spared. */
  #losePower(node: SimulatedNode, rng: Rng): void {
    const fail = (): void => {
      if (this.#resting || (!this.#fleet.isWhole && !this.#fleet.canLose(node))) return;
      this.#fleet.totals.powerLosses++;
      node.losePower(rng.pick(LOSSES));
      this.#restart(node, rng);
    };
    // In the middle of a sync, where there is something to tear, or at any time.
    if (node.isUp && rng.chance(0.7)) node.disk.atNextSync = fail;
    else fail();
  }

  #blackOut(rng: Rng): void {
    if (!this.#fleet.isWhole) return;
    this.#fleet.totals.blackouts++;
    const loss = rng.pick(LOSSES);
    for (const node of this.#fleet.nodes) {
      node.losePower(loss);
      this.#restart(node, rng);
    }
  }

  #pause(rng: Rng): void {
    const master = this.#fleet.master();
    const node = master !== undefined && rng.chance(0.5) ? master : rng.pick(this.#fleet.nodes);
    this.#fleet.totals.pauses++;
    node.pause(rng.chance(0.7) ? rng.between(50, 1_500) : rng.between(1_500, 10_000));
  }

  #partition(rng: Rng): void {
    const { network, nodes, trace, totals } = this.#fleet;
    const { name, links } = drawPartition(rng, nodes, this.#fleet.master());
    trace.note(`partition: ${name}`, 'nemesis', links.length);
    for (const { from, to, worse } of links) {
      if (worse === null) network.cut(from.number, to.number);
      else network.worsen(from.number, to.number, worse);
    }
    this.#later(rng.chance(0.6) ? rng.between(200, 3_000) : rng.between(3_000, 12_000), () => {
      trace.note('partition healed', 'nemesis', links.length);
      for (const { from, to } of links) network.heal(from.number, to.number);
      totals.partitionsHealed++;
    });
  }

  /** Clogs the links of some nodes one after the other, and frees them in another order. */
  #swizzle(rng: Rng): void {
    const { network, nodes, totals, trace } = this.#fleet;
    const some = rng.shuffled(nodes).slice(0, rng.between(1, nodes.length));
    const links = some.flatMap((from): Side[] =>
      nodes.filter((to) => to !== from).map((to) => ({ from, to })),
    );
    trace.note('swizzle', 'nemesis', links.length);
    let atMs = 0;
    for (const { from, to } of rng.shuffled(links)) {
      atMs += rng.exponential(60);
      this.#later(atMs, () => network.clog(from.number, to.number));
    }
    atMs += rng.between(100, 2_000);
    for (const { from, to } of rng.shuffled(links)) {
      atMs += rng.exponential(60);
      this.#later(atMs, () => network.unclog(from.number, to.number));
    }
    totals.swizzles++;
  }

  #fillDisk(rng: Rng): void {
    const { disk, short } = rng.pick(this.#fleet.nodes);
    disk.full = rng.pick(['growth', 'any'] as const);
    this.#fleet.trace.note('disk full', short, 0, disk.full);
    this.#fleet.totals.fullDisks++;
    this.#later(rng.between(300, 6_000), () => {
      disk.full = 'no';
    });
  }

  #slowDisk(rng: Rng): void {
    const { disk, short } = rng.pick(this.#fleet.nodes);
    disk.slowMs = rng.pick([20, 200, 1_000]);
    this.#fleet.trace.note('disk slow', short, disk.slowMs);
    this.#fleet.totals.slowDisks++;
    this.#later(rng.between(500, 8_000), () => {
      disk.slowMs = 0;
    });
  }

  /** Destroys what was synced: see the fault model in `disk.ts`. */
  #damage(rng: Rng): void {
    const node = rng.pick(this.#fleet.nodes);
    if (!this.#fleet.canLose(node) || !node.hasJoined) return;
    const kind = rng.pick(['flip', 'tail', 'tail', 'empty'] as const);
    // A tail ends the file: nothing that was on its way may stand behind it.
    node.losePower(kind === 'tail' ? 'nothing' : 'everything');
    this.#fleet.trace.note('damage', node.short, 0, kind);
    if (kind === 'flip' && node.flipBit()) this.#fleet.totals.flippedBits++;
    if (kind === 'tail' && node.loseTail()) this.#fleet.totals.lostTails++;
    if (kind === 'empty') {
      this.#fleet.totals.emptiedDirectories++;
      node.empty();
    }
    this.#restart(node, rng);
  }

  #drift(rng: Rng): void {
    const { driftMax } = this.#fleet.options;
    const { clock } = rng.pick(this.#fleet.nodes);
    clock.drift(1 + driftMax * (2 * rng.fraction() - 1));
    clock.jumpWall(rng.between(-3_600_000, 3_600_000));
  }
}
