/**
 * The gateway workers of one node, with everything around them in the test's hands.
 *
 * Plays the supervisor (grants, peers, replacements that adopt journals), the network between the
 * workers, the application and all clients. Nothing happens by itself: `settle` lets everything
 * that is under way arrive, `advance` lets time pass.
 */
import {
  type Cancellable,
  hash32,
  type Meter,
  type Mode,
  seatOf,
  type Timers,
  type WorkerSlot,
  workerAddress,
} from '../../src/base/index.ts';
import { type Config, LiveConfig, parseConfig } from '../../src/config/index.ts';
import { Gateway } from '../../src/gateway/index.ts';
import { addStats, NO_STATS, type StatsCounters, type WorkerPlace } from '../../src/process/index.ts';
import type { Granted, Vitals } from '../../src/relay/index.ts';
import { CollectedLog } from './collected-log.ts';
import { type AppAnswer, type AppCall, FakeApplication } from './fake-application.ts';
import { type FakeConnection, type FakeResponse, FakeServer, FakeUpgrade } from './fake-net.ts';
import { FakeRandom } from './fake-random.ts';
import { FakeTime } from './fake-time.ts';
import { LoopNetwork } from './loop-bus.ts';
import { MemoryJournal } from './memory-journal.ts';
import { NODE } from './worker-names.ts';

/** Timers that end with their process. */
class MortalTimers implements Timers {
  readonly #time: FakeTime;
  dead = false;

  constructor(time: FakeTime) {
    this.#time = time;
  }

  after(delayMs: number, run: () => void): Cancellable {
    return this.#time.after(delayMs, () => this.#alive(run));
  }

  every(periodMs: number, run: () => void): Cancellable {
    return this.#time.every(periodMs, () => this.#alive(run));
  }

  endOfTurn(run: () => void): void {
    this.#time.endOfTurn(() => this.#alive(run));
  }

  #alive(run: () => void): void {
    if (!this.dead) run();
  }
}

/** One run of one worker. */
export interface FakeGatewayWorker {
  readonly slot: WorkerSlot;
  readonly run: number;
  readonly gateway: Gateway;
  readonly live: LiveConfig;
  readonly journal: MemoryJournal;
  readonly timers: MortalTimers;
  /** The public listener, and the application's. */
  readonly servers: readonly [FakeServer, FakeServer];
}

/** How a node of a test differs from the ordinary one. */
export interface FakeGatewaysOptions {
  readonly workers?: number;
  /** Lines of a configuration file. */
  readonly keys?: string;
  /** Further keys of `callback`, in one line. */
  readonly callbackKeys?: string;
  /** Callbacks besides connect and close. */
  readonly callbacks?: readonly ('establish' | 'receive')[];
  readonly closeCallback?: boolean;
  /** Another name than the usual one. */
  readonly node?: string;
  /** A node of the same cluster: time, network and application are shared with it. */
  readonly beside?: FakeGateways;
  /** Part of a cluster; its epoch in it. */
  readonly epoch?: number;
  /** No grant and no peers yet: the supervisor has not spoken. */
  readonly silent?: boolean;
}

/** Targets of a call of the application. */
export interface CallTargets {
  readonly sessions?: readonly string[];
  readonly channels?: readonly string[];
}

const NO_METER: Meter = {
  counter: () => ({ add: () => {} }),
  histogram: () => ({ observe: () => {} }),
  observed: () => {},
  observedEach: () => {},
};
const SLICE_MS = 25;

/** A grant of a node in contact with the majority. */
export function granted(mode: Mode): Granted {
  return { mode, isolated: false, contactAgeMs: 0 };
}

/** A node's gateway workers. */
export class FakeGateways {
  readonly time: FakeTime;
  readonly network: LoopNetwork;
  readonly app: FakeApplication;
  readonly node: string;
  readonly epoch: number | null;
  readonly log = new CollectedLog();
  readonly config: Config;
  /** What every worker finds when it looks at itself. */
  vitals: Vitals = { lagMs: 0, heapBytes: 0, heapBytesMax: 1_000, descriptors: 0, descriptorsMax: 1_000 };
  /** Whether grants are renewed as time passes. */
  granting = true;
  /** What they grant. */
  granted = granted('normal');
  readonly #workers = new Map<WorkerSlot, FakeGatewayWorker>();
  readonly #runs: number[];
  readonly random: FakeRandom;
  #ended: StatsCounters = NO_STATS;
  readonly #left = new Map<WorkerSlot, MemoryJournal>();

  constructor({
    workers = 1,
    keys = '',
    callbackKeys = '',
    callbacks = [],
    closeCallback = true,
    silent = false,
    node = NODE,
    epoch,
    beside,
  }: FakeGatewaysOptions = {}) {
    this.time = beside?.time ?? new FakeTime();
    this.network = beside?.network ?? new LoopNetwork(this.time);
    this.app = beside?.app ?? new FakeApplication();
    // Ids are different on all nodes.
    this.random = beside?.random ?? new FakeRandom(1);
    this.node = node;
    this.epoch = epoch ?? null;
    const wanted = ['connect', ...(closeCallback ? ['close'] : []), ...callbacks];
    const urls = wanted.map((name) => `${name}: "http://app.test/${name}"`);
    const callback = [...urls, callbackKeys].join(', ');
    const text = `host: 127.0.0.1\nworkers: ${workers}\ncallback: { ${callback} }\n${keys}`;
    const parsed = parseConfig({ text, path: 'test.yml', env: {} });
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.error));
    this.config = parsed.value.config;
    this.app.answers = answerByQuery;
    this.#runs = new Array(workers).fill(0);
    for (let slot = 0; slot < workers; slot++) this.#start(slot);
    if (silent) return;
    this.tellPeers();
    this.renewGrants();
    this.settle();
  }

  worker(slot: WorkerSlot = 0): FakeGatewayWorker {
    const worker = this.#workers.get(slot);
    if (worker === undefined) throw new Error(`nobody is in slot ${slot}`);
    return worker;
  }

  get living(): FakeGatewayWorker[] {
    return [...this.#workers.values()];
  }

  /** Lets everything arrive that is under way. */
  settle(): void {
    do this.time.endTurn();
    while (this.network.step() || this.app.step());
  }

  /** Lets time pass, and everything arrive meanwhile. */
  advance(byMs: number): void {
    for (let leftMs = byMs; leftMs > 0; leftMs -= SLICE_MS) {
      if (this.granting) this.renewGrants();
      this.time.advance(Math.min(SLICE_MS, leftMs));
      this.settle();
    }
  }

  /** A client asks for a WebSocket; the query tells the application what to answer. */
  ask(query: string, slot: WorkerSlot = 0, headers: readonly string[] = []): FakeUpgrade {
    const upgrade = this.worker(slot).servers[0].upgrade(new FakeUpgrade({ query, headers }));
    // The journal has the question at the end of the turn; only then is the application asked.
    this.time.endTurn();
    return upgrade;
  }

  /** A client connects and is admitted. */
  connect(query: string, slot: WorkerSlot = 0): FakeConnection {
    const upgrade = this.ask(query, slot);
    this.settle();
    if (upgrade.connection === null) throw new Error(`not admitted: ${JSON.stringify(upgrade.refused)}`);
    return upgrade.connection;
  }

  /** A call of the application, on its way. */
  post(path: string, targets: CallTargets, body = '', slot: WorkerSlot = 0): FakeResponse {
    const headers = [
      ...(targets.sessions ?? []).flatMap((session) => ['X-Kuiperbelt-Session', session]),
      ...(targets.channels ?? []).flatMap((channel) => ['X-Kuiperbelt-Channel', channel]),
    ];
    return this.worker(slot).servers[0].request({ method: 'POST', path, headers, body });
  }

  /** A call of the application that has been answered; answers its body as JSON. */
  call(path: string, targets: CallTargets, body = '', slot: WorkerSlot = 0): Record<string, unknown> {
    const response = this.post(path, targets, body, slot);
    this.settle();
    if (response.answer === null) throw new Error(`${path} was not answered`);
    return JSON.parse(response.answer.body);
  }

  /** A session key or channel name whose home or owner is in `slot`. */
  nameAt(slot: WorkerSlot, prefix: string): string {
    for (let number = 0; ; number++) {
      const name = `${prefix}${number}`;
      if (hash32(name) % this.config.workers === slot) return name;
    }
  }

  /** Kills a worker; the supervisor has not noticed. */
  kill(slot: WorkerSlot): FakeGatewayWorker {
    const worker = this.worker(slot);
    this.#ended = addStats(this.#ended, { ...worker.gateway.stats(), connections: 0, closingConnections: 0 });
    worker.timers.dead = true;
    this.app.bury(this.#asker(slot, worker.run));
    this.network.down(seatOf(this.node, slot));
    this.#workers.delete(slot);
    this.#left.set(slot, worker.journal);
    return worker;
  }

  /** Starts the replacement of a killed worker; the others have not heard of it. */
  replace(slot: WorkerSlot): FakeGatewayWorker {
    const worker = this.#start(slot);
    worker.gateway.grant(this.granted);
    return worker;
  }

  /** Kills a worker and replaces it, and everybody is told of both. */
  restart(slot: WorkerSlot): FakeGatewayWorker {
    this.kill(slot);
    this.tellPeers();
    const worker = this.replace(slot);
    this.tellPeers();
    return worker;
  }

  /** The supervisor tells everybody, or those slots alone, who lives. */
  tellPeers(slots: readonly WorkerSlot[] = [...this.#workers.keys()]): void {
    const tell = this.news();
    for (const slot of slots) tell(this.worker(slot));
  }

  /** What the supervisor knows now about who lives, to be told to one worker after another. */
  news(): (worker: FakeGatewayWorker) => void {
    const places = this.living.map(({ slot, run }): WorkerPlace => {
      return { kind: 'gateway', slot, run, meshPath: `/mesh/${slot}.${run}` };
    });
    const ended = this.#ended;
    return ({ gateway }) => gateway.peers(places, ended);
  }

  /** The operator orders a mode, and every worker has heard of it. */
  changeMode(mode: Mode): void {
    this.granted = granted(mode);
    this.renewGrants();
  }

  /** All that are alive may go on admitting. */
  renewGrants(): void {
    for (const { gateway } of this.living) gateway.grant(this.granted);
  }

  /** How the application tells workers apart. */
  #asker(slot: WorkerSlot, run: number): string {
    return this.node === NODE ? `${slot}.${run}` : `${slot}.${run} of ${this.node}`;
  }

  #start(slot: WorkerSlot): FakeGatewayWorker {
    const run = (this.#runs[slot] as number) + 1;
    this.#runs[slot] = run;
    const address = workerAddress({ node: this.node, epoch: this.epoch ?? 0, slot, run });
    const timers = new MortalTimers(this.time);
    const owed = this.#left.get(slot)?.owed() ?? [];
    const journal = new MemoryJournal(timers, owed);
    const servers: FakeServer[] = [];
    const live = new LiveConfig({ ...this.config, endpoint: '127.0.0.1:9180' });
    const gateway = new Gateway({
      init: {
        type: 'init',
        kind: 'gateway',
        slot,
        run,
        config: this.config,
        nodeName: this.node,
        bootId: 'boot',
        workers: this.config.workers,
        endpoint: '127.0.0.1:9180',
        dataDir: '/data',
        meshPath: `/mesh/${slot}.${run}`,
        adoptJournals: [],
        tls: null,
      },
      live,
      clock: this.time,
      timers,
      random: this.random,
      logger: this.log.child({ worker: `${slot}.${run}` }),
      meter: NO_METER,
      bus: this.network.bus(address),
      clustered: this.epoch !== null,
      journal,
      owed,
      createServer: (handlers) => {
        const server = new FakeServer(handlers);
        servers.push(server);
        return server.door;
      },
      httpClient: this.app.client(this.#asker(slot, run)),
      vitals: () => this.vitals,
    });
    const worker = {
      slot,
      run,
      gateway,
      live,
      journal,
      timers,
      servers: servers as [FakeServer, FakeServer],
    };
    this.#workers.set(slot, worker);
    this.network.up(address);
    return worker;
  }
}

/**
 * Says yes to everything. A connect callback's query names the session and what goes with it:
 * `key=alice&channel=lobby&hello=hi`, or `status=403`.
 */
export function answerByQuery(call: AppCall): AppAnswer {
  if (call.path !== '/connect') return { status: 200 };
  const query = new URL(call.call.url).searchParams;
  const channels = query.getAll('channel').flatMap((channel) => ['X-Kuiperbelt-Channel', channel]);
  return {
    status: Number(query.get('status') ?? 200),
    headers: ['X-Kuiperbelt-Session', query.get('key') ?? '', ...channels],
    body: query.get('hello') ?? '',
  };
}
