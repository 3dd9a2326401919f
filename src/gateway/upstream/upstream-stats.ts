/**
 * Figures about what is passed on to backends.
 */
import type { Meter } from '../../base/index.ts';
import type { ForwardFailureKind } from '../../relay/index.ts';

/** From a page out of a cache to a report that somebody waits for. */
const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];
/** Statuses are counted by their class. */
const CLASS = 100;

/** Counts for one worker. */
export class UpstreamStats {
  inFlight = 0;
  tunnels = 0;
  readonly #requests: ReturnType<Meter['counter']>;
  readonly #failures: ReturnType<Meter['counter']>;
  readonly #bytes: ReturnType<Meter['counter']>;
  readonly #seconds: ReturnType<Meter['histogram']>;

  constructor(meter: Meter) {
    const name = (what: string): string => `arrokoth_upstream_${what}`;
    this.#requests = meter.counter({
      name: name('requests_total'),
      help: 'Requests that a backend answered, by its place in the list and the class of the status.',
      labels: ['backend', 'status'],
    });
    this.#failures = meter.counter({
      name: name('failures_total'),
      help: 'Attempts at a backend without a whole answer, and requests refused or given up, by kind.',
      labels: ['backend', 'kind'],
    });
    this.#bytes = meter.counter({
      name: name('bytes_total'),
      help: 'Bytes of bodies and of WebSockets that were passed on, by direction.',
      labels: ['direction'],
    });
    this.#seconds = meter.histogram({
      name: name('response_seconds'),
      help: 'Time from the choice of a backend to the head of its answer.',
      buckets: SECONDS,
    });
    meter.observed(
      { name: name('in_flight'), help: 'Requests on their way to and from backends.', type: 'gauge' },
      () => this.inFlight,
    );
    meter.observed(
      { name: name('websockets'), help: 'WebSockets that are passed through to backends.', type: 'gauge' },
      () => this.tunnels,
    );
  }

  /** A backend answered after so many milliseconds. */
  answered(backend: number, status: number, ms: number): void {
    this.#requests.add(1, { backend: String(backend), status: `${Math.floor(status / CLASS)}xx` });
    this.#seconds.observe(ms / 1_000);
  }

  /** `backend` null: it is not about one of them. */
  failed(backend: number | null, kind: ForwardFailureKind | UpstreamRefusal): void {
    this.#failures.add(1, { backend: backend === null ? 'none' : String(backend), kind });
  }

  moved(requestBytes: number, answerBytes: number): void {
    if (requestBytes > 0) this.#bytes.add(requestBytes, { direction: 'to_backend' });
    if (answerBytes > 0) this.#bytes.add(answerBytes, { direction: 'to_client' });
  }
}

/** Why a request has no answer of a backend, though no backend failed. */
export type UpstreamRefusal =
  | 'busy'
  | 'no_backend'
  | 'client_gone'
  | 'client_slow'
  | 'too_large'
  | 'pipelined'
  | 'stopping';
