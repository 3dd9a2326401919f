/**
 * One run of one worker, as the supervisor remembers it.
 *
 * Plain facts; what follows from them is decided in `supervisor.ts` and `listeners.ts`.
 */
import type { Cancellable, LogFields } from '../base/index.ts';
import type { ListenerName, WorkerPlace, WorkerProcess } from '../process/index.ts';

/** A process, its place, and what it has said and been given so far. */
export interface Worker {
  readonly place: WorkerPlace;
  readonly process: WorkerProcess;
  /** Kills it, unless it is ready before. */
  readonly tooLate: Cancellable;
  ready: boolean;
  /** It admits nobody because of its load. */
  overloaded: boolean;
  /** Grants that it has not answered yet. */
  grantsOpen: number;
  /** How long it has said nothing, as far as the supervisor itself was awake. */
  silentMs: number;
  /** Why it cannot go on, when it said so. */
  fatal: string | null;
  /** The listeners that it was given and that were not asked back. */
  readonly given: Set<ListenerName>;
  /** Those of them that it said it listens on. */
  readonly listening: Set<ListenerName>;
}

/** A run that has just begun. */
export function newWorker(run: Pick<Worker, 'place' | 'process' | 'tooLate'>): Worker {
  return {
    ...run,
    ready: false,
    overloaded: false,
    grantsOpen: 0,
    silentMs: 0,
    fatal: null,
    given: new Set(),
    listening: new Set(),
  };
}

/** Names a worker in log lines. */
export function describeWorker(worker: Worker): LogFields {
  const { kind, slot, run } = worker.place;
  return { kind, slot, run, workerPid: worker.process.pid };
}

/** One that is not ready holds no clients; what its predecessors owe stays in their journals. */
export function drainWorker(worker: Worker, timeoutMs: number): void {
  if (worker.ready) worker.process.send({ type: 'drain', timeoutMs });
  else worker.process.kill();
}
