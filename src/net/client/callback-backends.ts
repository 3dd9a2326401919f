/**
 * The backends of callbacks: which of them a call goes to, and what is known of each.
 *
 * A backend is a scheme, host and port. Callbacks that name the same one share what is known of it,
 * whatever their paths. The rule is `relay/backends.ts`; here it gets a clock, figures and a voice.
 * A callback with one URL never comes here. `http-client.ts` asks, `backend-checks.ts` tells.
 */
import {
  type Clock,
  failed,
  type Labels,
  type Logger,
  type Meter,
  type Random,
  type Result,
} from '../../base/index.ts';
import {
  type BackendRules,
  type BackendState,
  Backends,
  type BackendView,
  type BackendVisit,
} from '../../relay/index.ts';
import type { HttpAnswer, HttpCall, HttpFailure } from '../types.ts';

/** The lists of backends of the four callbacks; null: the callback is not made. */
export type CallbackUrls = Readonly<
  Record<'connect' | 'establish' | 'receive' | 'close', readonly string[] | null>
>;

/** Everything that backends are told apart, judged and reported with. */
export interface CallbackBackendDoors {
  readonly urls: CallbackUrls;
  readonly rules: Omit<BackendRules, 'count' | 'inFlightMax'>;
  /** Bound of dialling one of several backends. */
  readonly dialTimeoutMs: number;
  /** Whether `checked` will be called. */
  readonly checks: boolean;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly meter: Meter;
}

type Sample = readonly [Labels, number];

/** What is known as long as the lists name the same backends. */
interface Known {
  /** Scheme, host and port of each. */
  readonly origins: readonly string[];
  readonly states: Backends;
  readonly tally: Tally;
}

/** Counts what happens to calls, by the numbers of backends. */
interface Tally {
  called(backend: number): void;
  /** Before `Backends` hears of it: the cause stands in the line that it may lead to. */
  failed(backend: number, cause: string, kind?: string): void;
  retried(backend: number): void;
}

const STATES = ['closed', 'half_open', 'open', 'unhealthy'] as const;

/** What the log says of each change. */
const WORDS: Readonly<Record<BackendState, { level: 'debug' | 'info' | 'warn'; message: string }>> = {
  closed: { level: 'info', message: 'a backend works again' },
  half_open: { level: 'debug', message: 'a backend has rested and is tried' },
  open: { level: 'warn', message: 'a backend failed too often and rests' },
  unhealthy: { level: 'warn', message: 'a backend does not pass its health checks' },
};

/** The backends of one worker's callbacks. */
export class CallbackBackends {
  readonly #doors: CallbackBackendDoors;
  readonly #calls: { add(amount: number, labels: { backend: string }): void };
  readonly #failures: { add(amount: number, labels: { backend: string; kind: string }): void };
  readonly #retries: { add(amount: number, labels: { backend: string }): void };
  #known: Known;
  /** The numbers of the backends of each list of the configuration. */
  #among: ReadonlyMap<readonly string[], readonly number[]>;
  #dialTimeoutMs: number;

  constructor(doors: CallbackBackendDoors) {
    this.#doors = doors;
    this.#dialTimeoutMs = doors.dialTimeoutMs;
    this.#known = this.#learn(originsOf(doors.urls));
    this.#among = this.#numbered(doors.urls);
    const { meter } = doors;
    const counter = (name: string, help: string, further: readonly string[] = []) =>
      meter.counter({ name: `arrokoth_backend_${name}`, help, labels: ['backend', ...further] });
    const gauge = (name: string, help: string, labels: readonly string[], read: () => Sample[]) =>
      meter.observedEach({ name: `arrokoth_backend_${name}`, help, labels }, read);
    this.#calls = counter('calls_total', 'Callbacks that went to this one of several backends.');
    this.#failures = counter('failures_total', 'Those of them that failed, by the kind of failure.', [
      'kind',
    ]);
    this.#retries = counter('retries_total', 'Those that did not reach it and went on to another backend.');
    gauge('in_flight', 'Callbacks at this one of several backends now.', ['backend'], () => this.#inFlight());
    gauge('state', 'Which state a backend is in (1); the others are 0.', ['backend', 'state'], () =>
      this.#states(),
    );
  }

  /** Scheme, host and port of each backend. */
  get origins(): readonly string[] {
    return this.#known.origins;
  }

  /** The state of each, in the order of `origins`. */
  get states(): BackendState[] {
    return this.#views().map(({ state }) => state);
  }

  /** The lists were read again. True: they name other backends, of which nothing is known so far. */
  replace(urls: CallbackUrls, dialTimeoutMs: number): boolean {
    this.#dialTimeoutMs = dialTimeoutMs;
    const origins = originsOf(urls);
    const isNew = origins.join(' ') !== this.#known.origins.join(' ');
    if (isNew) this.#known = this.#learn(origins);
    this.#among = this.#numbered(urls);
    return isNew;
  }

  /** The way of a call through its backends; null when it goes straight to its URL. */
  route(call: HttpCall): RoutedCall | null {
    const { urls, list } = call;
    if (urls === undefined || urls.length === 0 || list === undefined) return null;
    const among = this.#among.get(list) ?? this.#stillKnown(urls);
    if (among === null) return null;
    const { states, tally } = this.#known;
    const { clock } = this.#doors;
    return new RoutedCall({ urls, among, states, tally, clock, dialTimeoutMs: this.#dialTimeoutMs });
  }

  /** What a health check found; `fault`: null when all is well. */
  checked(backend: number, fault: string | null): void {
    const { states, tally } = this.#known;
    if (fault !== null) tally.failed(backend, fault);
    states.health(backend, fault === null, this.#doors.clock.monotonicMs());
  }

  #learn(origins: readonly string[]): Known {
    const { rules, random, logger } = this.#doors;
    const causes: string[] = [];
    const states = new Backends(
      // Where no callback is made there is nobody to choose, and nobody does.
      { ...rules, count: Math.max(1, origins.length), inFlightMax: 0 },
      {
        fraction: () => random.fraction(),
        changed: (backend, state) => {
          const { level, message } = WORDS[state];
          const why = state === 'closed' || state === 'half_open' ? {} : { cause: causes[backend] };
          logger[level]({ backend: origins[backend], ...why }, message);
        },
      },
    );
    const named = (backend: number) => ({ backend: origins[backend] as string });
    const tally: Tally = {
      called: (backend) => this.#calls.add(1, named(backend)),
      failed: (backend, cause, kind) => {
        causes[backend] = cause;
        if (kind !== undefined) this.#failures.add(1, { ...named(backend), kind });
      },
      retried: (backend) => this.#retries.add(1, named(backend)),
    };
    return { origins, states, tally };
  }

  #numbered(urls: CallbackUrls): Map<readonly string[], readonly number[]> {
    return new Map(listsOf(urls).map((list) => [list, list.map((url) => this.#numberOf(url))]));
  }

  /** A call that was made before the lists were read again. */
  #stillKnown(urls: readonly string[]): readonly number[] | null {
    const among = urls.map((url) => this.#numberOf(url));
    return among.includes(-1) ? null : among;
  }

  #numberOf(url: string): number {
    return this.#known.origins.indexOf(new URL(url).origin);
  }

  #views(): BackendView[] {
    const { origins, states } = this.#known;
    return states.states(this.#doors.clock.monotonicMs()).slice(0, origins.length);
  }

  /** Of a single backend nothing is known, unless it is checked. */
  #isAnySeveral(): boolean {
    return [...this.#among.values()].some((numbers) => numbers.length > 1);
  }

  #inFlight(): Sample[] {
    if (!this.#isAnySeveral()) return [];
    const { origins } = this.#known;
    return this.#views().map(({ inFlight }, backend) => [{ backend: origins[backend] as string }, inFlight]);
  }

  #states(): Sample[] {
    if (!this.#doors.checks && !this.#isAnySeveral()) return [];
    const { origins } = this.#known;
    return this.#views().flatMap((view, number) => {
      const backend = origins[number] as string;
      return STATES.map((state): Sample => [{ backend, state }, view.state === state ? 1 : 0]);
    });
  }
}

/** What the way of one call is made of. */
interface CallWay {
  readonly urls: readonly string[];
  /** The number of the backend of each URL. */
  readonly among: readonly number[];
  readonly states: Backends;
  readonly tally: Tally;
  readonly clock: Clock;
  readonly dialTimeoutMs: number;
}

/** The way of one call: from one backend to the next, for as long as nobody has heard it. */
export class RoutedCall {
  readonly #way: CallWay;
  readonly #tried: number[] = [];
  #visit: BackendVisit | null = null;

  constructor(way: CallWay) {
    this.#way = way;
  }

  get dialTimeoutMs(): number {
    return this.#way.dialTimeoutMs;
  }

  /** The URL at the next backend; null when none is left, or all rest. */
  next(): string | null {
    const { states, clock, urls, among } = this.#way;
    this.#visit = states.take(clock.monotonicMs(), this.#tried, among);
    if (this.#visit === null) return null;
    const { backend } = this.#visit;
    this.#tried.push(backend);
    this.#way.tally.called(backend);
    return urls[among.indexOf(backend)] as string;
  }

  /** Why nobody was asked at all. */
  refusal(): HttpFailure {
    const { states, clock, among } = this.#way;
    const waitMs = (states.retryAtMs(among) ?? 0) - clock.monotonicMs();
    const message = 'none of the backends has answered of late';
    return { kind: 'no_backend', message, retryAfterMs: Math.max(0, Math.ceil(waitMs)) };
  }

  /** The call never reached its backend, so that another one may have it. */
  unreached(): void {
    if (this.#visit !== null) this.#way.tally.retried(this.#visit.backend);
    this.ended(failed(UNREACHED));
  }

  /** What became of the call at its backend; the first word counts. */
  ended(result: Result<HttpAnswer, HttpFailure>): void {
    const visit = this.#visit;
    if (visit === null) return;
    this.#visit = null;
    const { states, tally, clock } = this.#way;
    const nowMs = clock.monotonicMs();
    if (result.ok) {
      if (result.value.status < SICK_FROM) return states.succeeded(visit, nowMs);
      tally.failed(visit.backend, `status ${result.value.status}`, 'server_error');
      return states.failed(visit, 'answered', nowMs);
    }
    const { kind } = result.error;
    // A large answer or a bad redirect is what the application wanted to say.
    if (kind !== 'unreachable' && kind !== 'timeout' && kind !== 'malformed') {
      return states.succeeded(visit, nowMs);
    }
    tally.failed(visit.backend, kind, kind);
    states.failed(visit, 'unanswered', nowMs);
  }

  /** The call ended for reasons of our own. */
  abandoned(): void {
    if (this.#visit !== null) this.#way.states.abandoned(this.#visit);
    this.#visit = null;
  }
}

/** From here on a status says that the application is not well; it is passed on all the same. */
const SICK_FROM = 500;
const UNREACHED: HttpFailure = { kind: 'unreachable', message: '' };

/** Each scheme, host and port once, in the order in which the callbacks name them. */
function originsOf(urls: CallbackUrls): string[] {
  return [
    ...new Set(
      listsOf(urls)
        .flat()
        .map((url) => new URL(url).origin),
    ),
  ];
}

function listsOf({ connect, establish, receive, close }: CallbackUrls): (readonly string[])[] {
  return [connect, establish, receive, close].filter((list) => list !== null);
}
