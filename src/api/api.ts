/**
 * The operator's listener: is the node alive, is it ready, what are its figures, and operations on it.
 *
 * A role; runs in the api worker, so that neither a scrape nor a flood of probes costs the processes
 * that hold clients anything. It knows the node from what the supervisor tells it and from what the
 * gateway workers answer over the bus. `main/` builds it and passes the supervisor's words on.
 */
import {
  type Clock,
  ERRORS,
  type Logger,
  type Meter,
  MODES,
  type Mode,
  type Timers,
  type WorkerSlot,
} from '../base/index.ts';
import type { Bus } from '../bus/index.ts';
import type { LiveConfig } from '../config/index.ts';
import type { HttpHandlers, HttpRequest, HttpResponse, ListenHandle, RawHeaders } from '../net/index.ts';
import { BearerTokens } from '../net/index.ts';
import type {
  Bulletin,
  OperationOutcome,
  ReloadCounts,
  StatsCounters,
  WorkerInit,
  WorkerPlace,
} from '../process/index.ts';
import { Grant, type Granted } from '../relay/index.ts';
import { METRICS_CONTENT_TYPE, type MetricsSnapshot } from '../telemetry/index.ts';
import { ClusterCopy } from './cluster/cluster-copy.ts';
import { type SupervisorCallDoors, SupervisorCalls } from './cluster/supervisor-calls.ts';
import { OperatorFront } from './front/operator-front.ts';
import { MetricsPage } from './metrics-page.ts';
import { GatewayWorkers } from './operations/gateway-workers.ts';
import { handlersWith } from './operations/handlers.ts';
import { unreadyReason } from './readiness.ts';
import { ReloadFigures } from './reload-figures.ts';

/** What this role needs of an HTTP server. */
export interface ApiServer {
  listen(handle: ListenHandle): void;
  stopListening(): void;
  close(timeoutMs: number): Promise<void>;
}

/** Everything the role is given. */
export interface ApiDoors {
  readonly init: WorkerInit;
  readonly live: LiveConfig;
  readonly clock: Clock;
  readonly bus: Bus;
  readonly createServer: (handlers: HttpHandlers) => ApiServer;
  readonly logger: Logger;
  readonly meter: Meter;
  /** Figures of this process, for `/metrics`. */
  readonly snapshot: () => Promise<MetricsSnapshot>;
  readonly timers: Timers;
  /** Has the supervisor do something; `operated` says what became of it. */
  readonly operate: SupervisorCallDoors['send'];
  /** The release that runs here. */
  readonly version: string;
}

/** Where operations are asked for. */
const OPERATIONS_PATH = '/';

type Answer = (request: HttpRequest, response: HttpResponse) => void;

const JSON_HEADERS: RawHeaders = [
  'Content-Type',
  'application/json; charset=utf-8',
  'Cache-Control',
  'no-store',
];

/** The operator's API of one node. */
export class Api {
  readonly #doors: ApiDoors;
  readonly #server: ApiServer;
  readonly #routes: ReadonlyMap<string, Answer>;
  readonly #page: MetricsPage;
  readonly #front: OperatorFront;
  readonly #supervisor: SupervisorCalls;
  readonly #cluster = new ClusterCopy();
  readonly #reloads: ReloadFigures;
  readonly #tokens: BearerTokens;
  readonly #requests: ReturnType<Meter['counter']>;
  #runs: ReadonlyMap<WorkerSlot, number> = new Map();
  readonly #grant = new Grant();
  #granted = false;
  #hung = 0;
  #overloaded: ReadonlySet<WorkerSlot> = new Set();
  #draining = false;

  constructor(doors: ApiDoors) {
    this.#doors = doors;
    const { bus, logger, snapshot } = doors;
    this.#tokens = new BearerTokens(doors.live.current.api.tokens);
    doors.live.onChange(({ api }) => this.#tokens.replace(api.tokens));
    this.#reloads = new ReloadFigures(doors.meter);
    this.#page = new MetricsPage({
      bus,
      logger,
      snapshot,
      workers: doors.init.workers,
      runs: () => this.#runs,
    });
    this.#requests = doors.meter.counter({
      name: 'arrokoth_api_requests_total',
      help: "Requests to the operator's listener, by path and status.",
      labels: ['path', 'status'],
    });
    const hung = {
      name: 'arrokoth_workers_hung_total',
      help: 'Workers that gave no sign of life and were killed, since the start of the node.',
      type: 'counter',
    } as const;
    doors.meter.observed(hung, () => this.#hung);
    const mode = {
      name: 'arrokoth_mode',
      help: 'Which mode the node is in (1); the others are 0.',
      labels: ['mode'],
    } as const;
    doors.meter.observedEach(mode, () => MODES.map((one) => [{ mode: one }, one === this.#mode() ? 1 : 0]));
    this.#supervisor = new SupervisorCalls({ timers: doors.timers, send: doors.operate });
    this.#front = this.#createFront();
    this.#routes = new Map<string, Answer>([
      ['/healthz', (request, response) => this.#answer(request, response, 200, { status: 'ok' })],
      ['/readyz', (request, response) => this.#readyz(request, response)],
      ['/metrics', (request, response) => this.#metrics(request, response)],
    ]);
    this.#server = doors.createServer({ request: (request, response) => this.#route(request, response) });
  }

  /** Accepts on `handle`. */
  listen(handle: ListenHandle): void {
    this.#server.listen(handle);
  }

  /** Accepts no more; requests that are under way are answered. */
  unlisten(): void {
    this.#server.stopListening();
  }

  /** Takes note of the workers that are up; a run is what tells a replacement from its forerunner. */
  peers(peers: readonly WorkerPlace[], _ended: StatsCounters): void {
    const gateways = peers.filter((peer) => peer.kind === 'gateway');
    this.#runs = new Map(gateways.map((peer) => [peer.slot, peer.run]));
  }

  /** Takes note of what the node admits, until the supervisor has been silent for too long. */
  grant(granted: Granted): void {
    this.#granted = true;
    this.#grant.renew(granted, this.#doors.clock.monotonicMs());
  }

  /** Takes note of what the supervisor knows about the workers. */
  health(health: { readonly overloaded: readonly WorkerSlot[]; readonly hung: number }): void {
    this.#hung = health.hung;
    this.#overloaded = new Set(health.overloaded);
  }

  /** Takes note of the reloads of the node. */
  reloads(counts: ReloadCounts): void {
    this.#reloads.tell(counts);
  }

  /** Takes the state of the cluster, whole. */
  cluster(index: number, snapshot: string): void {
    this.#cluster.install(index, snapshot);
  }

  /** Takes what the cluster agreed on since. */
  changes(index: number, changes: readonly unknown[]): void {
    this.#cluster.apply(index, changes);
  }

  /** Takes note of what the nodes tell of themselves. */
  bulletins(self: string, nodes: readonly Bulletin[]): void {
    this.#cluster.hear(self, nodes);
  }

  /** What became of an operation that the supervisor was asked for. */
  operated(id: number, outcome: OperationOutcome): void {
    this.#supervisor.settle(id, outcome);
  }

  /** Says so at `/readyz` on connections that are open, and closes them within `timeoutMs`. */
  drain(timeoutMs: number): Promise<void> {
    this.#draining = true;
    return this.#server.close(timeoutMs);
  }

  #createFront(): OperatorFront {
    const { bus, live, timers, logger, version, init } = this.#doors;
    const cluster = this.#cluster;
    const handlers = handlersWith({
      ...{ version, timers, cluster, supervisor: this.#supervisor },
      workers: new GatewayWorkers({ bus, workers: init.workers }),
      mode: () => this.#mode() ?? 'initial',
      own: () => cluster.own,
      capacity: () => {
        const { limits, cluster: keys } = live.current;
        const wanted = { maxConnections: limits.connectionsMax, maxNodes: keys?.maxNodes ?? 1 };
        return cluster.ownFacts ?? wanted;
      },
    });
    return new OperatorFront({
      ...{ live, timers, logger, handlers },
      ownerElsewhere: (channel) => cluster.ownerElsewhere(channel),
      count: (status) => this.#requests.add(1, { path: OPERATIONS_PATH, status: String(status) }),
    });
  }

  #route(request: HttpRequest, response: HttpResponse): void {
    if (request.path === OPERATIONS_PATH) return this.#operate(request, response);
    const answer = this.#routes.get(request.path);
    if (!this.#tokens.accept(request.header('authorization'))) this.#refuseStranger(request, response);
    else if (answer === undefined) this.#refusePath(request, response);
    else if (request.method !== 'GET' && request.method !== 'HEAD') this.#refuseMethod(request, response);
    else answer(request, response);
  }

  #operate(request: HttpRequest, response: HttpResponse): void {
    const isKnown = this.#tokens.accept(request.header('authorization'));
    if (isKnown || this.#front.isPreflight(request)) this.#front.handle(request, response);
    else this.#refuseStranger(request, response);
  }

  #refuseStranger(request: HttpRequest, response: HttpResponse): void {
    const { meaning, action } = ERRORS.UNAUTHORIZED;
    const body = { error: 'unauthorized', message: `${meaning} ${action}` };
    const challenge = ['WWW-Authenticate', 'Bearer realm="arrokoth operator"'];
    if (request.path !== OPERATIONS_PATH) return this.#answer(request, response, 401, body, challenge);
    this.#count(request, 401);
    response.send(401, [...this.#front.headers, ...challenge], JSON.stringify(body));
  }

  #refusePath(request: HttpRequest, response: HttpResponse): void {
    const paths = [...this.#routes.keys()].join(', ');
    const message = `There is nothing at ${request.path}; ask for ${paths}, or POST to ${OPERATIONS_PATH}.`;
    this.#answer(request, response, 404, { error: 'not_found', message });
  }

  #refuseMethod(request: HttpRequest, response: HttpResponse): void {
    const message = `${request.path} is read with GET, not with ${request.method}.`;
    this.#answer(request, response, 405, { error: 'method_not_allowed', message }, ['Allow', 'GET, HEAD']);
  }

  #readyz(request: HttpRequest, response: HttpResponse): void {
    const reason = unreadyReason({
      draining: this.#draining,
      mode: this.#mode(),
      workers: this.#doors.init.workers,
      slotsUp: new Set(this.#runs.keys()),
      overloaded: this.#overloaded,
    });
    const overloaded = [...this.#overloaded].sort().map((slot) => `gateway/${slot}`);
    const ready = overloaded.length === 0 ? { status: 'ready' } : { status: 'ready', overloaded };
    if (reason === null) this.#answer(request, response, 200, ready);
    else this.#answer(request, response, 503, { status: 'not_ready', reason });
  }

  #metrics(request: HttpRequest, response: HttpResponse): void {
    this.#page.text().then(
      (text) => {
        this.#count(request, 200);
        response.send(200, ['Content-Type', METRICS_CONTENT_TYPE, 'Cache-Control', 'no-store'], text);
      },
      (failure: unknown) => {
        this.#doors.logger.error({ failure }, 'the metrics could not be rendered');
        const message = 'The metrics could not be rendered; the log says why.';
        this.#answer(request, response, 500, { error: 'internal', message });
      },
    );
  }

  #answer(
    request: HttpRequest,
    response: HttpResponse,
    status: number,
    body: object,
    headers: RawHeaders = [],
  ): void {
    this.#count(request, status);
    response.send(status, [...JSON_HEADERS, ...headers], `${JSON.stringify(body)}\n`);
  }

  /** Null before the supervisor said anything. */
  #mode(): Mode | null {
    const { clock, live } = this.#doors;
    return this.#granted ? this.#grant.at(clock.monotonicMs(), live.current.isolationTimeoutMs).mode : null;
  }

  #count(request: HttpRequest, status: number): void {
    // Strangers choose paths; only ours may become label values.
    const isOurs = this.#routes.has(request.path) || request.path === OPERATIONS_PATH;
    const path = isOurs ? request.path : 'other';
    this.#requests.add(1, { path, status: String(status) });
  }
}
