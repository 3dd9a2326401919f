/**
 * When a snapshot takes the place of the log so far, and that only one is being written at a time.
 *
 * Due when the log has grown by a bound, or by the size of the last snapshot where that is more: the
 * cost of writing snapshots then stays in proportion to what is submitted. Driven by `embedded.ts`.
 */
import { type Clock, LOG_LIMITS, type Logger } from '../base/index.ts';
import type { Index, Snapshot } from '../consensus/index.ts';
import type { LogStore } from './log-store.ts';

/** What it is made of. */
export interface SnapshotKeeperOptions {
  readonly journal: LogStore;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly logBytes: number;
  /** The state as it is now, which is at `index`. */
  readonly take: (index: Index) => Snapshot;
  /** It is durable, and newer than any that was installed. */
  readonly saved: (snapshot: Snapshot) => void;
}

/** Takes and saves snapshots of the applied state. */
export class SnapshotKeeper {
  readonly #options: SnapshotKeeperOptions;
  #newestIndex: Index = 0;
  #stateBytes = 0;
  #saving = false;
  #notBeforeMs = 0;

  constructor(options: SnapshotKeeperOptions) {
    this.#options = options;
  }

  /** A snapshot of a master took the place of everything up to `index`. */
  installed(index: Index): void {
    this.#newestIndex = index;
  }

  /** Begins a snapshot if one is due; the state has to be at `index`. */
  consider(index: Index): void {
    const { journal, clock, logBytes, take, saved, logger } = this.#options;
    if (this.#saving || index <= this.#newestIndex) return;
    if (journal.bytesSinceSnapshot <= Math.max(logBytes, this.#stateBytes)) return;
    if (clock.monotonicMs() < this.#notBeforeMs) return;
    const snapshot = take(index);
    this.#saving = true;
    journal.saveSnapshot(snapshot, (error) => {
      this.#saving = false;
      if (error !== null) {
        this.#notBeforeMs = clock.monotonicMs() + LOG_LIMITS.snapshotRetryMs;
        logger.error({ index, error: error.message }, 'a snapshot could not be written');
        return;
      }
      this.#stateBytes = snapshot.state.byteLength;
      if (index <= this.#newestIndex) return;
      this.#newestIndex = index;
      saved(snapshot);
    });
  }
}
