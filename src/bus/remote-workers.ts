/**
 * Where the workers of the other nodes are, as the view has it. A pure rule.
 */
import { type Seat, type WorkerAddress, workerAddress } from '../base/index.ts';
import type { View } from '../cluster/index.ts';

/** A worker of another node: whoever has that seat in that epoch, and where it listens. */
export interface RemoteWorker {
  /** Its run is 0: the view knows seats, the greeting tells who has them. */
  readonly sister: WorkerAddress;
  readonly host: string;
  readonly port: number;
}

/** All of them; `self` is the name of this node, whose own workers are reached otherwise. */
export function remoteWorkers(view: View, self: string): ReadonlyMap<Seat, RemoteWorker> {
  const workers = new Map<Seat, RemoteWorker>();
  for (const { node, epoch, workers: count, meshPorts } of view.nodes) {
    if (node === self) continue;
    const host = hostOf(node);
    for (let slot = 0; slot < count; slot++) {
      const port = meshPorts[slot];
      // A node that named no port for a worker cannot be reached there; it is as good as silent.
      if (port === undefined) continue;
      const sister = workerAddress({ node, epoch, slot, run: 0 });
      workers.set(sister.seat, { sister, host, port });
    }
  }
  return workers;
}

/** What stands behind the last `@`, without the brackets that an IPv6 address is written in. */
function hostOf(node: string): string {
  return node.slice(node.lastIndexOf('@') + 1).replace(/^\[|\]$/g, '');
}
