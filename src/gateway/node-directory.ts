/**
 * The directory of a node: finds the worker that holds a session key, and keeps keys unique.
 *
 * Every worker is home to the keys that `hash(key) mod workers` gives it. The rules are in
 * `relay/directory.ts`; this file carries questions and answers over the bus and repeats what this
 * worker holds to a home that was replaced. On a node of one worker nothing of it leaves the process.
 */
import {
  type Clock,
  type ConnectionId,
  hash32,
  LIMITS,
  type SessionKey,
  type WorkerSlot,
} from '../base/index.ts';
import { type Bus, type Json, NO_BYTES, type Sister } from '../bus/index.ts';
import { type Completeness, Directory, type Holder, type Registration } from '../relay/index.ts';
import type { Session } from './session.ts';
import { askRepeatably } from './sister-calls.ts';

/** Where a key is: in a slot, certainly nowhere, or not known at present. */
export type Whereabouts = WorkerSlot | 'nowhere' | 'unknown';

/** Repetitions are sent in portions, so that no frame of the bus grows without bound. */
const REPEAT_PORTION = 500;

type Claim = [key: string, connection: string, generation: number];

/** What the directory is kept with, here and at the sisters. */
export interface NodeDirectoryDoors {
  readonly bus: Bus;
  readonly clock: Clock;
  /** Number of gateway workers of the node. */
  readonly workers: number;
  readonly completeness: Completeness;
  /** A connection of this worker lost its key to a newer one. */
  readonly onReplaced: (connection: ConnectionId) => void;
  /** All registered sessions of this worker, to repeat them to a new home. */
  readonly registered: () => Iterable<Session>;
}

/** This worker's part in the directory. */
export class NodeDirectory {
  readonly #doors: NodeDirectoryDoors;
  readonly #directory: Directory;

  constructor(doors: NodeDirectoryDoors) {
    this.#doors = doors;
    this.#directory = new Directory(doors.bus.self.run);
    const { bus } = doors;
    bus.handle('register', (from, { facts }, reply) => {
      const [key, connection] = facts as [string, string];
      reply(this.#claim(key, connection, from).generation);
    });
    bus.handle('unregister', (_from, { facts }) => {
      const [key, connection] = facts as [string, string];
      this.#directory.unregister(key as SessionKey, connection as ConnectionId);
    });
    bus.handle('restore', (from, { facts }) => this.#restore(from, facts as unknown as Claim[]));
    bus.handle('replaced', (_from, { facts }) => doors.onReplaced(facts as ConnectionId));
    bus.handle('lookup', (_from, { facts }, reply) => {
      reply((facts as string[]).map((key) => this.#lookup(key as SessionKey)));
    });
  }

  /** The slot that decides about `key`. */
  home(key: string): WorkerSlot {
    return this.#doors.workers === 1 ? 0 : hash32(key) % this.#doors.workers;
  }

  /** Makes `session` the holder of its key. False when its home did not answer in time. */
  register(session: Session, done: (registered: boolean) => void): void {
    const { bus } = this.#doors;
    const home = this.home(session.key);
    if (home === bus.self.slot) {
      session.generation = this.#claim(session.key, session.id, bus.self).generation;
      return done(true);
    }
    const message = { kind: 'register', facts: [session.key, session.id], bytes: NO_BYTES };
    askRepeatably(this.#doors, home, message, (answer) => {
      if (answer.ok) session.generation = answer.value.facts as number;
      done(answer.ok);
    });
  }

  /** The end of a session; a newer connection with its key is not touched. */
  unregister(session: Session): void {
    const { bus } = this.#doors;
    const home = this.home(session.key);
    if (home === bus.self.slot) return this.#directory.unregister(session.key, session.id);
    bus.tell(home, { kind: 'unregister', facts: [session.key, session.id], bytes: NO_BYTES });
  }

  /** Finds the holders of keys that this worker does not hold itself, in the order of `keys`. */
  find(keys: readonly SessionKey[], done: (found: Whereabouts[]) => void): void {
    const found: Whereabouts[] = new Array(keys.length).fill('unknown');
    const positionsByHome = new Map<WorkerSlot, number[]>();
    keys.forEach((key, position) => {
      const home = this.home(key);
      if (home === this.#doors.bus.self.slot) found[position] = this.#lookup(key);
      else pushTo(positionsByHome, home, position);
    });
    let outstanding = positionsByHome.size;
    if (outstanding === 0) return done(found);
    for (const [home, positions] of positionsByHome) {
      const facts = positions.map((position) => keys[position] as string);
      const message = { kind: 'lookup', facts, bytes: NO_BYTES };
      this.#doors.bus.ask(home, message, LIMITS.sisterWaitMs, (answer) => {
        if (answer.ok) {
          const slots = answer.value.facts as Whereabouts[];
          positions.forEach((position, index) => {
            found[position] = slots[index] ?? 'unknown';
          });
        }
        outstanding--;
        if (outstanding === 0) done(found);
      });
    }
  }

  /** A home is up, perhaps anew: tell it again what this worker holds of its keys. */
  repeatTo(sister: Sister): void {
    let claims: Claim[] = [];
    const send = (): void => {
      const facts = claims as unknown as Json;
      this.#doors.bus.tell(sister.slot, { kind: 'restore', facts, bytes: NO_BYTES });
      claims = [];
    };
    for (const session of this.#doors.registered()) {
      if (this.home(session.key) !== sister.slot) continue;
      claims.push([session.key, session.id, session.generation]);
      if (claims.length === REPEAT_PORTION) send();
    }
    if (claims.length > 0) send();
  }

  /** A run has ended: its connections are gone. */
  dropRun(ended: Holder): void {
    this.#directory.dropRun(ended);
  }

  #lookup(key: SessionKey): Whereabouts {
    const holding = this.#directory.lookup(key);
    if (holding !== undefined) return holding.holder.slot;
    return this.#doors.completeness.complete ? 'nowhere' : 'unknown';
  }

  #claim(key: string, connection: string, holder: Holder): Registration {
    const registration = this.#directory.register({
      key: key as SessionKey,
      connection: connection as ConnectionId,
      holder: { slot: holder.slot, run: holder.run },
    });
    this.#fence(registration);
    return registration;
  }

  #restore(from: Sister, claims: readonly Claim[]): void {
    for (const [key, connection, generation] of claims) {
      const holding = {
        key: key as SessionKey,
        connection: connection as ConnectionId,
        holder: { slot: from.slot, run: from.run },
        generation,
      };
      this.#fence(this.#directory.restore(holding));
    }
  }

  /** Tells the worker of a replaced connection to close it. */
  #fence({ replaced }: Registration): void {
    if (replaced === null) return;
    const { bus, onReplaced } = this.#doors;
    if (replaced.holder.slot === bus.self.slot) return onReplaced(replaced.connection);
    bus.tell(replaced.holder.slot, { kind: 'replaced', facts: replaced.connection, bytes: NO_BYTES });
  }
}

/** Appends to the list of `key`, which is made when it is missing. */
export function pushTo<Key, Value>(lists: Map<Key, Value[]>, key: Key, value: Value): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [value]);
  else list.push(value);
}
