/**
 * The listener for other nodes, in one process: clusters, and what a host adds to them.
 *
 * Accepts on a socket that somebody else bound, after `exposure.ts` has allowed its address. A host
 * may answer paths of its own with GET (a state, for example); they are open to everybody who
 * reaches the port, signed or not, because they are meant for people and programs, not for nodes.
 */
import {
  type Clock,
  DEFAULTS,
  LIMITS,
  type Logger,
  type Meter,
  type Random,
  type Timers,
} from '../base/index.ts';
import {
  type AcceptGate,
  type HttpRequest,
  type HttpResponse,
  HttpServer,
  type HttpServerRules,
  type LeanClientOptions,
  type ListenHandle,
  type TlsFigures,
  type TlsIdentity,
} from '../net/index.ts';
import { type NodeCallHandler, NodeCallServer } from './node-call-server.ts';
import { NodeCalls } from './node-calls.ts';
import { PeerAuth } from './peer-auth.ts';
import { PeerServer } from './peer-server.ts';

/** Answers GET on one path of the host's own. */
export type HostRoute = (request: HttpRequest, response: HttpResponse) => void;

/** What a listener is made of. */
export interface PeerListenerOptions {
  /** The first signs, all verify; none: everybody who reaches the port is believed. */
  readonly secrets: readonly string[];
  /** Absent: plain HTTP. Its configuration says whether clients need certificates. */
  readonly tls?: { readonly identity: TlsIdentity; readonly figures: TlsFigures } | null;
  /** Judges sockets as they come; absent: all may stay. */
  readonly gate?: AcceptGate | null;
  /** Path -> who answers GET and HEAD there. */
  readonly routes?: Readonly<Record<string, HostRoute>>;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly logger: Logger;
  readonly meter: Meter;
}

/** Heads of calls are below 1 KiB; nobody has a reason for more. */
const HEADER_BYTES_MAX = 16 * 1_024;
const HEADER_LINES_MAX = 100;

/** Node to node, no browser: nothing here asks for a WebSocket. */
const RULES: HttpServerRules = {
  limits: {
    headerBytesMax: HEADER_BYTES_MAX,
    headerLinesMax: HEADER_LINES_MAX,
    handshakeTimeoutMs: DEFAULTS.handshakeTimeoutMs,
    messageBytesMax: DEFAULTS.messageBytesMax,
  },
  slowClient: {
    policy: 'close',
    queueBytesMax: DEFAULTS.slowClientQueueBytesMax,
    queueMessagesMax: DEFAULTS.slowClientQueueMessagesMax,
  },
  idleTimeoutMs: 0,
  ping: { intervalMs: 0, timeoutMs: 0 },
};

/** Serves the calls of other nodes on one address. */
export class PeerListener {
  /** Clusters register here. */
  readonly server: PeerServer;
  /** Calls to other nodes that are no part of a log, signed as the log's are. */
  readonly calls: NodeCalls;
  readonly #callServer: NodeCallServer;
  readonly #http: HttpServer;
  readonly #routes: ReadonlyMap<string, HostRoute>;
  readonly #identity: TlsIdentity | null;

  constructor(options: PeerListenerOptions) {
    const { secrets, tls = null, gate = null, routes = {}, clock, timers, random, logger, meter } = options;
    this.server = new PeerServer({
      auth: new PeerAuth(secrets, { clock, random }),
      clock,
      timers,
      logger,
      meter,
    });
    this.#routes = new Map(Object.entries(routes));
    this.#identity = tls?.identity ?? null;
    this.#callServer = new NodeCallServer(this.server);
    this.calls = new NodeCalls({ auth: this.server.auth, tls: this.tls, clock, timers });
    this.#http = new HttpServer({
      ...{ ...RULES, clock, timers, logger },
      mostlyPlain: true,
      gate,
      tls: tls === null ? null : { ...tls, audience: 'clients' },
      handlers: { request: (request, response) => this.#handle(request, response) },
    });
  }

  /** How this node speaks TLS to others: it shows the same certificate, and trusts the same authority. */
  get tls(): LeanClientOptions['tls'] {
    const identity = this.#identity;
    if (identity === null) return null;
    return () => {
      const { certificates, clientCa } = identity.material;
      const pair = certificates[0];
      return {
        ...(pair && { cert: pair.cert, key: pair.key, passphrase: pair.passphrase ?? undefined }),
        ...(clientCa !== null && { ca: clientCa }),
        minVersion: `TLSv${identity.config.minVersion}` as const,
      };
    };
  }

  /** Answers calls of other nodes to that path, which is no path of a log. */
  serve(path: string, handler: NodeCallHandler): void {
    this.#callServer.serve(path, handler);
  }

  /** Accepts on a bound handle, which belongs to this listener from now on. */
  listen(handle: ListenHandle): void {
    this.#http.listen(handle);
  }

  /** Gives the handle back; calls in flight and open connections live on. */
  stopListening(): void {
    this.#http.stopListening();
  }

  /** From now on the first of these signs, and all of them are believed. Nobody is disconnected. */
  replaceSecrets(secrets: readonly string[]): void {
    this.server.auth.replace(secrets);
  }

  /** Stops accepting, lets calls in flight finish within the bound, and cuts everything else. */
  async close(timeoutMs: number = LIMITS.closeHandshakeMs): Promise<void> {
    this.calls.close();
    this.server.close();
    await this.#http.close(timeoutMs);
  }

  #handle(request: HttpRequest, response: HttpResponse): void {
    const isReading = request.method === 'GET' || request.method === 'HEAD';
    const route = isReading ? this.#routes.get(request.path) : undefined;
    if (route !== undefined) route(request, response);
    else if (!this.#callServer.take(request, response)) this.server.handle(request, response);
  }
}
