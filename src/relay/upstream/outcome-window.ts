/**
 * How many calls of the last while failed: counts in slices of time, so that old ones leave by themselves.
 *
 * Its size does not depend on how many calls there were. Nothing here knows a clock.
 */
import { assert } from '../../base/index.ts';

/** More slices would let old calls leave more smoothly; eight is smooth enough for a verdict. */
const SLICES = 8;

/** Outcomes of the last `windowMs`, give or take an eighth. */
export class OutcomeWindow {
  readonly #sliceMs: number;
  readonly #calls = new Array<number>(SLICES).fill(0);
  readonly #failures = new Array<number>(SLICES).fill(0);
  /** The number of the newest slice since time began. */
  #newest = 0;

  constructor(windowMs: number) {
    assert(windowMs > 0, 'a window has a length');
    this.#sliceMs = windowMs / SLICES;
  }

  /** Counts one call. */
  add(failure: boolean, nowMs: number): void {
    this.#advance(nowMs);
    const slot = this.#newest % SLICES;
    this.#calls[slot] = (this.#calls[slot] as number) + 1;
    if (failure) this.#failures[slot] = (this.#failures[slot] as number) + 1;
  }

  /** Calls that are remembered. */
  calls(nowMs: number): number {
    this.#advance(nowMs);
    return sum(this.#calls);
  }

  /** Those of them that failed. */
  failures(nowMs: number): number {
    this.#advance(nowMs);
    return sum(this.#failures);
  }

  /** Forgets all. */
  clear(): void {
    this.#calls.fill(0);
    this.#failures.fill(0);
  }

  #advance(nowMs: number): void {
    const slice = Math.floor(nowMs / this.#sliceMs);
    if (slice - this.#newest >= SLICES) this.clear();
    for (let passed = this.#newest + 1; passed <= slice && passed <= this.#newest + SLICES; passed++) {
      this.#calls[passed % SLICES] = 0;
      this.#failures[passed % SLICES] = 0;
    }
    this.#newest = Math.max(this.#newest, slice);
  }
}

function sum(counts: readonly number[]): number {
  let total = 0;
  for (const count of counts) total += count;
  return total;
}
