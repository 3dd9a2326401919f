/**
 * The simulated network: one link for each ordered pair of nodes, and everything that may befall it.
 *
 * Packets are lost, delayed, repeated and overtake each other; links are cut in one direction, are
 * worse than others, or clog and let go of everything later. It carries packets and reads none.
 */
import { assert } from '../src/base/index.ts';
import type { Rng } from './rng.ts';
import type { World } from './world.ts';

/** Drawn once a seed. */
export interface NetworkOptions {
  readonly lossChance: number;
  readonly repeatChance: number;
  readonly delayLeastMs: number;
  readonly delayMeanMs: number;
  /** Now and then a packet takes much longer, and others overtake it. */
  readonly stragglerChance: number;
  readonly stragglerMeanMs: number;
}

/** Packets that wait in one clogged link; then the newest is lost, as in a full socket. */
const CLOGGED_PACKETS_MAX = 1_000;

/** A packet and what it does where it arrives. */
interface Carried {
  readonly arrive: (packet: unknown) => void;
  readonly packet: unknown;
}

interface Link {
  cut: boolean;
  clogged: boolean;
  /** On top of the network's own. */
  lossChance: number;
  delayMeanMs: number;
  readonly waiting: Carried[];
}

/** Links between `size` nodes, which are numbered from 0. */
export class Network {
  readonly #world: World;
  readonly #rng: Rng;
  readonly #options: NetworkOptions;
  readonly #links: Link[];
  readonly #size: number;
  #calm = false;
  sent = 0;
  lost = 0;
  repeated = 0;

  constructor(world: World, rng: Rng, size: number, options: NetworkOptions) {
    this.#world = world;
    this.#rng = rng;
    this.#size = size;
    this.#options = options;
    this.#links = Array.from({ length: size * size }, freshLink);
  }

  /** Carries a packet: `arrive` takes it once, several times or never. */
  send<Packet>(from: number, to: number, arrive: (packet: Packet) => void, packet: Packet): void {
    this.sent++;
    const link = this.#link(from, to);
    if (link.cut || this.#loses(link)) {
      this.lost++;
      return;
    }
    if (link.clogged) {
      if (link.waiting.length < CLOGGED_PACKETS_MAX)
        link.waiting.push({ arrive: arrive as Carried['arrive'], packet });
      else this.lost++;
      return;
    }
    this.#carry(link, arrive, packet);
    if (this.#calm || !this.#rng.chance(this.#options.repeatChance)) return;
    this.repeated++;
    this.#carry(link, arrive, packet);
  }

  /** From `from` to `to` nothing arrives any more, not even what is on its way later than now. */
  cut(from: number, to: number): void {
    const link = this.#link(from, to);
    link.cut = true;
    link.waiting.length = 0;
  }

  /** Packets wait in the link until it is unclogged. */
  clog(from: number, to: number): void {
    this.#link(from, to).clogged = true;
  }

  /** What waited arrives, in any order. */
  unclog(from: number, to: number): void {
    const link = this.#link(from, to);
    link.clogged = false;
    for (const { arrive, packet } of link.waiting.splice(0)) this.#carry(link, arrive, packet);
  }

  /** Makes one direction of a pair worse than the others. */
  worsen(from: number, to: number, by: { readonly lossChance: number; readonly delayMeanMs: number }): void {
    Object.assign(this.#link(from, to), by);
  }

  /** Repairs one direction. */
  heal(from: number, to: number): void {
    const link = this.#link(from, to);
    link.cut = false;
    link.lossChance = 0;
    link.delayMeanMs = 0;
    this.unclog(from, to);
  }

  /** Repairs everything. */
  healAll(): void {
    for (let from = 0; from < this.#size; from++) for (let to = 0; to < this.#size; to++) this.heal(from, to);
  }

  /** From now on nothing is lost or repeated unless a link says so. */
  calm(): void {
    this.#calm = true;
  }

  isCut(from: number, to: number): boolean {
    return this.#link(from, to).cut;
  }

  #loses(link: Link): boolean {
    const chance = (this.#calm ? 0 : this.#options.lossChance) + link.lossChance;
    return chance > 0 && this.#rng.chance(chance);
  }

  #carry<Packet>(link: Link, arrive: (packet: Packet) => void, packet: Packet): void {
    const { delayLeastMs, delayMeanMs, stragglerChance, stragglerMeanMs } = this.#options;
    let delayMs = delayLeastMs + this.#rng.exponential(delayMeanMs + link.delayMeanMs);
    if (!this.#calm && this.#rng.chance(stragglerChance)) delayMs += this.#rng.exponential(stragglerMeanMs);
    this.#world.after(delayMs, arrive, packet);
  }

  #link(from: number, to: number): Link {
    const link = this.#links[from * this.#size + to];
    assert(
      link !== undefined && from < this.#size && to < this.#size,
      'a link joins two nodes of this network',
    );
    return link;
  }
}

function freshLink(): Link {
  return { cut: false, clogged: false, lossChance: 0, delayMeanMs: 0, waiting: [] };
}
