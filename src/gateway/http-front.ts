/**
 * The front desk of the public and the application's listener: path, token, access log.
 *
 * Decides who answers a request and writes the answer; carrying it out is somebody else's work.
 */
import type { Clock, Logger } from '../base/index.ts';
import type { Config, LiveConfig } from '../config/index.ts';
import type { BearerTokens, HttpHandlers, HttpRequest, HttpResponse, UpgradeRequest } from '../net/index.ts';
import {
  connectProbeAnswer,
  type ForwardedRule,
  isStatsForm,
  notFoundAnswer,
  type OutgoingAnswer,
  type PathVerdict,
  pageCallAnswer,
  pingAnswer,
  type RoutePaths,
  redirectAnswer,
  routePath,
  statsAnswer,
  statsFormat,
  statusAnswer,
  unauthorizedAnswer,
} from '../relay/index.ts';
import type { Admission } from './admission/admission.ts';
import type { ApplicationApi } from './calls/application-api.ts';
import type { GatewayStats } from './gateway-stats.ts';
import type { NodeStats } from './node/node-stats.ts';
import type { Tracing } from './sessions/tracing.ts';
import type { Upstream } from './upstream/upstream.ts';

/** Who answers which path. */
export interface HttpFrontDoors {
  readonly live: LiveConfig;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Whoever may make the application's calls. */
  readonly tokens: BearerTokens;
  readonly forwarded: ForwardedRule;
  readonly admission: Admission;
  readonly api: ApplicationApi;
  readonly stats: GatewayStats;
  readonly nodeStats: NodeStats;
  readonly tracing: Tracing;
  /** Serves what is not ours on the public listener; null: nobody does. */
  readonly upstream: Upstream | null;
}

/** A form that asks for a stats format has one short member. */
const FORM_BYTES_MAX = 4_096;
/** An application's own id of a request; enough for a UUID or a trace id, too little to fill a log. */
const REQUEST_ID_CHARACTERS_MAX = 128;
/** kuiperbelt logs neither of them. */
const UNLOGGED = new Set(['connect', 'stats']);

/** Routes what arrives on the two listeners of a gateway. */
export class HttpFront {
  readonly #doors: HttpFrontDoors;

  constructor(doors: HttpFrontDoors) {
    this.#doors = doors;
  }

  /** What the server of a listener calls. Paths that another listener serves do not exist here. */
  handlers(listener: 'public' | 'app'): HttpHandlers {
    const { live } = this.#doors;
    let paths = pathsOf(listener, live.current);
    live.onChange((now) => {
      paths = pathsOf(listener, now);
    });
    // The application reaches itself without us.
    const upstream = listener === 'app' ? null : this.#doors.upstream;
    return {
      request: (request, response) => this.#request(paths, upstream, request, response),
      upgrade: (request) => this.#upgrade(paths, upstream, request),
    };
  }

  #request(paths: RoutePaths, upstream: Upstream | null, request: HttpRequest, response: HttpResponse): void {
    const route = routePath(paths, request.path);
    if (upstream !== null && goesUpstream(upstream, route, request.path)) {
      return upstream.request(request, response);
    }
    const answer = (given: OutgoingAnswer): void => {
      response.send(given.status, given.headers, given.body);
      if (!UNLOGGED.has(route.type)) this.#log(request, given);
    };
    switch (route.type) {
      case 'not_found':
        return answer(notFoundAnswer());
      case 'redirect':
        return answer(redirectAnswer(route.location, request.query));
      case 'ping':
        return answer(pingAnswer());
      case 'connect':
        return this.#refusePlain(request, answer);
      case 'stats':
        return this.#authorized(request) ? this.#stats(request, answer) : answer(unauthorizedAnswer());
      default:
        if (!this.#authorized(request)) return answer(unauthorizedAnswer());
        if (this.#comesFromPage(request)) return answer(pageCallAnswer());
        return this.#doors.api.serve(route.type, request, answer);
    }
  }

  /**
   * Browsers put an `Origin` on every POST of a page, applications have none. A page whose name was
   * made to mean this host could otherwise send to clients over a listener that is open on loopback.
   */
  #comesFromPage(request: HttpRequest): boolean {
    return this.#doors.tokens.areNone && request.header('origin') !== undefined;
  }

  #upgrade(paths: RoutePaths, upstream: Upstream | null, request: UpgradeRequest): void {
    const route = routePath(paths, request.path);
    if (route.type === 'connect') return this.#doors.admission.upgrade(request);
    if (upstream !== null && goesUpstream(upstream, route, request.path)) return upstream.upgrade(request);
    const answer = route.type === 'not_found' ? notFoundAnswer() : statusAnswer(400);
    request.refuse(answer.status, answer.headers, answer.body);
    this.#log(request, answer);
  }

  /** A request on the connect path that asks for no upgrade: counted and refused, as in kuiperbelt. */
  #refusePlain(request: HttpRequest, answer: (given: OutgoingAnswer) => void): void {
    const { admission, stats, live, forwarded } = this.#doors;
    stats.connecting();
    const origin = forwarded.read(request);
    const turnedAway = admission.turnedAway(origin.address);
    stats.connectError();
    stats.disconnected();
    answer(connectProbeAnswer(request, live.current.originPolicy, turnedAway, origin));
  }

  #stats(request: HttpRequest, answer: (given: OutgoingAnswer) => void): void {
    const { clock, nodeStats } = this.#doors;
    const respond = (form: string): void => {
      const format = statsFormat({ query: request.query, form });
      nodeStats.sum((figures) => answer(statsAnswer(format, figures, clock.wallMs() / 1_000)));
    };
    if (!isStatsForm(request.method, request.header('content-type'))) return respond('');
    request.body(FORM_BYTES_MAX, (body) => respond(body.ok ? latin1(body.value) : ''));
  }

  #authorized(request: HttpRequest): boolean {
    const { tokens } = this.#doors;
    return tokens.areNone || tokens.accept(request.header('authorization'));
  }

  #log(request: HttpRequest, answer: OutgoingAnswer): void {
    const { live, logger } = this.#doors;
    if (live.current.suppressAccessLog) return;
    // The path alone: a query may carry a token.
    const { method, path: url } = request;
    const requestId = request.header('x-request-id')?.slice(0, REQUEST_ID_CHARACTERS_MAX);
    const trace_id = this.#doors.tracing.idOfCall(request);
    logger.info(
      { method, url, status: answer.status, size: answer.body.length, requestId, trace_id },
      'access',
    );
  }
}

function pathsOf(listener: 'public' | 'app', { app, path }: Config): RoutePaths {
  const { connect, ping, ...calls } = path;
  if (listener === 'app') return { ping, ...calls };
  return app.listen === null ? { connect, ping, ...calls } : { connect, ping };
}

/** A path that is not in its shortest form is no reason for a redirect when it is not ours. */
function goesUpstream(upstream: Upstream, route: PathVerdict, path: string): boolean {
  return (route.type === 'not_found' || route.type === 'redirect') && upstream.takes(path);
}

function latin1(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}
