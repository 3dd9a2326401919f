/**
 * Reads that users wait for, asked again until a majority has confirmed one or time is up.
 *
 * The driver answers or refuses each attempt; here is only the patience. Driven by `log-node.ts`.
 */
import { ArrokothError, type Cancellable, LOG_LIMITS, type Timers } from '../base/index.ts';
import type { Index } from '../consensus/index.ts';
import type { ReadOutcome } from './doors.ts';

/** How an attempt is made. */
export interface ConfirmedReadDoors {
  readonly timers: Timers;
  readonly read: (done: (outcome: ReadOutcome) => void) => void;
}

/** What a read comes to: the state holds everything up to `index`, and with it all that was acknowledged. */
export type Confirmed =
  | { readonly ok: true; readonly index: Index }
  | { readonly ok: false; readonly error: ArrokothError };

interface Pending {
  readonly done: (confirmed: Confirmed) => void;
  deadline: Cancellable;
  /** Set while it rests between two attempts. */
  pause: Cancellable | null;
}

/** All reads of this node that users wait for. */
export class ConfirmedReads {
  readonly #doors: ConfirmedReadDoors;
  readonly #pending = new Set<Pending>();

  constructor(doors: ConfirmedReadDoors) {
    this.#doors = doors;
  }

  /** `done` comes once, within `timeoutMs`. */
  read(timeoutMs: number, done: (confirmed: Confirmed) => void): void {
    if (this.#pending.size >= LOG_LIMITS.readsMax) {
      const error = new ArrokothError('LOG_BUSY', `${this.#pending.size} reads wait.`);
      return done({ ok: false, error });
    }
    const deadline = this.#doors.timers.after(timeoutMs, () => {
      const error = new ArrokothError('LOG_NOT_CONFIRMED', `${timeoutMs} ms have passed.`);
      this.#finish(pending, { ok: false, error });
    });
    const pending: Pending = { done, deadline, pause: null };
    this.#pending.add(pending);
    this.#try(pending);
  }

  /** Reads that rest are tried at once. */
  masterKnown(): void {
    for (const pending of [...this.#pending]) {
      if (pending.pause === null) continue;
      pending.pause.cancel();
      pending.pause = null;
      this.#try(pending);
    }
  }

  /** Ends everything. */
  close(error: ArrokothError): void {
    for (const pending of [...this.#pending]) this.#finish(pending, { ok: false, error });
  }

  #try(pending: Pending): void {
    this.#doors.read((outcome) => {
      if (outcome.type === 'ready') return this.#finish(pending, { ok: true, index: outcome.index });
      if (!this.#pending.has(pending)) return;
      pending.pause = this.#doors.timers.after(LOG_LIMITS.readRetryMs, () => {
        pending.pause = null;
        this.#try(pending);
      });
    });
  }

  #finish(pending: Pending, confirmed: Confirmed): void {
    if (!this.#pending.delete(pending)) return;
    pending.deadline.cancel();
    pending.pause?.cancel();
    pending.done(confirmed);
  }
}
