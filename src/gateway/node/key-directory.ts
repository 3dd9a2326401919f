/**
 * Where session keys are held: what every directory promises, of one node or of a cluster.
 *
 * An interface and its words. `NodeDirectory` keeps it among the workers of one node,
 * `ClusterDirectory` over all nodes that are up.
 */
import type { Seat, SessionKey, WorkerAddress } from '../../base/index.ts';
import type { Sister } from '../../bus/index.ts';
import type { Session } from '../sessions/session.ts';

/** Who holds a key; the generation tells one connection of the key from the next. */
export interface Place {
  readonly seat: Seat;
  readonly generation: number;
}

/** Where a key is: at a place, certainly nowhere, or not known at present. */
export type Whereabouts = Place | 'nowhere' | 'unknown';

/** How thoroughly keys are looked for. */
export interface Search {
  /** A home that is silent for so long knows nothing. */
  readonly timeoutMs: number;
  /** Whoever was named for some key denied to hold it: one home's word is not enough any more. */
  readonly thorough: boolean;
}

/** Finds the workers that hold session keys, and keeps keys unique. */
export interface KeyDirectory {
  /** Nobody but this worker can hold a key. */
  readonly alone: boolean;
  /** Every worker that may hold a key, this one included. */
  seats(): readonly Seat[];
  /**
   * Makes `session` the holder of its key; done when whoever held it before is closed. False when it
   * could not be registered in time.
   */
  register(session: Session, done: (registered: boolean) => void): void;
  /** The end of a session; a newer connection with its key is not touched. */
  unregister(session: Session): void;
  /** Finds the holders of keys that this worker does not hold itself, in the order of `keys`. */
  find(keys: readonly SessionKey[], search: Search, done: (found: Whereabouts[]) => void): void;
  /** A sister is up, perhaps anew: tells it again what this worker holds of its keys. */
  repeatTo(sister: Sister): void;
  /** A run of this node has ended: its connections are gone. */
  dropRun(ended: WorkerAddress): void;
}

/** Appends to the list of `key`, which is made when it is missing. */
export function pushTo<Key, Value>(lists: Map<Key, Value[]>, key: Key, value: Value): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [value]);
  else list.push(value);
}
