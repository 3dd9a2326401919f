/**
 * One gateway worker: the role that joins rules to adapters and keeps the connections.
 *
 * Puts the parts together, routes requests to them, and stops them in order. What it stands on
 * (server, client, bus, journal, clocks) comes in through its doors; `main/` builds those.
 */
import { closedEventId, IdSource, LIMITS } from '../base/index.ts';
import type { HttpServer, ListenHandle } from '../net/index.ts';
import type { ListenerName, Mode, StatsCounters, WorkerPlace } from '../process/index.ts';
import { type CloseReason, Completeness, closeCallback, Grant, receiveCallback } from '../relay/index.ts';
import { Admission } from './admission.ts';
import { ApplicationApi } from './application-api.ts';
import { CloseCallbacks } from './close-callbacks.ts';
import type { GatewayDoors } from './doors.ts';
import { GatewayStats } from './gateway-stats.ts';
import { HttpFront } from './http-front.ts';
import { KeyDelivery } from './key-delivery.ts';
import { NodeChannels } from './node-channels.ts';
import { NodeDirectory } from './node-directory.ts';
import { NodeStats } from './node-stats.ts';
import { ReceiveCallbacks } from './receive-callbacks.ts';
import { SessionActions } from './session-actions.ts';
import { Sessions } from './sessions.ts';

/** What a drain came to. */
export interface DrainReport {
  readonly connectionsClosed: number;
  /** Close callbacks without an answer; they stay in the journal. */
  readonly closeCallbacksGivenUp: number;
}

type GatewayListener = Extract<ListenerName, 'public' | 'app'>;

/** How long clients of a lost supervisor are given to take their close frames. */
const LOST_GRACE_MS = 2_000;
const DRAIN_CODE = 1001;
const LOST_CODE = 1012;
const REPLACED_CODE = 4409;

/** Holds connections for a plain-HTTP application. */
export class Gateway {
  readonly #doors: GatewayDoors;
  readonly #grant: Grant;
  readonly #completeness = new Completeness();
  readonly #sessions = new Sessions();
  readonly #stats: GatewayStats;
  readonly #nodeStats: NodeStats;
  readonly #directory: NodeDirectory;
  readonly #channels: NodeChannels;
  readonly #closeCallbacks: CloseCallbacks;
  readonly #admission: Admission;
  readonly #servers: Readonly<Record<GatewayListener, HttpServer>>;
  #sisters: readonly WorkerPlace[] = [];
  #onStats: () => void = () => {};
  #state: 'serving' | 'draining' | 'lost' = 'serving';

  constructor(doors: GatewayDoors) {
    this.#doors = doors;
    const { init, clock, timers, random, logger, meter, bus, journal, httpClient } = doors;
    const { config, workers } = init;
    const { callback, limits } = config;
    this.#grant = new Grant(config.isolationTimeoutMs);
    this.#stats = new GatewayStats(meter);
    this.#nodeStats = new NodeStats({ bus, own: () => this.#stats.counters() });
    const settings = { ...config, endpoint: init.endpoint };
    const ids = new IdSource({ clock, random });
    const timeoutMs = callback.timeoutMs || LIMITS.callbackTimeoutMaxMs;
    const actions = new SessionActions({
      config,
      stats: this.#stats,
      sessions: this.#sessions,
      channels: () => this.#channels,
    });
    this.#directory = new NodeDirectory({
      bus,
      clock,
      workers,
      completeness: this.#completeness,
      onReplaced: (connection) => this.#replace(connection),
      registered: () => this.#sessions.registered(),
    });
    this.#channels = new NodeChannels({
      bus,
      clock,
      timers,
      workers,
      completeness: this.#completeness,
      deliver: (members, message) => actions.deliverToMembers(members, message),
    });
    this.#closeCallbacks = new CloseCallbacks({
      clock,
      timers,
      random,
      logger,
      meter,
      journal,
      httpClient,
      callback,
      request: (event) =>
        closeCallback(settings, {
          connectionId: event.connection,
          eventId: closedEventId(event.connection),
          key: event.key,
          reason: event.reason,
          closeCode: event.code,
          requestId: ids.next(),
        }),
    });
    const receiveCallbacks = new ReceiveCallbacks({
      logger,
      meter,
      httpClient,
      callback,
      limits,
      timeoutMs,
      request: (session, message) =>
        receiveCallback(settings, {
          connectionId: session.id,
          key: session.key,
          requestId: ids.next(),
          ...message,
        }),
    });
    this.#sessions.connect({
      journal,
      stats: this.#stats,
      directory: this.#directory,
      channels: this.#channels,
      closeCallbacks: this.#closeCallbacks,
      receiveCallbacks,
    });
    this.#stats.watch(
      () => this.#closeCallbacks.pending,
      () => this.#onStats(),
    );
    this.#admission = new Admission({
      config,
      settings,
      clock,
      logger,
      ids,
      journal,
      httpClient,
      stats: this.#stats,
      sessions: this.#sessions,
      directory: this.#directory,
      channels: this.#channels,
      receiveCallbacks,
      timeoutMs,
      refusal: () => this.#refusal(),
    });
    const keys = new KeyDelivery({
      bus,
      clock,
      workers,
      directory: this.#directory,
      perform: (key, action, bytes, done) => actions.perform(key, action, bytes, done),
    });
    const front = new HttpFront({
      config,
      clock,
      logger,
      admission: this.#admission,
      api: new ApplicationApi({ config, keys, channels: this.#channels }),
      stats: this.#stats,
      nodeStats: this.#nodeStats,
    });
    this.#servers = {
      public: doors.createServer(front.handlers('public')),
      app: doors.createServer(front.handlers('app')),
    };
    this.#listenToSisters();
    for (const { connection, key, reason, code } of doors.owed) {
      this.#closeCallbacks.add({ connection, key, reason: reason as CloseReason, code });
    }
  }

  listen(listener: GatewayListener, handle: ListenHandle): void {
    if (this.#state === 'serving') this.#servers[listener].listen(handle);
  }

  unlisten(listener: GatewayListener): void {
    this.#servers[listener].stopListening();
  }

  grant(mode: Mode, contactAgeMs: number): void {
    this.#grant.renew(mode, contactAgeMs, this.#doors.clock.monotonicMs());
  }

  /** The gateway workers that live now, and the sum of those that ended. */
  peers(peers: readonly WorkerPlace[], ended: StatsCounters): void {
    const { self } = this.#doors.bus;
    const sisters = peers.filter(({ kind, slot }) => kind === 'gateway' && slot !== self.slot);
    for (const old of this.#sisters) {
      if (sisters.some(({ slot, run }) => slot === old.slot && run === old.run)) continue;
      this.#directory.dropRun(old);
      this.#channels.dropSlot(old.slot);
    }
    this.#sisters = sisters;
    this.#completeness.sisters(sisters);
    this.#nodeStats.peers(sisters, ended);
    this.#channels.completenessChanged();
  }

  stats(): StatsCounters {
    return this.#stats.counters();
  }

  /** `listener` is called whenever a counter has changed. */
  onStats(listener: () => void): void {
    this.#onStats = listener;
  }

  /** Admits nobody any more, closes everybody with 1001, and waits for the application's answers. */
  async drain(timeoutMs: number): Promise<DrainReport> {
    this.#state = 'draining';
    const untilMs = this.#doors.clock.monotonicMs() + timeoutMs;
    for (const server of Object.values(this.#servers)) server.stopListening();
    const connectionsClosed = this.#sessions.size;
    this.#endAll('drain', DRAIN_CODE, 'going away');
    await this.#atMost(timeoutMs, (done) => {
      // An application may be answering a connect right now, and its yes is owed an end as well.
      this.#admission.whenIdle(() => this.#closeCallbacks.whenIdle(done));
    });
    const closeCallbacksGivenUp = this.#closeCallbacks.pending;
    const leftMs = Math.max(0, untilMs - this.#doors.clock.monotonicMs());
    await Promise.all(Object.values(this.#servers).map((server) => server.close(leftMs)));
    this.#doors.journal.close();
    return { connectionsClosed, closeCallbacksGivenUp };
  }

  /**
   * The supervisor is gone: nobody is served any more. The journal keeps what is owed, for the next
   * start of the node to tell.
   */
  async supervisorLost(): Promise<void> {
    this.#state = 'lost';
    for (const session of this.#sessions.all()) session.connection?.close(LOST_CODE, 'service restart');
    await Promise.all(Object.values(this.#servers).map((server) => server.close(LOST_GRACE_MS)));
  }

  #refusal(): string | null {
    if (this.#state !== 'serving') return 'the node is stopping';
    const mode = this.#grant.modeAt(this.#doors.clock.monotonicMs());
    return mode === 'normal' ? null : `the node is in mode ${mode}`;
  }

  #replace(connection: Parameters<Sessions['byId']>[0]): void {
    const session = this.#sessions.byId(connection);
    if (session === undefined) return;
    this.#sessions.end(session, { reason: 'replaced', code: REPLACED_CODE });
    session.close(REPLACED_CODE, 'replaced');
  }

  #endAll(reason: 'drain', code: number, text: string): void {
    for (const session of [...this.#sessions.all()]) {
      this.#sessions.end(session, { reason, code });
      session.close(code, text);
    }
  }

  #listenToSisters(): void {
    const { bus } = this.#doors;
    bus.handle('rebuilt', (from) => {
      this.#completeness.rebuilt(from);
      this.#channels.completenessChanged();
    });
    bus.onSisterUp((sister) => {
      this.#directory.repeatTo(sister);
      this.#channels.repeatTo(sister);
      bus.tell(sister.slot, { kind: 'rebuilt', facts: null, bytes: new Uint8Array(0) });
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
