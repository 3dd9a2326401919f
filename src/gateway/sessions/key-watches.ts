/**
 * The session keys that are watched on one worker.
 *
 * The supervisor says which, all of them with each change; it bounds their number and their time.
 * A key may have no connection here, or none yet.
 */
import type { SessionKey } from '../../base/index.ts';
import { KeyWatch, type KeyWatchDoors } from './key-watch.ts';

/** A key, and for how long it is watched from now on. */
export interface WatchedKey {
  readonly key: string;
  readonly forMs: number;
}

/** What the watches need: whoever has a key now. */
export interface KeyWatchesDoors extends KeyWatchDoors {
  readonly sessions: { all(): Iterable<{ readonly key: SessionKey | null; watch: KeyWatch | null }> };
}

/** Finds the watch of a session when it is made, and gives it to those that are there. */
export class KeyWatches {
  readonly #doors: KeyWatchesDoors;
  readonly #watches = new Map<string, KeyWatch>();

  constructor(doors: KeyWatchesDoors) {
    this.#doors = doors;
  }

  /** From now on these are watched, and no others. */
  replace(keys: readonly WatchedKey[]): void {
    for (const watch of this.#watches.values()) watch.stop();
    this.#watches.clear();
    const nowMs = this.#doors.clock.monotonicMs();
    for (const { key, forMs } of keys) {
      this.#watches.set(key, new KeyWatch(this.#doors, key as SessionKey, nowMs + forMs));
    }
    for (const session of this.#doors.sessions.all()) session.watch = this.of(session.key);
  }

  /** The watch of a key, or null. */
  of(key: SessionKey | null): KeyWatch | null {
    if (this.#watches.size === 0 || key === null) return null;
    const watch = this.#watches.get(key);
    if (watch === undefined || watch.active) return watch ?? null;
    this.#watches.delete(key);
    return null;
  }
}
