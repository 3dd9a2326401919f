/**
 * Which workers of a cluster are the homes of a session key.
 *
 * Rendezvous hashing over the nodes that are up: every worker with the same view names the same
 * homes, and a node that comes or goes moves only the keys that it gains or loses. The first two nodes
 * in a key's order have one home each; those behind them stand in for a home that is silent.
 */
import { hash32, type Seat, seatsOf } from '../../base/index.ts';

/** What the order is made from: the nodes that are up, as the log has them. */
export interface HomesView {
  readonly number: number;
  readonly nodes: readonly { readonly node: string; readonly epoch: number; readonly workers: number }[];
}

/** A home of a key. */
export interface Home {
  readonly seat: Seat;
  readonly node: string;
}

interface HomeNode {
  readonly node: string;
  readonly hash: number;
  readonly seats: readonly Seat[];
}

/** How many homes a key has, where there are as many nodes. */
export const HOMES_PER_KEY = 2;

/** The homes of one view. */
export class Homes {
  /** Log index of the view. */
  readonly number: number;
  readonly #nodes: readonly HomeNode[];

  constructor(view: HomesView) {
    this.number = view.number;
    // In one order everywhere, for the keys that two nodes would win alike.
    this.#nodes = [...view.nodes]
      .sort((left, right) => (left.node < right.node ? -1 : 1))
      .filter(({ workers }) => workers > 0)
      .map(({ node, workers }) => ({ node, hash: hash32(node), seats: seatsOf(node, workers) }));
  }

  get nodeCount(): number {
    return this.#nodes.length;
  }

  /** All workers of all nodes. */
  seats(): Seat[] {
    return this.#nodes.flatMap(({ seats }) => seats);
  }

  /** All candidates for `key`, best first, one on each node. */
  order(key: string): Home[] {
    const hash = hash32(key);
    const ranked = this.#nodes.map((node) => ({ node, score: mix(hash ^ node.hash) }));
    // Sorting keeps the order of equals, which is that of the names.
    ranked.sort((left, right) => right.score - left.score);
    return ranked.map(({ node: { node, seats } }) => ({ node, seat: seats[hash % seats.length] as Seat }));
  }

  /** The homes of `key`: the first of its order. */
  of(key: string): Home[] {
    return this.order(key).slice(0, HOMES_PER_KEY);
  }
}

/** Murmur3's mixer: without it the nodes' hashes would win the same share of bits for every key. */
function mix(value: number): number {
  let mixed = value ^ (value >>> 16);
  mixed = Math.imul(mixed, 0x85ebca6b);
  mixed ^= mixed >>> 13;
  mixed = Math.imul(mixed, 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
