/**
 * A cluster of real processes on 127.0.0.1 and on, as a client sees it that may ask any of them.
 *
 * It knows the master by asking, tries writes again with the same request id until one node
 * acknowledges them, and remembers what was acknowledged: that must be there for ever after.
 */
import { randomUUID } from 'node:crypto';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { KvNode, type KvState } from './kv-node.ts';
import { temporaryFolder } from './start-node.ts';

/** Joins operation, key and value of a change. */
export const JOINT = '\u00d7';

/** How often a question is asked again while the answer is not the wanted one. */
const LOOK_MS = 20;
const PATIENCE_MS = 30_000;

/** How to start. */
export interface KvClusterOptions {
  /** How many nodes; the first founds the cluster and invites the others. */
  readonly nodes?: number;
  /** Flags for every node. */
  readonly flags?: readonly string[];
  /** Addresses that are invited besides the nodes, `host:port`. */
  readonly invited?: (port: number) => readonly string[];
  /** The data directory of a node; absent: one that goes away with the test. */
  readonly dataDir?: (number: number, folder: string) => string;
}

/** Nodes that make up one cluster. */
export class KvCluster {
  readonly nodes: readonly KvNode[];
  readonly port: number;
  /** What was acknowledged and not overwritten since. */
  readonly acknowledged = new Map<string, string>();
  /** Who acknowledged last; the first to be asked. */
  #guess: KvNode;

  private constructor(nodes: readonly KvNode[], port: number) {
    this.nodes = nodes;
    this.port = port;
    this.#guess = nodes[0] as KvNode;
  }

  /** Starts all nodes and resolves when each of them confirms reads, and as many vote as are to vote. */
  static async start(options: KvClusterOptions = {}): Promise<KvCluster> {
    const port = await freePortEverywhere();
    const folder = temporaryFolder();
    const hosts = Array.from({ length: options.nodes ?? 3 }, (_, index) => `127.0.0.${index + 1}`);
    const invited = hosts.slice(1).map((host) => `${host}:${port}`);
    invited.push(...(options.invited?.(port) ?? []));
    const founding = ['-initMaster', '-participants', invited.join(',')];
    const nodes = hosts.map((host, index) => {
      const dataDir = options.dataDir?.(index, folder) ?? join(folder, `node-${index + 1}`);
      const flags = [...(index === 0 ? founding : []), ...(options.flags ?? [])];
      return new KvNode({ cluster: 'c', host, port, dataDir, flags });
    });
    const cluster = new KvCluster(nodes, port);
    for (const node of nodes) node.start();
    for (const node of nodes) await cluster.current(node);
    // Learners confirm reads as well; while the founder votes alone, it needs nobody.
    const wanted = nodes.length % 2 === 1 ? nodes.length : nodes.length - 1;
    await cluster.until('voters', async () => ((await cluster.#voters()) >= wanted ? true : null));
    return cluster;
  }

  /** How many vote, by the master's word. */
  async #voters(): Promise<number> {
    const master = await this.master();
    const members = ((await master.status())?.members ?? []) as readonly { readonly role: string }[];
    return members.filter(({ role }) => role === 'voter').length;
  }

  /** The node that accepts an empty submit; waits until there is one. `except` is not asked. */
  master(options: { readonly except?: KvNode; readonly withinMs?: number } = {}): Promise<KvNode> {
    const candidates = this.nodes.filter((node) => node.running && node !== options.except);
    return this.until(
      'a master',
      async () => {
        const asking = candidates.map((node) => node.submit([], randomUUID(), 1_000));
        return candidates[(await Promise.all(asking)).indexOf('accepted')] ?? null;
      },
      options.withinMs,
    );
  }

  /** Any node that runs and is not the master. */
  async follower(): Promise<KvNode> {
    const master = await this.master();
    return this.nodes.find((node) => node.running && node !== master) as KvNode;
  }

  /** Waits until the node confirms reads; it then knows the master and has caught up with it. */
  async current(node: KvNode, withinMs?: number): Promise<void> {
    await this.until(`a confirmed read at ${node.address}`, () => node.read(1_000), withinMs);
  }

  /** Writes `value` and resolves with who acknowledged it. One request id, however often it is sent. */
  async put(key: string, value: string, withinMs: number = PATIENCE_MS): Promise<KvNode> {
    const change = ['ADD', key, value].join(JOINT);
    const requestId = randomUUID();
    const who = await this.until(
      `an acknowledgement of ${key}`,
      async () => {
        for (const node of [this.#guess, ...this.nodes.filter((other) => other !== this.#guess)]) {
          if (node.running && (await node.submit([change], requestId, 1_000)) === 'accepted') return node;
        }
        return null;
      },
      withinMs,
    );
    this.#guess = who;
    this.acknowledged.set(key, value);
    return who;
  }

  /** What was acknowledged and is not in `state`. */
  missingIn(state: KvState): string[] {
    return [...this.acknowledged].flatMap(([key, value]) =>
      state[key] === value ? [] : [`${key}: ${state[key]} instead of ${value}`],
    );
  }

  /** Waits until all nodes have applied the same state, and returns it. No writes may be under way. */
  agreed(withinMs?: number): Promise<KvState> {
    return this.until(
      'the same state everywhere',
      async () => {
        const states = await Promise.all(this.nodes.map((node) => node.read(1_000)));
        const [first] = states;
        if (!first || states.includes(null)) return null;
        const texts = new Set(states.map((state) => JSON.stringify(Object.entries(state ?? {}).sort())));
        return texts.size === 1 ? first : null;
      },
      withinMs,
    );
  }

  /** Asks until the answer is not null; fails with what all nodes said last. */
  async until<T>(what: string, look: () => Promise<T | null>, withinMs: number = PATIENCE_MS): Promise<T> {
    const deadline = performance.now() + withinMs;
    for (;;) {
      const found = await look();
      if (found !== null) return found;
      if (performance.now() > deadline) break;
      await sleep(LOOK_MS);
    }
    const words = this.nodes.map((node) => node.lastWords()).join('\n');
    throw new Error(`not ${what} within ${withinMs} ms\n${words}`);
  }
}

/** A port that nobody listened on a moment ago, on any address of this machine. */
function freePortEverywhere(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(0, '0.0.0.0', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}
