/**
 * Waiting for something to become true, within a bound: what operations of the cluster end with.
 *
 * Looked at again whenever the state changes, and at each review.
 */
import type { Timers } from '../../base/index.ts';

interface Wait {
  readonly holds: () => boolean;
  readonly done: (held: boolean) => void;
}

/** All waits of one node. As few as operations under way. */
export class Waits {
  readonly #timers: Timers;
  readonly #waits = new Set<Wait>();

  constructor(timers: Timers) {
    this.#timers = timers;
  }

  /** True as soon as `holds` is; false when it is not within the bound. */
  until(holds: () => boolean, timeoutMs: number): Promise<boolean> {
    if (holds()) return Promise.resolve(true);
    return new Promise((resolve) => {
      const bound = this.#timers.after(timeoutMs, () => wait.done(false));
      const wait: Wait = {
        holds,
        done: (held) => {
          bound.cancel();
          this.#waits.delete(wait);
          resolve(held);
        },
      };
      this.#waits.add(wait);
    });
  }

  /** Something changed. */
  review(): void {
    for (const wait of [...this.#waits]) if (wait.holds()) wait.done(true);
  }
}
