/**
 * Load on a cluster while things happen to it: writers of ever new keys, and one clock.
 *
 * The clock is a single key that one writer sets to 1, 2, 3 ... A linearizable read that begins after
 * n was acknowledged must show n or more, whoever answers it; that is all there is to linearizability
 * when one client writes and numbers never go back.
 */
import type { KvCluster } from './kv-cluster.ts';
import type { KvNode } from './kv-node.ts';

/** Writers that go on until they are stopped. */
export class KvWriters {
  readonly #cluster: KvCluster;
  readonly #running: Promise<void>[] = [];
  #stopping = false;
  #written = 0;

  constructor(cluster: KvCluster, options: { readonly count: number; readonly name: string }) {
    this.#cluster = cluster;
    for (let writer = 0; writer < options.count; writer += 1)
      this.#running.push(this.#write(`${options.name}-${writer}`));
  }

  /** How many writes were acknowledged. */
  get written(): number {
    return this.#written;
  }

  /** Resolves when the writes under way are acknowledged; rejects when one never was. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await Promise.all(this.#running);
  }

  async #write(name: string): Promise<void> {
    for (let number = 0; !this.#stopping; number += 1) {
      await this.#cluster.put(`${name}-${number}`, String(number));
      this.#written += 1;
    }
  }
}

const CLOCK = 'clock';

/** One key that only grows, and reads that are checked against it. */
export class KvClock {
  readonly #cluster: KvCluster;
  readonly #ticking: Promise<void>;
  #stopping = false;
  #acknowledged = 0;
  #sent = 0;
  /** Confirmed reads that were checked. */
  reads = 0;
  /** Reads that showed less than was acknowledged before they began, or more than was ever sent. */
  readonly faults: string[] = [];

  constructor(cluster: KvCluster) {
    this.#cluster = cluster;
    this.#ticking = this.#tick();
  }

  get acknowledged(): number {
    return this.#acknowledged;
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#ticking;
  }

  /** Reads at `node` and checks the answer; true when there was one. */
  async check(node: KvNode, timeoutMs?: number): Promise<boolean> {
    const least = this.#acknowledged;
    const state = await node.read(timeoutMs);
    if (state === null) return false;
    this.reads += 1;
    const seen = Number(state[CLOCK] ?? 0);
    if (seen < least || seen > this.#sent)
      this.faults.push(`${node.address} showed ${seen}; ${least} was acknowledged, ${this.#sent} sent`);
    return true;
  }

  async #tick(): Promise<void> {
    while (!this.#stopping) {
      this.#sent += 1;
      await this.#cluster.put(CLOCK, String(this.#sent));
      this.#acknowledged = this.#sent;
    }
  }
}
