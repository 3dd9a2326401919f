/**
 * All connections of one worker, found by id and by key, and the one place where they end.
 *
 * Whatever ends a connection (its client, the application, a newer connection, a drain) comes
 * through `end`, which lets only the first through and leaves behind exactly what the journal and
 * the application are owed.
 */
import type { ConnectionId, SessionKey } from '../../base/index.ts';
import type { SessionJournal } from '../../journal/index.ts';
import type { CloseReason } from '../../relay/index.ts';
import type { ConnectionWatch } from '../connection-watch.ts';
import type { GatewayStats } from '../gateway-stats.ts';
import type { KeyDirectory } from '../node/key-directory.ts';
import type { NodeChannels } from '../node/node-channels.ts';
import type { CloseCallbacks } from './close-callbacks.ts';
import type { ReceiveCallbacks } from './receive-callbacks.ts';
import type { Session } from './session.ts';

/** What the sessions of this worker are kept and ended with. */
export interface SessionsDoors {
  readonly journal: SessionJournal;
  readonly stats: GatewayStats;
  readonly watch: ConnectionWatch;
  readonly directory: KeyDirectory;
  readonly channels: NodeChannels;
  readonly closeCallbacks: CloseCallbacks;
  readonly receiveCallbacks: ReceiveCallbacks;
}

/** Why a connection ended, in the words of the close callback. */
export interface EndFacts {
  readonly reason: CloseReason;
  readonly code: number;
}

/** The connections of this worker. */
export class Sessions {
  readonly #byId = new Map<ConnectionId, Session>();
  /** The newest session of each key that this worker knows of. */
  readonly #byKey = new Map<SessionKey, Session>();
  /** The newest session of each key whose registration is on its way. */
  readonly #registering = new Map<SessionKey, Session>();
  #doors: SessionsDoors | null = null;

  /** Directory and channels look into this register, so it is made before them and tied up here. */
  connect(doors: SessionsDoors): void {
    this.#doors = doors;
  }

  get size(): number {
    return this.#byId.size;
  }

  all(): IterableIterator<Session> {
    return this.#byId.values();
  }

  byId(id: ConnectionId): Session | undefined {
    return this.#byId.get(id);
  }

  /** The session that messages to `key` go to, or undefined when this worker holds none. */
  byKey(key: SessionKey): Session | undefined {
    return this.#byKey.get(key);
  }

  /**
   * The same for a message that the home of `key` sent here. The home may know of a registration
   * sooner than we know its answer, and must not be told that nobody is here.
   */
  sentByHome(key: SessionKey): Session | undefined {
    return this.#byKey.get(key) ?? this.#registering.get(key);
  }

  /** Admitted: the connection exists from now on, whatever becomes of it. */
  add(session: Session): void {
    this.#byId.set(session.id, session);
  }

  /** Its home is being asked, and may send messages from now on. */
  registering(session: Session): void {
    this.#registering.set(session.key, session);
  }

  /** Registered at its home: messages to its key reach it from now on. */
  addressable(session: Session): void {
    this.#byKey.set(session.key, session);
    if (this.#registering.get(session.key) === session) this.#registering.delete(session.key);
  }

  /** Sessions whose key their home knows. */
  *registered(): IterableIterator<Session> {
    for (const session of this.#byId.values()) if (session.generation !== 0) yield session;
  }

  /**
   * Ends a session; false when it had ended before. The socket is the caller's to close. The close
   * callback follows, after everything that the client had said.
   */
  end(session: Session, facts: EndFacts): boolean {
    if (!this.#forget(session)) return false;
    session.endReason = facts.reason;
    const { journal, closeCallbacks, receiveCallbacks, watch } = this.#doors as SessionsDoors;
    watch.ended(session, facts.reason);
    session.watch?.step(session, 'ended', { ...facts });
    journal.closing(session.id, facts);
    const event = { connection: session.id, key: session.key, trace: session.trace, ...facts };
    closeCallbacks.addAfter(event, (ready) => receiveCallbacks.whenEmpty(session, ready));
    return true;
  }

  /** Ends a session because the application asked for it, which is not told of it again. */
  endSilently(session: Session): boolean {
    if (!this.#forget(session)) return false;
    const { journal, watch } = this.#doors as SessionsDoors;
    watch.ended(session, 'application');
    session.watch?.step(session, 'ended', { reason: 'application' });
    journal.closed(session.id);
    return true;
  }

  #forget(session: Session): boolean {
    if (!session.life.end()) return false;
    const { stats, directory, channels } = this.#doors as SessionsDoors;
    this.#byId.delete(session.id);
    if (this.#byKey.get(session.key) === session) this.#byKey.delete(session.key);
    if (this.#registering.get(session.key) === session) this.#registering.delete(session.key);
    if (session.generation !== 0) directory.unregister(session);
    for (const channel of session.channels) channels.leave(session, channel);
    stats.disconnected();
    return true;
  }
}
