/**
 * One gateway worker: the role that joins rules to adapters and keeps the connections.
 *
 * Puts the parts together, routes requests to them, and stops them in order. What it stands on
 * (server, client, bus, journal, clocks) comes in through its doors; `main/` builds those.
 */
import { type ConnectionId, ERRORS, isSameWorker, type WorkerAddress, workerAddress } from '../base/index.ts';
import type { HttpServer, ListenHandle } from '../net/index.ts';
import type { ListenerName, StatsCounters, WorkerPlace } from '../process/index.ts';
import type { CloseReason, Granted, HomesView, OverloadState } from '../relay/index.ts';
import type { GatewayDoors } from './doors.ts';
import { buildParts, type GatewayParts } from './gateway-parts.ts';
import type { WatchedKey } from './sessions/key-watches.ts';

/** What a drain came to. */
export interface DrainReport {
  readonly connectionsClosed: number;
  /** Close callbacks without an answer; they stay in the journal. */
  readonly closeCallbacksGivenUp: number;
}

type GatewayListener = Extract<ListenerName, 'public' | 'app'>;

/** How long clients of a lost supervisor are given to take their close frames. */
const LOST_GRACE_MS = 2_000;
const DRAIN_CODE = ERRORS.GOING_AWAY.closeCode as number;
const LOST_CODE = ERRORS.SUPERVISOR_LOST.closeCode as number;
const REPLACED_CODE = ERRORS.REPLACED.closeCode as number;

/** Holds connections for a plain-HTTP application. */
export class Gateway {
  readonly #doors: GatewayDoors;
  readonly #parts: GatewayParts;
  readonly #servers: Readonly<Record<GatewayListener, HttpServer>>;
  #sisters: readonly WorkerAddress[] = [];
  #state: 'serving' | 'draining' | 'lost' = 'serving';

  constructor(doors: GatewayDoors) {
    this.#doors = doors;
    this.#parts = buildParts(doors, {
      stopping: () => (this.#state === 'serving' ? null : 'the node is stopping'),
      replaced: (connection) => this.#replace(connection),
    });
    const { front } = this.#parts;
    this.#servers = {
      public: doors.createServer(front.handlers('public'), 'public'),
      app: doors.createServer(front.handlers('app'), 'app'),
    };
    this.#listenToSisters();
    for (const { connection, key, reason, code } of doors.owed) {
      this.#parts.closeCallbacks.add({ connection, key, reason: reason as CloseReason, code });
    }
  }

  listen(listener: GatewayListener, handle: ListenHandle): void {
    if (this.#state === 'serving') this.#servers[listener].listen(handle);
  }

  unlisten(listener: GatewayListener): void {
    this.#servers[listener].stopListening();
  }

  /** The supervisor's permission to admit, until it is too old. */
  grant(granted: Granted): void {
    this.#parts.modes.grant(granted);
  }

  /** The gateway workers that live now, and the sum of those that ended. */
  peers(peers: readonly WorkerPlace[], ended: StatsCounters): void {
    const { node, epoch, slot: ownSlot } = this.#doors.bus.self;
    const places = peers.filter(({ kind, slot }) => kind === 'gateway' && slot !== ownSlot);
    const sisters = places.map(({ slot, run }) => workerAddress({ node, epoch, slot, run }));
    for (const old of this.#sisters) {
      if (sisters.some((sister) => isSameWorker(sister, old))) continue;
      this.#parts.directory.dropRun(old);
      this.#parts.channels.dropRun(old);
      this.#parts.idempotent.dropRun(old);
    }
    this.#sisters = sisters;
    this.#parts.completeness.sisters(sisters);
    this.#parts.nodeStats.peers(places, ended);
    this.#parts.channels.completenessChanged();
  }

  /** The nodes that are up, this one among them; null when this node is in no cluster, or out of it. */
  cluster(view: HomesView | null): void {
    this.#parts.clusterDirectory?.view(view);
  }

  /** Logs each step of the connections of these session keys, and of no others. */
  watch(keys: readonly WatchedKey[]): void {
    this.#parts.watches.replace(keys);
  }

  stats(): StatsCounters {
    return this.#parts.stats.counters();
  }

  /** `listener` is called whenever a counter has changed. */
  onStats(listener: () => void): void {
    this.#parts.stats.onChange(listener);
  }

  /** `listener` is called before counters are told to anybody else: the supervisor must know them first. */
  beforeTellingStats(listener: () => void): void {
    this.#parts.nodeStats.beforeTelling(listener);
  }

  /** `listener` is called whenever this worker begins or ends to refuse clients because of its load. */
  onOverload(listener: (state: OverloadState) => void): void {
    this.#parts.overload.onChange(listener);
  }

  /** Admits nobody any more, closes everybody with 1001, and waits for the application's answers. */
  async drain(timeoutMs: number): Promise<DrainReport> {
    this.#state = 'draining';
    this.#parts.overload.stop();
    const untilMs = this.#doors.clock.monotonicMs() + timeoutMs;
    for (const server of Object.values(this.#servers)) server.stopListening();
    const connectionsClosed = this.#parts.sessions.size;
    this.#endAll('drain', DRAIN_CODE, 'going away');
    const upstreamDone = this.#parts.upstream?.drain(timeoutMs);
    await this.#atMost(timeoutMs, (done) => {
      // An application may be answering a connect right now, and its yes is owed an end as well.
      this.#parts.admission.whenIdle(() => this.#parts.closeCallbacks.whenIdle(done));
    });
    // What begins now would be answered after the journal is closed, and so be told a second time.
    this.#parts.closeCallbacks.stop();
    const leftMs = Math.max(0, untilMs - this.#doors.clock.monotonicMs());
    await Promise.all([upstreamDone, ...Object.values(this.#servers).map((server) => server.close(leftMs))]);
    const closeCallbacksGivenUp = this.#parts.closeCallbacks.pending;
    this.#doors.journal.close();
    return { connectionsClosed, closeCallbacksGivenUp };
  }

  /**
   * The supervisor is gone: nobody is served any more. The journal keeps what is owed, for the next
   * start of the node to tell.
   */
  async supervisorLost(): Promise<void> {
    this.#state = 'lost';
    this.#parts.closeCallbacks.stop();
    this.#parts.receiveCallbacks.stop();
    for (const session of this.#parts.sessions.all()) session.connection?.close(LOST_CODE, 'service restart');
    const upstreamDone = this.#parts.upstream?.drain(LOST_GRACE_MS);
    const servers = Object.values(this.#servers);
    await Promise.all([upstreamDone, ...servers.map((server) => server.close(LOST_GRACE_MS))]);
  }

  #replace(connection: ConnectionId): void {
    const session = this.#parts.sessions.byId(connection);
    if (session === undefined) return;
    this.#parts.sessions.end(session, { reason: 'replaced', code: REPLACED_CODE });
    session.close(REPLACED_CODE, 'replaced');
  }

  /**
   * The others have ended this epoch of the node, and may have taken over what it held: its
   * connections are closed, and whoever comes back belongs to the next epoch.
   */
  epochEnded(): void {
    this.#endAll('node_lost', LOST_CODE, 'service restart');
  }

  #endAll(reason: 'drain' | 'node_lost', code: number, text: string): void {
    for (const session of [...this.#parts.sessions.all()]) {
      this.#parts.sessions.end(session, { reason, code });
      session.close(code, text);
    }
  }

  #listenToSisters(): void {
    const { bus } = this.#doors;
    bus.handle('rebuilt', (from) => {
      this.#parts.completeness.rebuilt(from);
      this.#parts.channels.repeated(from);
      this.#parts.channels.completenessChanged();
    });
    bus.onSisterUp((sister) => {
      this.#parts.directory.repeatTo(sister);
      // Channels are kept in order within one node.
      if (sister.node !== bus.self.node) return;
      this.#parts.channels.repeatTo(sister);
      bus.tell(sister.seat, { kind: 'rebuilt', facts: null, bytes: new Uint8Array(0) });
    });
  }

  #atMost(timeoutMs: number, start: (done: () => void) => void): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.#doors.timers.after(timeoutMs, resolve);
      start(() => {
        timer.cancel();
        resolve();
      });
    });
  }
}
