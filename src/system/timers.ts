/**
 * Delays, intervals and ends of turns of the real event loop, behind the door of `base/`.
 *
 * No timer made here keeps a process alive that has nothing else to do. Everything that is to run
 * at the end of one turn shares a single immediate: under load thousands of connections ask for it
 * in the same turn.
 */
import type { Cancellable, Timers } from '../base/index.ts';
import { assert } from '../base/index.ts';

/** Node fires a longer timer at once, instead of late. */
const DELAY_MS_MAX = 2 ** 31 - 1;

class OneShot implements Cancellable {
  #timeout: NodeJS.Timeout | null = null;

  constructor(delayMs: number, run: () => void) {
    this.#arm(Math.max(0, delayMs), run);
  }

  cancel(): void {
    if (this.#timeout !== null) clearTimeout(this.#timeout);
    this.#timeout = null;
  }

  #arm(restMs: number, run: () => void): void {
    // Durations come from configuration, where `1000h` is a legal value: a long one goes in legs.
    const legMs = Math.min(restMs, DELAY_MS_MAX);
    this.#timeout = setTimeout(() => {
      this.#timeout = null;
      if (restMs > legMs) this.#arm(restMs - legMs, run);
      else run();
    }, legMs);
    this.#timeout.unref();
  }
}

class TurnEnd {
  #callbacks: (() => void)[] = [];

  add(run: () => void): void {
    this.#callbacks.push(run);
    if (this.#callbacks.length === 1) setImmediate(() => this.#run());
  }

  #run(): void {
    // What is added from here on belongs to the next turn, so that input is read in between.
    const callbacks = this.#callbacks;
    this.#callbacks = [];
    for (const run of callbacks) run();
  }
}

const turnEnd = new TurnEnd();

/** The timers of this process. */
export const systemTimers: Timers = {
  after: (delayMs, run) => new OneShot(delayMs, run),
  every(periodMs, run) {
    assert(periodMs >= 1 && periodMs <= DELAY_MS_MAX, 'a period is between 1 ms and 24 days');
    const interval = setInterval(run, periodMs);
    interval.unref();
    return { cancel: () => clearInterval(interval) };
  },
  endOfTurn: (run) => turnEnd.add(run),
};
