/**
 * Workers of several nodes inside one process, on real TCP sockets of 127.0.0.x, with the view that
 * their log would give them.
 *
 * Each node has one address and every worker a port of its own there. Time is the test's.
 */

import { workerAddress } from '../../src/base/index.ts';
import { type Bus, MeshAuth, MeshBus } from '../../src/bus/index.ts';
import type { LiveNode, View } from '../../src/cluster/index.ts';
import { type BoundListener, bindTcp } from '../../src/process/index.ts';
import { CollectedLog } from './collected-log.ts';
import { FakeRandom } from './fake-random.ts';
import { SocketTime } from './mesh-world.ts';

/** A worker and where it listens. */
export interface ClusterWorker {
  readonly bus: MeshBus;
  readonly auth: MeshAuth;
  readonly node: string;
  readonly epoch: number;
  readonly port: number;
}

/** How a worker differs from the others. */
export interface ClusterWorkerOptions {
  readonly epoch?: number;
  readonly run?: number;
  readonly slot?: number;
  readonly secrets?: readonly string[];
  /** Takes this socket, which an earlier run had, and not a new one. */
  readonly port?: number;
  readonly outboxBytesMax?: number;
}

/** The workers of a cluster. */
export class ClusterMesh {
  readonly time = new SocketTime();
  readonly log = new CollectedLog();
  readonly workers: ClusterWorker[] = [];
  incarnation = 'one cluster';
  view: View = { number: 0, nodes: [] };
  readonly #bound: BoundListener[] = [];
  readonly #random = new FakeRandom(7);

  /** `node-02@127.0.0.2` for 2. */
  name(number: number): string {
    return `node-0${number}@127.0.0.${number}`;
  }

  /** Starts a worker of the node with that number; it knows no cluster yet. */
  async start(number: number, options: ClusterWorkerOptions = {}): Promise<ClusterWorker> {
    const { epoch = 1, run = 1, slot = 0, secrets = ['s3cret'], port = 0 } = options;
    const node = this.name(number);
    const auth = new MeshAuth(secrets, this.#random);
    const doors = { clock: this.time, timers: this.time, logger: this.log, auth };
    const { outboxBytesMax = 64_000_000 } = options;
    const self = workerAddress({ node, epoch: 0, slot, run });
    const bus = new MeshBus({ self, kind: 'gateway', meshPath: '/nowhere', ...doors, outboxBytesMax });
    bus.handle('echo', (from, { facts }, reply) => reply([from.seat, from.epoch, from.run, facts]));
    const bound = await bindTcp({ host: `127.0.0.${number}`, port });
    if (!bound.ok) throw bound.error;
    this.#bound.push(bound.value);
    bus.listenRemote(bound.value.handle);
    const worker = { bus, auth, node, epoch, port: bound.value.port as number };
    this.workers.push(worker);
    return worker;
  }

  /** Makes a view of the workers that are there, and tells it to them, or to those alone. */
  agree(to: readonly ClusterWorker[] = this.workers): void {
    const nodes = new Map<string, LiveNode>();
    for (const { node, epoch, port, bus } of this.workers) {
      const meshPorts = [...(nodes.get(node)?.meshPorts ?? [])];
      meshPorts[bus.self.slot] = port;
      nodes.set(node, { node, epoch, workers: meshPorts.length, meshPorts });
    }
    this.view = { number: this.view.number + 1, nodes: [...nodes.values()] };
    for (const worker of to) this.tell(worker);
  }

  /** Tells one worker the present view. */
  tell({ bus, epoch }: ClusterWorker): void {
    bus.cluster({ incarnation: this.incarnation, epoch, view: this.view });
  }

  /** Ends a worker as a kill does; nobody is told. */
  async kill(worker: ClusterWorker): Promise<void> {
    this.workers.splice(this.workers.indexOf(worker), 1);
    await worker.bus.close();
  }

  async end(): Promise<void> {
    await Promise.all(this.workers.map(({ bus }) => bus.close()));
    for (const bound of this.#bound) bound.close();
  }
}

/** Resolves when `bus` has `count` sisters beside itself. */
export function sistersUp(bus: Bus, count: number): Promise<void> {
  return new Promise((resolve) => {
    const look = (): void => {
      if (bus.sisters().length > count) resolve();
    };
    bus.onSisterUp(look);
    look();
  });
}
