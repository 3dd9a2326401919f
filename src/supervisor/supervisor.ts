/**
 * The life of one node: binds its listeners, keeps its workers running, stops them in order.
 *
 * It touches no client bytes and waits for nobody (law 1): everything here is the reaction to a
 * message, an exit, a timer or a signal. Which worker runs where is kept in `process-table.ts`, who
 * accepts in `listeners.ts`; `main/` builds the doors and turns the end of it into an exit code.
 */
import { ArrokothError, type Cancellable, type Result } from '../base/index.ts';
import type { Config } from '../config/index.ts';
import type {
  FromWorker,
  ListenerName,
  ReloadReport,
  StatsCounters,
  ToWorker,
  WatchOrder,
  WatchReport,
  WorkerExit,
  WorkerKind,
  WorkerPlace,
} from '../process/index.ts';
import { NodeCluster } from './cluster/node-cluster.ts';
import type { StartedNode, StopCause, SupervisorDoors } from './doors.ts';
import { Drain, killLate } from './drain.ts';
import { defaultEndpoint } from './endpoint.ts';
import { Heartbeats } from './heartbeats.ts';
import { Listeners } from './listeners.ts';
import { NodeHealth } from './node-health.ts';
import { ProcessTable, type Seat } from './process-table.ts';
import { Reloading } from './reloading.ts';
import { TicketRotation } from './ticket-rotation.ts';
import { Watches } from './watches.ts';
import { describeWorker, newWorker, type Worker } from './worker.ts';

/** A seat that cannot be filled this often in a row will not be filled by trying again at once. */
const START_ATTEMPTS_MAX = 3;
/** A worker needs a second; reading the journals of a node that held everything it may, ten. */
const START_TIMEOUT_MS = 60_000;
/** How long killed processes may take to be gone before the supervisor ends without them. */
const KILL_WAIT_MS = 1_000;

const NOT_STARTED: StartedNode = { listeners: [] };

const EXIT_CODES: Record<StopCause, number> = { SIGINT: 130, SIGTERM: 143 };

/** Phases follow each other in this order; some are left out when a start fails or a stop is urgent. */
type Phase = 'idle' | 'binding' | 'starting' | 'serving' | 'draining' | 'killing' | 'ended';

const STARTING_OR_SERVING: readonly Phase[] = ['idle', 'binding', 'starting', 'serving'];

/** One node, from `start` to `ended`. */
export class Supervisor {
  /** Resolves with the exit code when no process is left and everything is given back. */
  readonly ended: Promise<number>;
  readonly #doors: SupervisorDoors;
  readonly #table: ProcessTable;
  readonly #listeners: Listeners;
  readonly #reloading: Reloading;
  readonly #watches: Watches;
  readonly #workers = new Set<Worker>();
  readonly #heartbeats: Heartbeats;
  readonly #tickets: TicketRotation;
  readonly #health = new NodeHealth();
  readonly #restarts = new Set<Cancellable>();
  readonly #drain: Drain;
  readonly #cluster: NodeCluster;
  #phase: Phase = 'idle';
  #exitCode = 0;
  #alive: Cancellable | null = null;
  #killWait: Cancellable | null = null;
  #starting: { resolve: (node: StartedNode) => void; reject: (error: Error) => void } | null = null;
  #end: (exitCode: number) => void = () => {};

  constructor(doors: SupervisorDoors) {
    const { config, meshDir } = doors;
    this.#doors = doors;
    this.#table = new ProcessTable({ gateways: config.workers, api: config.api.listen !== null, meshDir });
    this.#listeners = new Listeners(config, doors);
    this.#reloading = new Reloading({
      ...doors,
      workers: () => this.#workers,
      stopping: () => !STARTING_OR_SERVING.includes(this.#phase),
      endpointOf: (changed) => this.#resolveEndpoint(changed),
    });
    this.#watches = new Watches({ ...doors, workers: () => this.#workers });
    this.#cluster = new NodeCluster(
      {
        ...doors,
        ...doors.log,
        cluster: config.cluster,
        isolationTimeoutMs: () => this.#reloading.config.isolationTimeoutMs,
      },
      {
        toWorkers: (message) => this.#tellReady(message),
        grantAll: () => this.#heartbeats.grantAll(),
        connections: () => this.#table.loads().reduce((sum, { connections }) => sum + connections, 0),
      },
    );
    this.#heartbeats = new Heartbeats({
      ...doors,
      grantNow: () => this.#cluster.grant(),
      hangTimeoutMs: () => this.#reloading.config.workerHangTimeoutMs,
      workers: this.#workers,
      hung: (worker, silentMs) => this.#killHung(worker, silentMs),
    });
    this.#tickets = new TicketRotation(doors, this.#workers);
    this.#drain = new Drain({
      ...doors,
      workers: this.#workers,
      closeListeners: (...names) => this.#listeners.close(...names),
      done: () => void this.#finish(0),
    });
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
  }

  /** Resolves when all workers accept on all listeners; rejects when the node cannot start. */
  async start(): Promise<StartedNode> {
    if (this.#phase !== 'idle') return NOT_STARTED;
    this.#phase = 'binding';
    this.#alive = this.#doors.keepAlive();
    try {
      await this.#listeners.bind();
      await this.#cluster.openPort();
    } catch (error) {
      await this.#finish(1);
      throw error;
    }
    if (this.#phase !== 'binding') {
      await this.#finish(this.#exitCode);
      return NOT_STARTED;
    }
    this.#phase = 'starting';
    this.#heartbeats.start();
    this.#tickets.start();
    return new Promise((resolve, reject) => {
      this.#starting = { resolve, reject };
      for (const seat of this.#table.seats) this.#fill(seat);
      // While the workers start; a log takes its time to be opened, and nobody waits for it.
      this.#cluster.start();
    });
  }

  /** The first call drains the node, the second one kills it. */
  stop(cause: StopCause): void {
    if (this.#phase === 'ended') return;
    this.#doors.logger.info({ cause, phase: this.#step }, 'stop requested');
    if (this.#phase === 'idle') void this.#finish(0);
    // Binding cannot be broken off, and nothing else has begun: `start` sees that it is unwanted.
    else if (this.#phase === 'binding') this.#phase = 'killing';
    else if (this.#phase === 'starting' || this.#phase === 'serving') this.#beginDrain();
    else this.#killAll(EXIT_CODES[cause]);
  }

  /** Reads the configuration again and has all workers act on it; the report says what came of it. */
  reload(): Promise<ReloadReport> {
    return this.#reloading.request();
  }

  /** Begins or ends a watch of a session key on all workers, and on those that are started meanwhile. */
  watch(order: WatchOrder): Result<WatchReport, string> {
    return this.#watches.order(order);
  }

  /** What the node is doing, and the workers that are ready. */
  status(): { readonly phase: string; readonly workers: readonly WorkerPlace[] } {
    return { phase: this.#step, workers: this.#table.peers() };
  }

  /** The phase, and of a drain how far it has come. */
  get #step(): string {
    return this.#drain.stage ?? this.#phase;
  }

  #resolveEndpoint(config: Config): string {
    const { hostname } = this.#doors;
    if (config.endpoint !== null) return config.endpoint;
    const ofPublic = config.sock === null ? { host: config.host, port: config.port } : null;
    return defaultEndpoint({
      listen: config.app.listen ?? ofPublic,
      port: this.#listeners.port(config.app.listen === null ? 'public' : 'app'),
      configuredPort: config.port,
      nodeName: config.node.name,
      hostname,
    });
  }

  #fill(seat: Seat): void {
    const place = this.#table.begin(seat, this.#doors.clock.monotonicMs());
    const process = this.#doors.spawn(seat.kind);
    const tooLate = this.#doors.timers.after(START_TIMEOUT_MS, () =>
      killLate(worker, this.#doors.logger, { phase: this.#step }),
    );
    const worker = newWorker({ place, process, tooLate });
    this.#workers.add(worker);
    process.onMessage((message) => this.#heard(worker, message));
    process.onExit((exit) => this.#exited(worker, exit));
    const { nodeName, bootId, dataDir, journalsOf, tls } = this.#doors;
    const { config } = this.#reloading;
    process.send({
      type: 'init',
      kind: place.kind,
      slot: place.slot,
      run: place.run,
      config,
      nodeName,
      bootId,
      workers: config.workers,
      endpoint: this.#resolveEndpoint(config),
      dataDir,
      meshPath: place.meshPath,
      adoptJournals: place.kind === 'gateway' ? journalsOf(place.slot) : [],
      tls: tls?.forWorker() ?? null,
    });
  }

  #heard(worker: Worker, message: FromWorker): void {
    this.#heartbeats.heard(worker);
    if (message.type === 'alive') this.#heartbeats.answered(worker);
    else if (message.type === 'ready') this.#becameReady(worker);
    else if (message.type === 'listening') this.#listens(worker, message.listener);
    else if (message.type === 'overload') this.#overloaded(worker, message.overloaded);
    else if (message.type === 'load') this.#loaded(worker, message.stats);
    else if (message.type === 'reloaded') this.#reloading.answered(worker, message.generation);
    else if (message.type === 'drained') this.#drain.drained(message);
    else if (message.type === 'gave_back') this.#listeners.giveAgain(worker, message.listener);
    else if (message.type === 'operate') this.#cluster.operate(message, (done) => worker.process.send(done));
    else {
      worker.fatal = message.message;
      this.#doors.logger.error({ ...describeWorker(worker), reason: message.message }, 'worker cannot go on');
    }
  }

  #becameReady(worker: Worker): void {
    // A worker that was still starting when the stop came has been killed already.
    if (this.#phase !== 'starting' && this.#phase !== 'serving') return;
    worker.ready = true;
    worker.tooLate.cancel();
    this.#table.ready(worker.place);
    this.#doors.logger.info(describeWorker(worker), 'worker ready');
    for (const greeting of this.#cluster.greetings()) worker.process.send(greeting);
    this.#heartbeats.grant(worker);
    this.#health.tell(this.#workers);
    this.#reloading.tellCounts(worker);
    this.#watches.tell(worker);
    this.#broadcastPeers();
    // At first everybody waits for the last one, so that the first clients find the whole node.
    if (this.#phase === 'starting' && !this.#table.complete) return;
    for (const one of this.#workers) if (one.ready && one.given.size === 0) this.#listeners.give(one);
    this.#balance();
  }

  #listens(worker: Worker, listener: ListenerName): void {
    if (worker.given.has(listener)) worker.listening.add(listener);
    if (this.#phase !== 'starting' || !this.#table.complete) return;
    if (![...this.#workers].every((one) => this.#listeners.served(one))) return;
    this.#phase = 'serving';
    const listeners = this.#listeners.addresses();
    for (const { listener: name, address } of listeners) {
      this.#doors.logger.info({ listener: name, address }, 'listening');
    }
    this.#doors.logger.info({ workers: this.#doors.config.workers }, 'node ready');
    this.#starting?.resolve({ listeners });
    this.#starting = null;
  }

  #overloaded(worker: Worker, overloaded: boolean): void {
    worker.overloaded = overloaded;
    this.#health.tell(this.#workers);
  }

  #loaded(worker: Worker, stats: StatsCounters): void {
    this.#table.load(worker.place, stats);
    this.#balance();
  }

  #balance(): void {
    if (this.#phase !== 'serving') return;
    const gateways = this.#ofKind('gateway').filter((worker) => worker.ready);
    if (gateways.length > 0) this.#listeners.balance(gateways, this.#table.loads());
  }

  #exited(worker: Worker, exit: WorkerExit): void {
    this.#workers.delete(worker);
    this.#reloading.ended(worker);
    worker.tooLate.cancel();
    const end = this.#table.end(worker.place, this.#doors.clock.monotonicMs());
    const fields = { ...describeWorker(worker), code: exit.code, signal: exit.signal };
    this.#broadcastPeers();
    if (worker.overloaded) this.#health.tell(this.#workers);
    if (this.#phase === 'starting' || this.#phase === 'serving') {
      this.#doors.logger.error({ ...fields, restartAfterMs: end.restartAfterMs }, 'worker ended');
      if (this.#phase === 'starting' && end.failuresInARow >= START_ATTEMPTS_MAX) {
        this.#giveUp(worker, exit, end.failuresInARow);
        return;
      }
      // Those who stepped back may be the only ones left.
      this.#balance();
      this.#refillLater(worker.place, end.restartAfterMs);
      return;
    }
    this.#doors.logger.info(fields, 'worker ended');
    if (this.#phase === 'killing' && this.#workers.size === 0) void this.#finish(this.#exitCode);
    else this.#drain.workerEnded();
  }

  #refillLater(seat: Seat, delayMs: number): void {
    const restart = this.#doors.timers.after(delayMs, () => {
      this.#restarts.delete(restart);
      this.#fill(seat);
    });
    this.#restarts.add(restart);
  }

  #giveUp(worker: Worker, exit: WorkerExit, attempts: number): void {
    const how = exit.signal ?? (exit.code === null ? 'no process' : `code ${exit.code}`);
    const why = worker.fatal === null ? '' : `: ${worker.fatal}`;
    const { kind, slot } = worker.place;
    const details = `The ${kind} worker ${slot} ended ${attempts} times in a row, at last with ${how}${why}.`;
    this.#starting?.reject(new ArrokothError('WORKER_START_FAILED', details));
    this.#starting = null;
    this.#killAll(1);
  }

  #beginDrain(): void {
    this.#phase = 'draining';
    this.#cancelRestarts();
    this.#drain.begin(this.#reloading.config.drain.timeoutMs);
  }

  /** It holds clients that it does nothing for; its journal tells the application of them. */
  #killHung(worker: Worker, silentMs: number): void {
    // A drain has a bound of its own.
    if (this.#phase !== 'starting' && this.#phase !== 'serving') return;
    const silence = { code: 'WORKER_HUNG', silentMs: Math.round(silentMs) };
    this.#doors.logger.error(
      { ...describeWorker(worker), ...silence },
      'worker gives no sign of life and is killed',
    );
    this.#health.workerHung();
    this.#health.tell(this.#workers);
    worker.process.kill();
  }

  #killAll(exitCode: number): void {
    this.#phase = 'killing';
    this.#exitCode = exitCode;
    this.#cancelRestarts();
    this.#listeners.close();
    for (const worker of this.#workers) worker.process.kill();
    this.#drain.giveUp();
    if (this.#workers.size === 0) void this.#finish(exitCode);
    else this.#killWait = this.#doors.timers.after(KILL_WAIT_MS, () => void this.#finish(exitCode));
  }

  async #finish(exitCode: number): Promise<void> {
    if (this.#phase === 'ended') return;
    this.#phase = 'ended';
    this.#heartbeats.stop();
    this.#tickets.stop();
    this.#drain.giveUp();
    this.#killWait?.cancel();
    this.#cancelRestarts();
    this.#listeners.close();
    try {
      await this.#cluster.stop(exitCode === 0);
      await this.#doors.release();
    } catch (error) {
      this.#doors.logger.error({ error }, 'what this start had taken could not be given back');
    }
    this.#doors.logger.info({ ...this.#drain.report }, 'node stopped');
    this.#starting?.resolve(NOT_STARTED);
    this.#starting = null;
    this.#alive?.cancel();
    this.#end(exitCode);
  }

  #cancelRestarts(): void {
    for (const restart of this.#restarts) restart.cancel();
    this.#restarts.clear();
  }

  #broadcastPeers(): void {
    this.#tellReady({ type: 'peers', peers: this.#table.peers(), ended: this.#table.ended });
  }

  #tellReady(message: ToWorker): void {
    for (const worker of this.#workers) if (worker.ready) worker.process.send(message);
  }

  #ofKind(kind: WorkerKind): Worker[] {
    return [...this.#workers].filter((worker) => worker.place.kind === kind);
  }
}
