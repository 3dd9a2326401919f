/**
 * The clock of one simulated node: it runs a little too fast or too slow, and starts anywhere.
 *
 * The monotonic side never goes back; the wall clock jumps when the swarm says so. Timers of a
 * process die with it: each process makes its own `ProcessTime`.
 */
import type { Cancellable, Clock, Timers } from '../src/base/index.ts';
import type { World } from './world.ts';

/** What a node's hardware counts; outlives its processes. */
export class DriftingClock implements Clock {
  readonly #world: World;
  #rate: number;
  #worldMs = 0;
  #ownMs: number;
  #wallOffsetMs = 1_700_000_000_000;

  /** `rate` 1.01: a hundredth too fast. */
  constructor(world: World, options: { readonly rate: number; readonly startMs: number }) {
    this.#world = world;
    this.#rate = options.rate;
    this.#ownMs = options.startMs;
  }

  monotonicMs(): number {
    return this.#ownMs + (this.#world.nowMs - this.#worldMs) * this.#rate;
  }

  wallMs(): number {
    return this.#wallOffsetMs + this.monotonicMs();
  }

  /** How long the world waits until this clock has counted `ownMs`. */
  worldMsFor(ownMs: number): number {
    return ownMs / this.#rate;
  }

  /** From now on the clock runs at another speed. */
  drift(rate: number): void {
    this.#ownMs = this.monotonicMs();
    this.#worldMs = this.#world.nowMs;
    this.#rate = rate;
  }

  /** Somebody sets the wall clock; nothing in the log may depend on it. */
  jumpWall(byMs: number): void {
    this.#wallOffsetMs += byMs;
  }
}

/** Whatever runs a node's turns: it holds them back while the node is paused and drops them when it died. */
export type RunTurn = (turn: () => void) => void;

/** A turn to come; `run` becomes null when it was called off. */
class Timer implements Cancellable {
  run: (() => void) | null;

  constructor(run: () => void) {
    this.run = run;
  }

  cancel(): void {
    this.run = null;
  }
}

/** Timers of one process on a drifting clock. */
export class ProcessTime implements Clock, Timers {
  readonly #world: World;
  readonly #clock: DriftingClock;
  readonly #run: RunTurn;
  // A paused node keeps the turn and takes it later; it may have been called off by then.
  readonly #fire = (timer: Timer): void => {
    if (timer.run !== null) this.#run(() => timer.run?.());
  };

  constructor(world: World, clock: DriftingClock, run: RunTurn) {
    this.#world = world;
    this.#clock = clock;
    this.#run = run;
  }

  monotonicMs(): number {
    return this.#clock.monotonicMs();
  }

  wallMs(): number {
    return this.#clock.wallMs();
  }

  after(delayMs: number, run: () => void): Cancellable {
    const timer = new Timer(run);
    this.#world.after(this.#clock.worldMsFor(Math.max(0, delayMs)), this.#fire, timer);
    return timer;
  }

  every(periodMs: number, run: () => void): Cancellable {
    let next: Cancellable;
    const again = (): void => {
      next = this.after(periodMs, again);
      run();
    };
    next = this.after(periodMs, again);
    return { cancel: () => next.cancel() };
  }

  endOfTurn(run: () => void): void {
    this.#world.after(0, this.#run, run);
  }
}
