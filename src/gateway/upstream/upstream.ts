/**
 * The application's own pages and WebSockets: what of the public listener goes on to a backend.
 *
 * Decides which requests may go at all and what they carry; `proxied-request.ts` accompanies each
 * of them. Absent where `upstream.backends` is, and then nothing of this is ever called.
 */
import type { Clock, Logger, Meter, Random } from '../../base/index.ts';
import type { Config, LiveConfig, UpstreamConfig } from '../../config/index.ts';
import type { HttpRequest, HttpResponse, UpgradeRequest, UpstreamClient } from '../../net/index.ts';
import {
  Backends,
  certificateLines,
  checkForwardable,
  checkUpgradeForwardable,
  ForwardedRule,
  notFoundAnswer,
  type OutgoingAnswer,
  ownHeaderNames,
  passedRequestLines,
  UpstreamPaths,
  upstreamBusyAnswer,
} from '../../relay/index.ts';
import type { Tracing } from '../sessions/tracing.ts';
import { type ProxiedParts, ProxiedRequest } from './proxied-request.ts';
import { UpstreamStats } from './upstream-stats.ts';

/** What passes bytes on. */
export type UpstreamTransport = Pick<UpstreamClient, 'forward' | 'tunnel' | 'watch' | 'drain' | 'closed'>;

/** What it stands on. */
export interface UpstreamDoors {
  readonly live: LiveConfig;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly meter: Meter;
  readonly tracing: Tracing;
  /** Null: nothing is passed on. */
  readonly upstream: UpstreamTransport | null;
}

/** Passes on what is not the gateway's. */
export class Upstream {
  readonly #client: UpstreamTransport;
  readonly #config: UpstreamConfig;
  readonly #tracing: Tracing;
  readonly #forwarded: ForwardedRule;
  #paths: UpstreamPaths;
  #ownNames: ReadonlySet<string>;
  readonly #parts: ProxiedParts;

  private constructor(doors: UpstreamDoors, client: UpstreamTransport, origins: readonly string[]) {
    const { live, clock, logger, meter, random } = doors;
    const { upstream, trustedProxies } = live.current;
    this.#client = client;
    this.#config = upstream;
    this.#tracing = doors.tracing;
    this.#paths = pathsOf(live.current);
    this.#ownNames = ownNamesOf(live.current);
    // Without trusted proxies nobody is believed here: there are no old habits to keep, as there are
    // with callbacks.
    this.#forwarded = new ForwardedRule(trustedProxies ?? []);
    live.onChange((now) => {
      this.#paths = pathsOf(now);
      this.#ownNames = ownNamesOf(now);
      this.#forwarded.replace(now.trustedProxies ?? []);
    });
    const backends = new Backends(
      {
        ...upstream.breaker,
        healthyAfter: upstream.health.healthyAfter,
        unhealthyAfter: upstream.health.unhealthyAfter,
        count: origins.length,
        inFlightMax: 0,
      },
      {
        fraction: () => random.fraction(),
        changed: (backend, state) => logger.warn({ backend: origins[backend], state }, 'backend'),
      },
    );
    client.watch({
      origins,
      checked: (backend, fault) => backends.health(backend, fault === null, clock.monotonicMs()),
    });
    this.#parts = {
      ...{ clock, logger, backends, origins },
      stats: new UpstreamStats(meter),
      inFlightMax: upstream.maxInFlight,
      tunnelsMax: upstream.tunnelsMax,
      live,
    };
  }

  /** Null where nothing is to be passed on. */
  static of(doors: UpstreamDoors): Upstream | null {
    const { backends } = doors.live.current.upstream;
    return backends === null || doors.upstream === null
      ? null
      : new Upstream(doors, doors.upstream, backends);
  }

  /** Whether a path (as sent, without its query) that is no door of the gateway may go on. */
  takes(path: string): boolean {
    return this.#paths.verdict(path) === 'pass';
  }

  request(request: HttpRequest, response: HttpResponse): void {
    const answer = ({ status, headers, body }: OutgoingAnswer): void => response.send(status, headers, body);
    if (this.#client.closed) return answer(upstreamBusyAnswer('the node is stopping'));
    const verdict = checkForwardable(request);
    // Nobody can say where such a request ends, so that nothing is read behind it.
    if (verdict.type === 'refuse') {
      return answer({ ...verdict, headers: [...verdict.headers, 'Connection', 'close'] });
    }
    const plan = new ProxiedRequest(this.#parts, { ...this.#lines(request), body: verdict.body, answer });
    this.#client.forward(request, plan);
  }

  /** A handshake of a WebSocket that is the application's own. */
  upgrade(request: UpgradeRequest): void {
    const answer = ({ status, headers, body }: OutgoingAnswer): void => request.refuse(status, headers, body);
    if (this.#config.tunnelsMax === 0) return answer(notFoundAnswer());
    if (this.#client.closed) return answer(upstreamBusyAnswer('the node is stopping'));
    const verdict = checkUpgradeForwardable(request);
    if (verdict.type === 'refuse') return answer(verdict);
    const lines = this.#lines(request);
    const plan = new ProxiedRequest(this.#parts, { ...lines, body: verdict.body, upgrade: true, answer });
    this.#client.tunnel(request, plan);
  }

  /** Ends WebSockets, and waits for what is on its way no longer than that. */
  drain(timeoutMs: number): Promise<void> {
    return this.#client.drain(timeoutMs);
  }

  #lines(request: HttpRequest) {
    const { lines: forwarded } = this.#forwarded.read(request);
    const ours = [
      ...(forwarded ?? []),
      ...(request.tls === null ? [] : certificateLines(request.tls).flat()),
    ];
    const headers = passedRequestLines({ ownNames: this.#ownNames }, request, ours);
    const host = this.#config.host === 'client' ? (request.header('host') ?? null) : null;
    return { request, host, upgrade: false, ...this.#tracing.passOn(request, headers) };
  }
}

/** Those of the callbacks count as the gateway's own affair, unless the operator says otherwise. */
function pathsOf({ callback, path, upstream }: Config): UpstreamPaths {
  const urls = [callback.connect, callback.establish, callback.receive, callback.close];
  const callbacks = urls.flatMap((each) => each ?? []).map((url) => new URL(url).pathname);
  return new UpstreamPaths({
    own: Object.values(path),
    callbacks: upstream.callbackPaths === 'allow' ? [] : callbacks,
  });
}

function ownNamesOf({ sessionHeader, channelHeader }: Config): ReadonlySet<string> {
  return ownHeaderNames([sessionHeader, channelHeader]);
}
