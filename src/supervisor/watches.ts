/**
 * The session keys that an operator watches on a node: few, and not for long.
 *
 * Kept here, so that a worker that is started later hears of them as well. Nothing is on disk: a
 * node that is started anew watches nobody.
 */
import { type Clock, failed, LIMITS, ok, type Result } from '../base/index.ts';
import type { WatchOrder, WatchReport } from '../process/index.ts';
import type { Worker } from './worker.ts';

/** What watching takes. */
export interface WatchesDoors {
  readonly clock: Clock;
  /** The processes that live now, ready or not. */
  readonly workers: () => Iterable<Worker>;
}

/** The watches of one node. */
export class Watches {
  readonly #doors: WatchesDoors;
  /** When each ends, by the monotonic clock. */
  readonly #untilMs = new Map<string, number>();

  constructor(doors: WatchesDoors) {
    this.#doors = doors;
  }

  /** Begins, prolongs or ends a watch; answers with those that are left, or with what is wrong. */
  order({ key, forMs }: WatchOrder): Result<WatchReport, string> {
    const nowMs = this.#doors.clock.monotonicMs();
    this.#forget(nowMs);
    if (forMs === 0) this.#untilMs.delete(key);
    else if (!this.#untilMs.has(key) && this.#untilMs.size >= LIMITS.watchedKeysMax) {
      return failed(`${LIMITS.watchedKeysMax} session keys are watched already; stop one of them first`);
    } else this.#untilMs.set(key, nowMs + forMs);
    for (const worker of this.#doors.workers()) this.tell(worker);
    return ok({ watched: this.#left(nowMs) });
  }

  /** Tells a worker what is watched; one that has just started knows of nothing. */
  tell(worker: Worker): void {
    if (worker.place.kind !== 'gateway') return;
    worker.process.send({ type: 'watch', keys: this.#left(this.#doors.clock.monotonicMs()) });
  }

  #left(nowMs: number): { readonly key: string; readonly forMs: number }[] {
    this.#forget(nowMs);
    return [...this.#untilMs].map(([key, untilMs]) => ({ key, forMs: Math.ceil(untilMs - nowMs) }));
  }

  #forget(nowMs: number): void {
    for (const [key, untilMs] of this.#untilMs) if (untilMs <= nowMs) this.#untilMs.delete(key);
  }
}

/** Reads what the control socket was given. */
export function readWatchOrder(given: unknown): WatchOrder | null {
  if (typeof given !== 'object' || given === null) return null;
  const { key, forMs } = given as Record<string, unknown>;
  if (typeof key !== 'string' || key === '' || key.length > LIMITS.watchedKeyCharactersMax) return null;
  if (typeof forMs !== 'number' || !(forMs >= 0 && forMs <= LIMITS.watchMaxMs)) return null;
  return { key, forMs };
}
