/**
 * The orderly end of a node: gateways go first, the operator's listener last, so that the end can be watched.
 *
 * Each step has a bound, behind which whoever is left is killed. Whether the node drains at all, and
 * what follows, is the supervisor's to say; it tells of every worker that has ended.
 */
import type { Cancellable, Logger, Timers } from '../base/index.ts';
import type { FromWorker, ListenerName, WorkerKind } from '../process/index.ts';
import { describeWorker, drainWorker, type Worker } from './worker.ts';

/** Which step a drain has come to. */
export type DrainStage = 'draining_gateways' | 'draining_api';

/** What a drain stands on. */
export interface DrainDoors {
  readonly timers: Timers;
  readonly logger: Logger;
  /** Those that run now. */
  readonly workers: ReadonlySet<Worker>;
  readonly closeListeners: (...listeners: ListenerName[]) => void;
  /** Nobody is left. */
  readonly done: () => void;
}

/** How much longer than its timeout a step may take before what is left is killed. */
const GRACE_MS = 3_000;
/** The operator's listener has nothing to wait for but answers on their way. */
const API_TIMEOUT_MS = 1_000;

/** The drain of one node, which happens once or never. */
export class Drain {
  readonly #doors: DrainDoors;
  readonly #report = { connectionsClosed: 0, closeCallbacksGivenUp: 0 };
  /** Null: it has not begun, or was given up. */
  #stage: DrainStage | null = null;
  #deadline: Cancellable | null = null;

  constructor(doors: DrainDoors) {
    this.#doors = doors;
  }

  get stage(): DrainStage | null {
    return this.#stage;
  }

  /** What the workers told of their drains, summed up. */
  get report(): { readonly connectionsClosed: number; readonly closeCallbacksGivenUp: number } {
    return this.#report;
  }

  /** Nobody is accepted from here on. */
  begin(timeoutMs: number): void {
    this.#stage = 'draining_gateways';
    // The workers stop accepting as they hear of it; with our handles gone too, the addresses refuse.
    for (const worker of this.#ofKind('gateway')) drainWorker(worker, timeoutMs);
    this.#doors.closeListeners('public', 'app');
    this.#killAfter('gateway', timeoutMs);
    this.workerEnded();
  }

  /** A worker says what its drain came to. */
  drained({ connectionsClosed, closeCallbacksGivenUp }: Extract<FromWorker, { type: 'drained' }>): void {
    this.#report.connectionsClosed += connectionsClosed;
    this.#report.closeCallbacksGivenUp += closeCallbacksGivenUp;
  }

  /** A worker has ended, for whatever reason. */
  workerEnded(): void {
    if (this.#stage === 'draining_gateways' && this.#ofKind('gateway').length === 0) {
      this.#stage = 'draining_api';
      for (const worker of this.#ofKind('api')) drainWorker(worker, API_TIMEOUT_MS);
      this.#doors.closeListeners('api');
      this.#killAfter('api', API_TIMEOUT_MS);
    }
    if (this.#stage === 'draining_api' && this.#doors.workers.size === 0) this.#doors.done();
  }

  /** The node ends, or everybody is killed: nothing is waited for any more. */
  giveUp(): void {
    this.#stage = null;
    this.#deadline?.cancel();
  }

  #killAfter(kind: WorkerKind, timeoutMs: number): void {
    this.#deadline?.cancel();
    this.#deadline = this.#doors.timers.after(timeoutMs + GRACE_MS, () => {
      const facts = { phase: this.#stage };
      for (const worker of this.#ofKind(kind)) killLate(worker, this.#doors.logger, facts);
    });
  }

  #ofKind(kind: WorkerKind): Worker[] {
    return [...this.#doors.workers].filter((worker) => worker.place.kind === kind);
  }
}

/** Kills a worker that has not done in time what was asked of it. */
export function killLate(worker: Worker, logger: Logger, facts: { readonly phase: string | null }): void {
  logger.warn({ ...describeWorker(worker), ...facts }, 'worker is too late and is killed');
  worker.process.kill();
}
