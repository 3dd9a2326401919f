/**
 * What the supervisor knows about its workers' health, for the operator's listener.
 *
 * Bookkeeping only: which gateways refuse clients because they are overloaded, and how many workers
 * hung. Told to the api worker, which has no other way to learn it; gateways need not know.
 */
import type { Worker } from './worker.ts';

/** The health of one node. */
export class NodeHealth {
  #hung = 0;

  /** One more worker was killed because it gave no sign of life. */
  workerHung(): void {
    this.#hung++;
  }

  /** Tells those of `workers`, which are all of the node, who serve the operator. */
  tell(workers: ReadonlySet<Worker>): void {
    const overloaded = [...workers].filter((worker) => worker.overloaded).map(({ place }) => place.slot);
    for (const worker of workers) {
      if (!worker.ready || worker.place.kind !== 'api') continue;
      worker.process.send({ type: 'health', overloaded, hung: this.#hung });
    }
  }
}
