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
  type Seat,
  type SessionKey,
  seatsOf,
} from '../../base/index.ts';
import { type Bus, type Json, NO_BYTES, type Sister } from '../../bus/index.ts';
import { type Completeness, Directory, type Holder, type Holding } from '../../relay/index.ts';
import type { Session } from '../sessions/session.ts';
import { type KeyDirectory, pushTo, type Search, type Whereabouts } from './key-directory.ts';
import { askRepeatably, RunCalls } from './sister-calls.ts';

/** Repetitions are sent in portions, so that no frame of the bus grows without bound. */
const REPEAT_PORTION = 500;
/**
 * How long a connection waits for the end of the one that it replaces. A worker that does not
 * answer in this time is overloaded or as good as gone, and the newer connection goes on without it.
 */
const FENCE_WAIT_MS = 1_000;

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
export class NodeDirectory implements KeyDirectory {
  readonly #doors: NodeDirectoryDoors;
  readonly #directory: Directory;
  readonly #fences: RunCalls;
  readonly #seats: readonly Seat[];

  constructor(doors: NodeDirectoryDoors) {
    this.#doors = doors;
    this.#seats = seatsOf(doors.bus.self.node, doors.workers);
    this.#directory = new Directory(doors.bus.self.run);
    this.#fences = new RunCalls(doors);
    const { bus } = doors;
    bus.handle('register', (from, { facts }, reply) => {
      const [key, connection] = facts as [string, string];
      this.#claim(key, connection, from, reply);
    });
    bus.handle('unregister', (_from, { facts }) => {
      const [key, connection] = facts as [string, string];
      this.#directory.unregister(key as SessionKey, connection as ConnectionId);
    });
    bus.handle('restore', (from, { facts }) => this.#restore(from, facts as unknown as Claim[]));
    bus.handle('replaced', (_from, { facts }, reply) => {
      doors.onReplaced(facts as ConnectionId);
      reply(null);
    });
    bus.handle('lookup', (_from, { facts }, reply) => {
      reply((facts as string[]).map((key) => this.#lookup(key as SessionKey)) as unknown as Json);
    });
  }

  get alone(): boolean {
    return this.#seats.length === 1;
  }

  seats(): readonly Seat[] {
    return this.#seats;
  }

  /** The seat that decides about `key`. */
  home(key: string): Seat {
    const { workers } = this.#doors;
    return this.#seats[workers === 1 ? 0 : hash32(key) % workers] as Seat;
  }

  register(session: Session, done: (registered: boolean) => void): void {
    const { bus } = this.#doors;
    const home = this.home(session.key);
    const registered = (generation: number): void => {
      session.generation = generation;
      done(true);
    };
    if (home === bus.self.seat) return this.#claim(session.key, session.id, bus.self, registered);
    const message = { kind: 'register', facts: [session.key, session.id], bytes: NO_BYTES };
    askRepeatably(this.#doors, home, message, (answer) => {
      if (answer.ok) registered(answer.value.facts as number);
      else done(false);
    });
  }

  unregister(session: Session): void {
    const { bus } = this.#doors;
    const home = this.home(session.key);
    if (home === bus.self.seat) return this.#directory.unregister(session.key, session.id);
    bus.tell(home, { kind: 'unregister', facts: [session.key, session.id], bytes: NO_BYTES });
  }

  /** A key has one home here, and its word is enough. */
  find(keys: readonly SessionKey[], { timeoutMs }: Search, done: (found: Whereabouts[]) => void): void {
    const found: Whereabouts[] = new Array(keys.length).fill('unknown');
    const positionsByHome = new Map<Seat, number[]>();
    keys.forEach((key, position) => {
      const home = this.home(key);
      if (home === this.#doors.bus.self.seat) found[position] = this.#lookup(key);
      else pushTo(positionsByHome, home, position);
    });
    let outstanding = positionsByHome.size;
    if (outstanding === 0) return done(found);
    for (const [home, positions] of positionsByHome) {
      const facts = positions.map((position) => keys[position] as string);
      const message = { kind: 'lookup', facts, bytes: NO_BYTES };
      this.#doors.bus.ask(home, message, timeoutMs, (answer) => {
        if (answer.ok) {
          const places = answer.value.facts as unknown as Whereabouts[];
          positions.forEach((position, index) => {
            found[position] = places[index] ?? 'unknown';
          });
        }
        outstanding--;
        if (outstanding === 0) done(found);
      });
    }
  }

  repeatTo(sister: Sister): void {
    let claims: Claim[] = [];
    const send = (): void => {
      const facts = claims as unknown as Json;
      this.#doors.bus.tell(sister.seat, { kind: 'restore', facts, bytes: NO_BYTES });
      claims = [];
    };
    for (const session of this.#doors.registered()) {
      if (this.home(session.key) !== sister.seat) continue;
      claims.push([session.key, session.id, session.generation]);
      if (claims.length === REPEAT_PORTION) send();
    }
    if (claims.length > 0) send();
  }

  dropRun(ended: Holder): void {
    this.#directory.dropRun(ended);
    this.#fences.runEnded(ended);
  }

  #lookup(key: SessionKey): Whereabouts {
    const holding = this.#directory.lookup(key);
    if (holding !== undefined) return { seat: holding.holder.seat, generation: holding.generation };
    return this.#doors.completeness.complete ? 'nowhere' : 'unknown';
  }

  /** Until the older connection is closed its worker would go on to deliver to it, so that comes first. */
  #claim(key: string, connection: string, holder: Holder, done: (generation: number) => void): void {
    const { generation, replaced } = this.#directory.register({
      key: key as SessionKey,
      connection: connection as ConnectionId,
      holder,
    });
    if (replaced === null) done(generation);
    else this.#fence(replaced, () => done(generation));
  }

  #restore(from: Sister, claims: readonly Claim[]): void {
    for (const [key, connection, generation] of claims) {
      const { replaced } = this.#directory.restore({
        key: key as SessionKey,
        connection: connection as ConnectionId,
        holder: from,
        generation,
      });
      if (replaced !== null) this.#fence(replaced, () => {});
    }
  }

  /** Has the worker of a replaced connection close it. */
  #fence({ connection, holder }: Holding, done: () => void): void {
    const { bus, onReplaced } = this.#doors;
    if (holder.seat === bus.self.seat) {
      onReplaced(connection);
      return done();
    }
    const message = { kind: 'replaced', facts: connection, bytes: NO_BYTES };
    this.#fences.ask(holder, message, FENCE_WAIT_MS, done);
  }
}
