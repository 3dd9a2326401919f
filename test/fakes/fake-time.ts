/**
 * Time that stands still until a test moves it: `Clock` and `Timers` in one.
 *
 * Timers run in the order of their due times, equal ones in the order of their making, and each is
 * followed by the end of its turn, as in a real event loop.
 */
import type { Cancellable, Clock, Timers } from '../../src/base/index.ts';
import { assert } from '../../src/base/index.ts';

/** A loop of timers or turns longer than this is a bug of what is tested, not patience of the test. */
const STEPS_MAX = 1_000_000;

interface Appointment {
  dueMs: number;
  readonly order: number;
  readonly periodMs: number | null;
  readonly run: () => void;
}

/** The clock and the timers of a test. */
export class FakeTime implements Clock, Timers {
  #nowMs = 0;
  #wallOffsetMs: number;
  #made = 0;
  #appointments = new Set<Appointment>();
  #turnEnd: (() => void)[] = [];

  constructor(wallStartMs = 1_700_000_000_000) {
    this.#wallOffsetMs = wallStartMs;
  }

  wallMs(): number {
    return this.#wallOffsetMs + this.#nowMs;
  }

  monotonicMs(): number {
    return this.#nowMs;
  }

  after(delayMs: number, run: () => void): Cancellable {
    return this.#appoint(Math.max(0, delayMs), null, run);
  }

  every(periodMs: number, run: () => void): Cancellable {
    assert(periodMs > 0, 'a period is positive');
    return this.#appoint(periodMs, periodMs, run);
  }

  endOfTurn(run: () => void): void {
    this.#turnEnd.push(run);
  }

  /** Timers and intervals that are set at present; a test of clean ends expects 0. */
  get pending(): number {
    return this.#appointments.size;
  }

  /** Moves the wall clock alone, as an administrator may. */
  jumpWall(byMs: number): void {
    this.#wallOffsetMs += byMs;
  }

  /** Ends turns until nothing waits for the end of one. */
  endTurn(): void {
    for (let step = 0; this.#turnEnd.length > 0; step++) {
      assert(step < STEPS_MAX, 'turns come to an end');
      const callbacks = this.#turnEnd;
      this.#turnEnd = [];
      for (const run of callbacks) run();
    }
  }

  /** Lets `byMs` milliseconds pass and runs what is due meanwhile. */
  advance(byMs: number): void {
    const untilMs = this.#nowMs + byMs;
    this.endTurn();
    for (let step = 0; ; step++) {
      assert(step < STEPS_MAX, 'timers come to an end');
      const next = this.#next(untilMs);
      if (next === undefined) break;
      this.#nowMs = Math.max(this.#nowMs, next.dueMs);
      if (next.periodMs === null) this.#appointments.delete(next);
      else next.dueMs += next.periodMs;
      next.run();
      this.endTurn();
    }
    this.#nowMs = untilMs;
  }

  #appoint(delayMs: number, periodMs: number | null, run: () => void): Cancellable {
    const appointment = { dueMs: this.#nowMs + delayMs, order: this.#made++, periodMs, run };
    this.#appointments.add(appointment);
    return { cancel: () => this.#appointments.delete(appointment) };
  }

  #next(untilMs: number): Appointment | undefined {
    let first: Appointment | undefined;
    for (const candidate of this.#appointments) {
      if (candidate.dueMs > untilMs) continue;
      if (first === undefined || isBefore(candidate, first)) first = candidate;
    }
    return first;
  }
}

function isBefore(left: Appointment, right: Appointment): boolean {
  return left.dueMs === right.dueMs ? left.order < right.order : left.dueMs < right.dueMs;
}
