/**
 * Tells the supervisor a worker's counters: soon after a change, never more often than need be.
 */
import { LIMITS, type Timers } from '../base/index.ts';
import type { FromWorker } from '../process/index.ts';

/** What a report is made of. */
export type Load = Omit<Extract<FromWorker, { type: 'load' }>, 'type'>;

/** Joins changes that happen within `LIMITS.loadReportMs` into one report. */
export class LoadReports {
  readonly #timers: Timers;
  readonly #read: () => Load;
  readonly #send: (message: FromWorker) => void;
  #due = false;

  constructor(doors: {
    readonly timers: Timers;
    readonly read: () => Load;
    readonly send: (message: FromWorker) => void;
  }) {
    this.#timers = doors.timers;
    this.#read = doors.read;
    this.#send = doors.send;
  }

  /** A counter has changed. Called for every connection and message, so it costs one comparison. */
  changed(): void {
    if (this.#due) return;
    this.#due = true;
    this.#timers.after(LIMITS.loadReportMs, () => {
      this.#due = false;
      this.#send({ type: 'load', ...this.#read() });
    });
  }
}
