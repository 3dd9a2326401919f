/**
 * Tells the supervisor a worker's counters: soon after a change, never more often than need be.
 */
import { LIMITS, type Timers } from '../base/index.ts';
import type { FromWorker } from '../process/index.ts';

/** What a report is made of. */
export type Load = Omit<Extract<FromWorker, { type: 'load' }>, 'type'>;

/**
 * Joins changes that happen within `LIMITS.loadReportMs` into one report. Under a steady stream of
 * messages each report would cost more than the messages of a millisecond, and the supervisor needs
 * to know connections soon, but messages only for the sum: those wait for `LIMITS.messageReportMs`.
 * With one worker there is nothing to balance, and connections wait as well.
 */
export class LoadReports {
  readonly #timers: Timers;
  readonly #read: () => Load;
  readonly #send: (message: FromWorker) => void;
  readonly #alone: boolean;
  #due = false;
  /** Something was reported a moment ago. */
  #resting = false;
  #heldBack = false;
  #toldConnections = 0;
  #toldClosing = 0;

  constructor(doors: {
    readonly timers: Timers;
    readonly read: () => Load;
    readonly send: (message: FromWorker) => void;
    /** True on a node of one worker. */
    readonly alone: boolean;
  }) {
    this.#timers = doors.timers;
    this.#read = doors.read;
    this.#send = doors.send;
    this.#alone = doors.alone;
  }

  /** A counter has changed. Called for every connection and message, so it costs one comparison. */
  changed(): void {
    if (this.#due) return;
    this.#due = true;
    this.#timers.after(LIMITS.loadReportMs, () => this.#look());
  }

  /** Reports at once what is not reported yet, because others are about to learn it. */
  now(): void {
    if (this.#due || this.#heldBack) this.#report(this.#read());
  }

  #look(): void {
    this.#due = false;
    const load = this.#read();
    const { connections, closingConnections } = load.stats;
    const moved = connections !== this.#toldConnections || closingConnections !== this.#toldClosing;
    if ((moved && !this.#alone) || !this.#resting) this.#report(load);
    else this.#heldBack = true;
  }

  #report(load: Load): void {
    this.#toldConnections = load.stats.connections;
    this.#toldClosing = load.stats.closingConnections;
    this.#heldBack = false;
    this.#send({ type: 'load', ...load });
    if (this.#resting) return;
    this.#resting = true;
    this.#timers.after(LIMITS.messageReportMs, () => {
      this.#resting = false;
      if (this.#heldBack) this.#report(this.#read());
    });
  }
}
