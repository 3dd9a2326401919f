/**
 * What users of the log can listen to.
 *
 * Listeners run inside a turn of the driver and must not be able to break it: what one throws is
 * thrown again outside of the turn, where it ends the process unless its owner decides otherwise.
 */
import type { ArrokothError, Timers } from '../base/index.ts';
import type { Ballot, Index } from '../consensus/index.ts';

/** Events and what their listeners are given. */
export interface LogEvents<Change> {
  /** This node is the master, and holds everything that was ever acknowledged. */
  readonly becameMaster: readonly [ballot: Ballot];
  /** Follows each `becameMaster`. */
  readonly lostMaster: readonly [ballot: Ballot];
  /** The changes of one submission were applied, on this member as on each of the others. */
  readonly committed: readonly [index: Index, changes: readonly Change[]];
  /** A committed change is no change for the codec; it was skipped, as on each other member. */
  readonly undecodable: readonly [index: Index, error: Error];
  /** A member sent what cannot be true beside what is committed here; at most five a second are told. */
  readonly contradicted: readonly [error: ArrokothError];
  /** This node is no member any more. */
  readonly removed: readonly [];
  /** This node does nothing any more; the error says why. */
  readonly stopped: readonly [error: ArrokothError];
}

/** Names of the events. */
export type LogEventName = keyof LogEvents<unknown>;

type Listener = (...facts: readonly unknown[]) => void;

/** Listeners by event, in the order of their coming. */
export class LogListeners<Change> {
  readonly #timers: Timers;
  readonly #listeners = new Map<LogEventName, Listener[]>();

  constructor(timers: Timers) {
    this.#timers = timers;
  }

  add<Name extends LogEventName>(name: Name, listener: (...facts: LogEvents<Change>[Name]) => void): void {
    const known = this.#listeners.get(name);
    if (known === undefined) this.#listeners.set(name, [listener as unknown as Listener]);
    else known.push(listener as unknown as Listener);
  }

  tell<Name extends LogEventName>(name: Name, ...facts: LogEvents<Change>[Name]): void {
    for (const listener of this.#listeners.get(name) ?? []) {
      try {
        listener(...facts);
      } catch (error) {
        this.#timers.endOfTurn(() => {
          throw error;
        });
      }
    }
  }
}
