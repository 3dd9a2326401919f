/**
 * Grants out, signs of life back: who may admit, and who has stopped answering.
 *
 * Every worker answers every grant, so one that is silent for long does nothing for its clients
 * either: its event loop is blocked, or the process is stopped. It only tells; what becomes of such
 * a worker is the supervisor's decision. Workers that are not ready yet are bounded by their start.
 */
import { type Cancellable, type Clock, LIMITS, MEMBER_LIMITS, type Timers } from '../base/index.ts';
import type { Grant } from '../process/index.ts';
import type { Worker } from './worker.ts';

/** What the heartbeats are kept with. */
export interface HeartbeatDoors {
  readonly clock: Clock;
  readonly timers: Timers;
  /** Silence beyond this is a hang; 0: nobody is watched. */
  readonly hangTimeoutMs: () => number;
  readonly workers: Iterable<Worker>;
  /** What workers may do now. */
  readonly grantNow: () => Grant;
  /** Called once for a worker that was silent for too long. */
  readonly hung: (worker: Worker, silentMs: number) => void;
}

/** What one beat may add to a silence: more has passed only if the supervisor itself was stopped. */
const BEAT_MAX_MS = 2 * LIMITS.grantPeriodMs;

/** The beat of one node. */
export class Heartbeats {
  readonly #doors: HeartbeatDoors;
  #beat: Cancellable | null = null;
  #atMs = 0;
  /** Those who wait until all workers have taken a grant, with the answers that are missing. */
  readonly #telling = new Set<{ readonly waiting: Map<Worker, number>; readonly done: () => void }>();

  constructor(doors: HeartbeatDoors) {
    this.#doors = doors;
  }

  /** Grants to everybody who is ready every `LIMITS.grantPeriodMs`, until `stop`. */
  start(): void {
    this.#atMs = this.#doors.clock.monotonicMs();
    this.#beat = this.#doors.timers.every(LIMITS.grantPeriodMs, () => this.#beatOnce());
  }

  stop(): void {
    this.#beat?.cancel();
  }

  /** Grants to one worker between two beats. */
  grant(worker: Worker): void {
    worker.grantsOpen++;
    worker.process.send(this.#doors.grantNow());
  }

  /** Grants to all now; resolves when those that are ready have taken it, or after a bound. */
  grantAll(): Promise<void> {
    const waiting = new Map<Worker, number>();
    for (const worker of this.#doors.workers) {
      if (!worker.ready) continue;
      this.grant(worker);
      waiting.set(worker, worker.grantsOpen);
    }
    return new Promise((resolve) => {
      const bound = this.#doors.timers.after(MEMBER_LIMITS.grantedMs, resolve);
      const told = { waiting, done: () => [bound.cancel(), resolve()] };
      this.#telling.add(told);
      this.#settle();
    });
  }

  /** Whatever a worker says, it lives. */
  heard(worker: Worker): void {
    worker.silentMs = 0;
  }

  /** Answers come in the order of the grants. */
  answered(worker: Worker): void {
    worker.grantsOpen--;
    for (const { waiting } of this.#telling) {
      const left = waiting.get(worker);
      if (left !== undefined) waiting.set(worker, left - 1);
    }
    this.#settle();
  }

  #settle(): void {
    for (const told of this.#telling) {
      if ([...told.waiting.values()].some((left) => left > 0)) continue;
      this.#telling.delete(told);
      told.done();
    }
  }

  #beatOnce(): void {
    const { clock, workers, hung } = this.#doors;
    const hangTimeoutMs = this.#doors.hangTimeoutMs();
    const nowMs = clock.monotonicMs();
    // After a pause of the whole host nobody has been heard of, and everybody is about to answer.
    const passedMs = Math.min(nowMs - this.#atMs, BEAT_MAX_MS);
    this.#atMs = nowMs;
    for (const worker of workers) {
      if (!worker.ready) continue;
      worker.silentMs += passedMs;
      const { silentMs } = worker;
      if (hangTimeoutMs > 0 && silentMs > hangTimeoutMs) {
        // A process that waits for a disk does not end at once.
        worker.silentMs = Number.NEGATIVE_INFINITY;
        hung(worker, silentMs);
      } else {
        this.grant(worker);
      }
    }
  }
}
