/**
 * The directory of a cluster: finds the worker that holds a session key, on whichever node it is.
 *
 * Every key has homes on two nodes. The rules are in `relay/` (`homes.ts`, `key-registration.ts`,
 * `view-completeness.ts`, `directory.ts`); this file carries them over the bus. What this worker
 * holds is repeated to homes that need it by `HoldingRepeats`.
 */
import {
  type Cancellable,
  type ConnectionId,
  isLaterRun,
  LIMITS,
  MESH_LIMITS,
  type Seat,
  type SessionKey,
  seatsOf,
  type Timers,
  type WorkerAddress,
} from '../../base/index.ts';
import { type Bus, type Json, NO_BYTES, type Reply, type Sister } from '../../bus/index.ts';
import {
  Directory,
  type Holding,
  Homes,
  type HomesView,
  KeyRegistration,
  type Registration,
  type RegistrationStep,
  ViewCompleteness,
} from '../../relay/index.ts';
import type { Session } from '../sessions/session.ts';
import { type HeldClaim, HoldingRepeats } from './holding-repeats.ts';
import { type KeyDirectory, type Place, pushTo, type Search, type Whereabouts } from './key-directory.ts';

/** What the directory is kept with, here and at the sisters. */
export interface ClusterDirectoryDoors {
  readonly bus: Bus;
  readonly timers: Timers;
  /** Number of gateway workers of this node. */
  readonly workers: number;
  /** A connection of this worker lost its key to a newer one. */
  readonly onReplaced: (connection: ConnectionId) => void;
}

/** A session of this worker and where it is registered. */
interface Entry {
  readonly session: Session;
  registration: KeyRegistration;
  /** Homes that were told of it, whatever they said. */
  readonly told: Set<Seat>;
  /** Homes that took it when it was repeated. */
  repeatedTo: Set<Seat>;
  /** Ends of older connections that are waited for. */
  fences: number;
  /** Null once it was called. */
  done: ((registered: boolean) => void) | null;
  readonly overdue: Cancellable;
}

type Replaced = [connection: string, seat: string, generation: number];
/** Of an order: what was given. Of a copy: the higher one that is known, or 0. */
type Granted = [generation: number, replaced: Replaced | null];

/** This worker's part in the cluster's directory. */
export class ClusterDirectory implements KeyDirectory {
  readonly #doors: ClusterDirectoryDoors;
  readonly #directory: Directory;
  readonly #completeness = new ViewCompleteness();
  readonly #entries = new Map<ConnectionId, Entry>();
  readonly #repeats: HoldingRepeats;
  readonly #ownSeats: readonly Seat[];
  #homes: Homes | null = null;
  #epochs: ReadonlyMap<string, number> = new Map();

  constructor(doors: ClusterDirectoryDoors) {
    this.#doors = doors;
    const { bus } = doors;
    this.#ownSeats = seatsOf(bus.self.node, doors.workers);
    this.#directory = new Directory(bus.self.run);
    this.#repeats = new HoldingRepeats(doors);
    bus.handle('key_order', (from, { facts }, reply) => this.#order(from, facts, reply));
    bus.handle('key_copy', (from, { facts }, reply) => this.#copy(from, facts, reply));
    bus.handle('key_copies', (from, { facts }, reply) => {
      for (const [key, connection, generation] of facts as unknown as HeldClaim[]) {
        const { replaced } = this.#take(from, key, connection, generation);
        if (replaced !== null) this.#fence(replaced.connection, replaced.holder.seat, () => {});
      }
      reply(null);
    });
    bus.handle('key_rebuilt', (from, { facts }) => this.#completeness.rebuilt(from.seat, facts as number));
    bus.handle('key_drop', (_from, { facts }) => {
      const [key, connection] = facts as [string, string];
      this.#directory.unregister(key as SessionKey, connection as ConnectionId);
    });
    bus.handle('key_lookup', (_from, { facts }, reply) => {
      const [number, keys] = facts as unknown as [number, string[]];
      reply(keys.map((key) => this.#lookup(key as SessionKey, number)) as unknown as Json);
    });
    bus.handle('replaced', (_from, { facts }, reply) => {
      doors.onReplaced(facts as ConnectionId);
      reply(null);
    });
    bus.onSisterDown(({ seat }) => this.#completeness.lost(seat));
  }

  get alone(): boolean {
    return this.seats().length === 1;
  }

  seats(): readonly Seat[] {
    return this.#homes?.seats() ?? this.#ownSeats;
  }

  /**
   * Takes the nodes that are up, this one among them; null when it is not. Homes that are new for a
   * key are told of it, and every worker hears that this one has told all.
   */
  view(view: HomesView | null): void {
    this.#homes = view === null ? null : new Homes(view);
    this.#epochs = new Map(view?.nodes.map(({ node, epoch }) => [node, epoch]));
    const { node, seat } = this.#doors.bus.self;
    this.#directory.dropWhere(({ key, holder }) => {
      if (holder.node !== node && this.#epochs.get(holder.node) !== holder.epoch) return true;
      return !this.#homesOf(key).includes(seat);
    });
    const seats = this.#homes?.seats() ?? [];
    this.#completeness.view(view?.number ?? 0, seats);
    for (const entry of this.#entries.values()) {
      const homes = this.#homesOf(entry.session.key);
      entry.repeatedTo = new Set(homes.filter((home) => isAt(entry, home)));
      // Its homes may be others now, and nobody counts on it before it is done.
      if (entry.done !== null) this.#begin(entry);
    }
    for (const other of seats) this.#repeat(other, (entry) => !entry.repeatedTo.has(other));
  }

  register(session: Session, done: (registered: boolean) => void): void {
    const entry: Entry = {
      session,
      registration: new KeyRegistration([], ''),
      told: new Set(),
      repeatedTo: new Set(),
      fences: 0,
      done,
      overdue: this.#doors.timers.after(MESH_LIMITS.registrationMs, () => {
        this.#carryOut(entry, entry.registration.overdue());
      }),
    };
    this.#entries.set(session.id, entry);
    this.#begin(entry);
  }

  unregister(session: Session): void {
    const entry = this.#entries.get(session.id);
    if (entry === undefined) return;
    this.#entries.delete(session.id);
    entry.overdue.cancel();
    const { done } = entry;
    // It ended while it was being registered: whoever waits for that has to hear that it is over.
    if (done !== null) this.#doors.timers.endOfTurn(() => done(true));
    entry.done = null;
    const facts = [session.key, session.id];
    for (const home of entry.told) this.#doors.bus.tell(home, { kind: 'key_drop', facts, bytes: NO_BYTES });
  }

  /** The first home nearly always knows; the second is asked for what the first does not name. */
  find(keys: readonly SessionKey[], search: Search, done: (found: Whereabouts[]) => void): void {
    const homes = keys.map((key) => this.#homesOf(key));
    const found: (Whereabouts | null)[] = keys.map(() => null);
    const settle = (): void => done(found.map((where) => where ?? 'unknown'));
    const both = homes.flatMap((seats, position) => seats.map((seat) => [seat, position] as const));
    if (search.thorough) return this.#lookUp(keys, both, search.timeoutMs, found, settle);
    const first = both.filter(([seat, position]) => homes[position]?.[0] === seat);
    const firstMs = Math.min(MESH_LIMITS.homeSilentMs, search.timeoutMs);
    this.#lookUp(keys, first, firstMs, found, () => {
      const second = both.filter(([seat, position]) => {
        return homes[position]?.[1] === seat && typeof found[position] !== 'object';
      });
      this.#lookUp(keys, second, search.timeoutMs, found, settle);
    });
  }

  repeatTo(sister: Sister): void {
    this.#directory.dropWhere(({ holder }) => holder.seat === sister.seat && isLaterRun(sister, holder));
    for (const entry of this.#entries.values()) entry.repeatedTo.delete(sister.seat);
    this.#repeat(sister.seat, () => true);
  }

  dropRun(ended: WorkerAddress): void {
    this.#directory.dropRun(ended);
  }

  #homesOf(key: string): Seat[] {
    return this.#homes?.of(key).map(({ seat }) => seat) ?? [];
  }

  // This worker as a holder ---------------------------------------------------------------------

  #begin(entry: Entry): void {
    const { key } = entry.session;
    entry.registration = new KeyRegistration(this.#homes?.order(key) ?? [], this.#doors.bus.self.node);
    this.#carryOut(entry, entry.registration.begin());
  }

  #carryOut(entry: Entry, steps: readonly RegistrationStep[]): void {
    const { session } = entry;
    for (const step of steps) {
      if (step.type === 'order') {
        const facts = [session.key, session.id, step.floor];
        this.#askHome(
          entry,
          step.home,
          { kind: 'key_order', facts },
          ([generation, replaced], registration) => {
            this.#fenceOlder(entry, replaced, generation);
            return registration.ordered(step.home, generation);
          },
        );
      } else if (step.type === 'copy') {
        const { generation } = step;
        const facts = [session.key, session.id, generation];
        this.#askHome(entry, step.home, { kind: 'key_copy', facts }, ([higher, replaced], registration) => {
          this.#fenceOlder(entry, replaced, generation);
          return registration.copied(step.home, generation, higher === 0 ? null : higher);
        });
      } else if (step.type === 'generation') {
        session.generation = step.generation;
      } else {
        this.#settle(entry, step.type === 'registered');
      }
    }
  }

  #askHome(
    entry: Entry,
    home: Seat,
    { kind, facts }: { readonly kind: string; readonly facts: Json },
    heard: (granted: Granted, registration: KeyRegistration) => RegistrationStep[],
  ): void {
    const { bus, timers } = this.#doors;
    const { registration } = entry;
    entry.told.add(home);
    const isOver = (): boolean => {
      return registration !== entry.registration || this.#entries.get(entry.session.id) !== entry;
    };
    const silent = timers.after(MESH_LIMITS.homeSilentMs, () => {
      if (!isOver()) this.#carryOut(entry, registration.silent(home));
    });
    bus.ask(home, { kind, facts, bytes: NO_BYTES }, LIMITS.sisterWaitMs, (answer) => {
      silent.cancel();
      if (isOver()) return;
      if (answer.ok) this.#carryOut(entry, heard(answer.value.facts as unknown as Granted, registration));
      else this.#carryOut(entry, registration.silent(home));
    });
  }

  /** Until the older connection is closed its worker would go on to deliver to it, so that comes first. */
  #fenceOlder(entry: Entry, replaced: Replaced | null, generation: number): void {
    if (replaced === null || replaced[2] >= generation) return;
    const [connection, seat] = replaced;
    entry.fences++;
    this.#fence(connection as ConnectionId, seat as Seat, () => {
      entry.fences--;
      if (entry.fences === 0 && entry.registration.done) this.#settle(entry, true);
    });
  }

  #fence(connection: ConnectionId, seat: Seat, done: () => void): void {
    const message = { kind: 'replaced', facts: connection, bytes: NO_BYTES };
    this.#doors.bus.ask(seat, message, MESH_LIMITS.registrationMs, done);
  }

  #settle(entry: Entry, registered: boolean): void {
    if (registered && entry.fences > 0) return;
    const { done } = entry;
    entry.done = null;
    entry.overdue.cancel();
    done?.(registered);
  }

  #repeat(seat: Seat, isWanted: (entry: Entry) => boolean): void {
    if (this.#homes === null) return;
    const claims: HeldClaim[] = [];
    const entries: Entry[] = [];
    const all = this.#repeats.isUnderWay(seat);
    for (const entry of this.#entries.values()) {
      const { key, id, generation } = entry.session;
      // One that is not done yet tells its homes by itself.
      if (generation === 0 || !(all || isWanted(entry)) || !this.#homesOf(key).includes(seat)) continue;
      claims.push([key, id, generation]);
      entries.push(entry);
      entry.told.add(seat);
    }
    this.#repeats.begin(seat, { number: this.#homes.number, claims }, () => {
      for (const entry of entries) entry.repeatedTo.add(seat);
    });
  }

  // This worker as a home -----------------------------------------------------------------------

  #order(from: Sister, facts: Json, reply: Reply): void {
    const [key, connection, floor] = facts as [string, string, number];
    const claim = { key: key as SessionKey, connection: connection as ConnectionId, holder: from };
    const { generation, replaced } = this.#directory.register(claim, floor);
    reply([generation, replacedFacts(replaced)]);
  }

  #copy(from: Sister, facts: Json, reply: Reply): void {
    const [key, connection, generation] = facts as unknown as HeldClaim;
    const { replaced } = this.#take(from, key, connection, generation);
    const present = this.#directory.lookup(key as SessionKey);
    if (replaced?.connection !== connection) return reply([0, replacedFacts(replaced)]);
    reply([present?.generation ?? 0, null]);
  }

  #take(from: Sister, key: string, connection: string, generation: number): Registration {
    const names = { key: key as SessionKey, connection: connection as ConnectionId };
    return this.#directory.restore({ ...names, holder: from, generation });
  }

  #lookup(key: SessionKey, number: number): Whereabouts {
    const holding = this.#directory.lookup(key);
    if (holding !== undefined) return { seat: holding.holder.seat, generation: holding.generation };
    return this.#completeness.complete && this.#homes?.number === number ? 'nowhere' : 'unknown';
  }

  /** Asks homes for the keys at positions, and adds to `found` what they say. */
  #lookUp(
    keys: readonly SessionKey[],
    questions: readonly (readonly [home: Seat, position: number])[],
    timeoutMs: number,
    found: (Whereabouts | null)[],
    done: () => void,
  ): void {
    const positionsByHome = new Map<Seat, number[]>();
    for (const [home, position] of questions) pushTo(positionsByHome, home, position);
    let outstanding = positionsByHome.size;
    if (outstanding === 0) return done();
    for (const [home, positions] of positionsByHome) {
      const asked = positions.map((position) => keys[position] as string);
      const facts = [this.#homes?.number ?? 0, asked];
      this.#doors.bus.ask(home, { kind: 'key_lookup', facts, bytes: NO_BYTES }, timeoutMs, (answer) => {
        const said = answer.ok ? (answer.value.facts as unknown as Whereabouts[]) : [];
        positions.forEach((position, index) => {
          found[position] = agreed(found[position] ?? null, said[index] ?? 'unknown');
        });
        outstanding--;
        if (outstanding === 0) done();
      });
    }
  }
}

function isAt(entry: Entry, home: Seat): boolean {
  return entry.repeatedTo.has(home) || entry.registration.homes.has(home);
}

function replacedFacts(replaced: Holding | null): Replaced | null {
  return replaced === null ? null : [replaced.connection, replaced.holder.seat, replaced.generation];
}

/** What two homes know together: the newer place, or nowhere if both are sure of it. */
function agreed(one: Whereabouts | null, other: Whereabouts): Whereabouts {
  if (one === null || one === other) return other;
  if (typeof one === 'object' && typeof other === 'object') return newer(one, other);
  if (typeof one === 'object') return one;
  return typeof other === 'object' ? other : 'unknown';
}

function newer(one: Place, other: Place): Place {
  return one.generation > other.generation ? one : other;
}
