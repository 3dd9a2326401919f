/**
 * The gateway workers of several nodes, with the view that their log would give them.
 *
 * All nodes share one time, one application and one network between their workers, which nobody
 * but the test moves.
 */
import { type Seat, seatsOf } from '../../src/base/index.ts';
import { Homes, type HomesView } from '../../src/relay/index.ts';
import { FakeGateways } from './fake-gateways.ts';

/** The nodes of a cluster. */
export class FakeCluster {
  readonly nodes: FakeGateways[] = [];
  readonly #workers: number;
  readonly #gone = new Set<FakeGateways>();
  view: HomesView = { number: 0, nodes: [] };

  constructor({ nodes, workers }: { readonly nodes: number; readonly workers: number }) {
    this.#workers = workers;
    for (let number = 1; number <= nodes; number++) this.add();
    this.agree();
  }

  /** The first one; time, network and application are everybody's. */
  get first(): FakeGateways {
    return this.nodes[0] as FakeGateways;
  }

  /** Starts one node more, of which the others have not heard. */
  add(): FakeGateways {
    const number = this.nodes.length + 1;
    const beside = this.nodes[0];
    const node = new FakeGateways({
      workers: this.#workers,
      node: `node-0${number}@127.0.0.${number}`,
      epoch: 1,
      ...(beside && { beside }),
    });
    this.nodes.push(node);
    return node;
  }

  /** Ends a node as a power cut does; nobody has heard of it. */
  lose(node: FakeGateways): void {
    for (const { slot } of node.living) node.kill(slot);
    this.#gone.add(node);
  }

  /** The log names the nodes that are up, and everybody, or those alone, hears of it. */
  agree(to: readonly FakeGateways[] = this.nodes): void {
    const up = this.nodes.filter((node) => !this.#gone.has(node));
    const nodes = up.map(({ node, epoch }) => ({ node, epoch: epoch ?? 0, workers: this.#workers }));
    this.view = { number: this.view.number + 10, nodes };
    for (const node of to) this.tell(node);
    this.first.settle();
  }

  /** One node hears the newest view. */
  tell(node: FakeGateways): void {
    for (const { gateway } of node.living) gateway.cluster(this.view);
  }

  /** A key whose homes are on these nodes, in this order. */
  keyAt(first: FakeGateways, second: FakeGateways): string {
    const homes = new Homes(this.view);
    for (let number = 0; ; number++) {
      const key = `key-${number}`;
      const names = homes.of(key).map(({ node }) => node);
      if (names[0] === first.node && names[1] === second.node) return key;
    }
  }

  /** Keeps everything that goes to or comes from one node on its way, until `release`. */
  hold(node: FakeGateways): void {
    this.#between(node, (left, right) => this.first.network.hold(left, right));
  }

  /** Keeps what one node sends to another on its way. */
  holdBetween(from: FakeGateways, to: FakeGateways): void {
    for (const own of seatsOf(from.node, this.#workers)) {
      for (const far of seatsOf(to.node, this.#workers)) this.first.network.hold(own, far);
    }
  }

  release(node: FakeGateways): void {
    this.#between(node, (left, right) => this.first.network.release(left, right));
  }

  /** Lets time pass for all nodes. */
  advance(byMs: number): void {
    for (let leftMs = byMs; leftMs > 0; leftMs -= 500) {
      for (const node of this.nodes) if (node !== this.first) node.renewGrants();
      this.first.advance(Math.min(leftMs, 500));
    }
  }

  #between(node: FakeGateways, act: (from: Seat, to: Seat) => void): void {
    for (const other of this.nodes) {
      if (other === node) continue;
      for (const own of seatsOf(node.node, this.#workers)) {
        for (const far of seatsOf(other.node, this.#workers)) {
          act(own, far);
          act(far, own);
        }
      }
    }
  }
}
