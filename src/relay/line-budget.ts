/**
 * Keeps a flood of one kind of events from becoming a flood of log lines.
 *
 * So many lines a second, and the next line after them says how many were left out. Counters tell
 * the rest. Time comes in.
 */

/** The lines of one kind. */
export class LineBudget {
  readonly #linesPerSecond: number;
  #second = Number.NEGATIVE_INFINITY;
  #lines = 0;
  #omitted = 0;

  constructor(linesPerSecond: number) {
    this.#linesPerSecond = linesPerSecond;
  }

  /** How many were left out before the line that may be written now; null: leave this one out too. */
  take(nowMs: number): number | null {
    const second = Math.floor(nowMs / 1_000);
    if (second !== this.#second) {
      this.#second = second;
      this.#lines = 0;
    }
    if (this.#lines >= this.#linesPerSecond) {
      this.#omitted++;
      return null;
    }
    this.#lines++;
    const omitted = this.#omitted;
    this.#omitted = 0;
    return omitted;
  }
}
