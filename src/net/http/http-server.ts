/**
 * One listener's HTTP server: accepts on a handle that somebody else bound, parses, hands over.
 *
 * node:http parses; sockets are accepted by a server of our own and fed to it, so that the listener
 * can be given back without touching a single open connection. Paths, tokens and upgrade rules are
 * the roles' business.
 */
import {
  createServer,
  type IncomingMessage,
  type Server,
  type ServerResponse,
  STATUS_CODES,
} from 'node:http';
import type * as net from 'node:net';
import type { Cancellable, Clock, Logger, Timers } from '../../base/index.ts';
import { type TlsListener, TlsSockets } from '../tls/tls-sockets.ts';
import type { HttpHandlers, ListenHandle } from '../types.ts';
import { ConnectionKeeper, type ConnectionRules } from '../websocket/connection-keeper.ts';
import { FanOutWriter } from '../websocket/fan-out-writer.ts';
import type { MessageCompression } from '../websocket/message-compression.ts';
import type { AcceptGate } from './accept-gate.ts';
import { Acceptor } from './acceptor.ts';
import { BodyDeadlines } from './body-deadlines.ts';
import { type ExchangeDoors, ParsedRequest, PlainExchange, PlainRequest } from './http-exchange.ts';
import { LingeringClose } from './lingering-close.ts';
import { PlainLane } from './plain-lane.ts';
import { ProxiedSockets, type ProxyProtocolRule } from './proxied-sockets.ts';
import { PendingUpgrade } from './upgrade-request.ts';

/** Longer than the pause between two requests of a busy application, so that its pool stays warm. */
const KEEP_ALIVE_MS = 75_000;
/** A body may take longer than a head: 16 MiB in a minute is a slow line, not an attack. */
const REQUEST_TIMEOUTS_PER_HANDSHAKE = 6;
/** How often heads that are overdue are looked for. */
const CHECKS_PER_HANDSHAKE = 10;
const CHECK_MAX_MS = 1_000;
const CHECK_MIN_MS = 10;
/** `GET / HTTP/1.0` and two line ends: who has said less has asked nothing. */
const SHORTEST_REQUEST_BYTES = 18;
/** What node:http says of a request that took too long. */
const OVERDUE = Object.assign(new Error('the request is late'), { code: 'ERR_HTTP_REQUEST_TIMEOUT' });
const PLAIN_TEXT = ['Content-Type', 'text/plain; charset=utf-8', 'X-Content-Type-Options', 'nosniff'];

/** What the parser of a connection drops lines beyond; it may differ from what new ones have. */
const HEADER_LINES_MAX = Symbol('header lines');
type BoundedSocket = net.Socket & { [HEADER_LINES_MAX]?: number };

/** Bounds as resolved numbers; they may be adjusted while the server serves. */
export interface HttpServerRules {
  readonly limits: {
    readonly headerBytesMax: number;
    /** Lines of a head; each costs some hundred bytes of memory, however short it is. */
    readonly headerLinesMax: number;
    readonly handshakeTimeoutMs: number;
    readonly messageBytesMax: number;
  };
  readonly slowClient: ConnectionRules['slowClient'];
  /** 0: off. */
  readonly idleTimeoutMs: number;
  readonly ping: ConnectionRules['ping'];
}

/** The rules at first, the doors to the world, and who handles what arrives. */
export interface HttpServerOptions extends HttpServerRules {
  /** Absent: sockets speak HTTP from their first byte. Else a header of the PROXY protocol comes first. */
  readonly proxyProtocol?: ProxyProtocolRule | null;
  /** Absent: sockets speak plain HTTP. */
  readonly tls?: TlsListener | null;
  /** Absent: permessage-deflate is not agreed on with anybody. */
  readonly compression?: MessageCompression | null;
  /** Absent: sockets are accepted down to the last descriptor. */
  readonly gate?: AcceptGate | null;
  /** True: most requests are small POSTs, and answering them soon matters. Not for TLS. */
  readonly mostlyPlain?: boolean;
  /** True: requests may be passed on, and then their bodies may take as long as they move. */
  readonly longBodies?: boolean;
  /** True: all header names of answers are in lower case. */
  readonly lowerCase?: boolean;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly logger: Logger;
  readonly handlers: HttpHandlers;
}

/** Serves HTTP and WebSockets on one listener. */
export class HttpServer {
  readonly #handlers: HttpHandlers;
  #headerLinesMax = 0;
  readonly #logger: Logger;
  readonly #timers: Timers;
  readonly #http: Server;
  readonly #keeper: ConnectionKeeper;
  readonly #lingering: LingeringClose;
  readonly #exchangeDoors: ExchangeDoors;
  readonly #pendingUpgrades = new Set<PendingUpgrade>();
  readonly #tls: TlsSockets | null;
  readonly #bodies: BodyDeadlines | null;
  readonly #sweep: Cancellable;
  readonly #proxied: ProxiedSockets | null;
  readonly #compression: MessageCompression | null;
  readonly #gate: AcceptGate | null;
  readonly #acceptor: Acceptor;
  readonly #lane: PlainLane | null;
  #inFlight = 0;
  #closing = false;
  #whenQuiet: (() => void) | null = null;

  constructor(options: HttpServerOptions) {
    this.#handlers = options.handlers;
    this.#logger = options.logger;
    this.#timers = options.timers;
    this.#compression = options.compression ?? null;
    this.#keeper = new ConnectionKeeper(connectionRules(options), {
      writer: new FanOutWriter({ clock: options.clock, timers: options.timers }),
      timers: options.timers,
      forgotten: () => this.#tellWhenQuiet(),
    });
    this.#lingering = new LingeringClose(options.clock);
    this.#bodies = options.longBodies === true ? this.#createBodies(options.clock) : null;
    this.#exchangeDoors = {
      lingering: this.#lingering,
      writer: this.#keeper.writer,
      bodies: this.#bodies,
      clock: options.clock,
      lowerCase: options.lowerCase ?? false,
    };
    this.#lane = options.mostlyPlain === true ? this.#createLane(options) : null;
    this.#sweep = options.timers.every(CHECK_MAX_MS, () => {
      this.#lingering.sweep();
      this.#lane?.sweep();
      this.#bodies?.sweep();
    });
    this.#http = this.#createParser();
    this.#bound(options.limits);
    this.#tls = this.#createTls(options);
    this.#proxied = this.#createProxied(options);
    this.#gate = options.gate ?? null;
    this.#acceptor = new Acceptor({
      logger: options.logger,
      gate: this.#gate,
      accepted: this.#accepted,
    });
  }

  /** Open WebSockets. */
  get connections(): number {
    return this.#keeper.size;
  }

  /** Takes new rules over. Nobody is cut by them who keeps the old ones. */
  adjust(rules: HttpServerRules): void {
    this.#bound(rules.limits);
    this.#keeper.adjust(connectionRules(rules));
    this.#proxied?.adjust(rules.limits.handshakeTimeoutMs);
    this.#tls?.adjust(rules.limits.handshakeTimeoutMs);
  }

  /** Accepts on a bound handle, which belongs to this server from now on. */
  listen(handle: ListenHandle): void {
    this.#acceptor.listen(handle);
  }

  /** Gives the listener back. Open connections live on. */
  stopListening(): void {
    this.#acceptor.stop();
  }

  /**
   * Stops listening, lets requests in flight and close handshakes finish within the bound, and cuts
   * everything else.
   */
  async close(timeoutMs: number): Promise<void> {
    this.stopListening();
    this.#closing = true;
    this.#http.closeIdleConnections();
    this.#lane?.closeIdle();
    this.#keeper.terminateOpen();
    if (!this.#isQuiet) await this.#quiet(timeoutMs);
    this.#proxied?.stop();
    this.#tls?.stop();
    for (const upgrade of this.#pendingUpgrades) upgrade.leave();
    this.#keeper.terminateAll();
    this.#lingering.cut();
    this.#lane?.closeAll();
    this.#http.closeAllConnections();
    // Also stops the interval that looks for overdue heads.
    this.#http.close();
    this.#sweep.cancel();
    this.#keeper.stop();
  }

  #createBodies(clock: Clock): BodyDeadlines {
    return new BodyDeadlines(clock, ({ socket }) => this.#answerBadRequest(OVERDUE, socket));
  }

  #createLane({ clock, limits }: HttpServerOptions): PlainLane {
    const doors = {
      ...{ clock, lingering: this.#lingering },
      request: this.#handlers.request.bind(this.#handlers),
      handOver: (socket: net.Socket) => this.#parse(socket),
      overdue: (socket: net.Socket) => this.#answerBadRequest(OVERDUE, socket),
      began: () => {
        this.#inFlight++;
      },
      finished: this.#finished,
    };
    return new PlainLane(doors, laneRules(limits));
  }

  #createProxied(options: HttpServerOptions): ProxiedSockets | null {
    const { proxyProtocol = null, limits } = options;
    if (proxyProtocol === null) return null;
    return new ProxiedSockets({
      ...{ clock: options.clock, timers: options.timers, logger: options.logger },
      timeoutMs: limits.handshakeTimeoutMs,
      rule: proxyProtocol,
      proceed: (socket) => this.#proceed(socket),
    });
  }

  #createTls(options: HttpServerOptions): TlsSockets | null {
    const { tls = null, limits } = options;
    if (tls === null) return null;
    return new TlsSockets({
      ...tls,
      ...{ clock: options.clock, timers: options.timers, logger: options.logger },
      timeoutMs: limits.handshakeTimeoutMs,
      proceed: (socket) => this.#parse(socket),
      overdue: (socket) => this.#answerBadRequest(OVERDUE, socket),
    });
  }

  /** A socket whose peer is known. */
  #proceed(socket: net.Socket): void {
    if (this.#tls !== null) this.#tls.take(socket);
    else if (this.#lane !== null) this.#lane.take(socket);
    else this.#parse(socket);
  }

  /** Hands a socket to node:http, which reads its heads by the bounds of this moment for good. */
  #parse(socket: BoundedSocket): void {
    socket[HEADER_LINES_MAX] = this.#headerLinesMax;
    this.#http.emit('connection', socket);
  }

  #createParser(): Server {
    const http = createServer({
      IncomingMessage: ParsedRequest,
      keepAliveTimeout: KEEP_ALIVE_MS,
      noDelay: true,
    });
    http.on('request', (request, response) => this.#handle(request, response, false));
    http.on('checkContinue', (request, response) => this.#handle(request, response, true));
    // A client that has said all it wanted to (FIN) may still be waiting for its answer.
    (http as Server & { httpAllowHalfOpen: boolean }).httpAllowHalfOpen = true;
    if (this.#handlers.upgrade !== undefined) {
      http.on('upgrade', (request, socket, head) => this.#handleUpgrade(request, socket as net.Socket, head));
    }
    http.on('clientError', (error, socket) => this.#answerBadRequest(error, socket as net.Socket));
    return http;
  }

  /** Heads that are being read have as long as the new bound says; their size has the old one. */
  #bound(limits: HttpServerRules['limits']): void {
    this.#lane?.adjust(laneRules(limits));
    const http = this.#http as Server & { maxHeaderSize: number; connectionsCheckingInterval: number };
    const checkMs = Math.floor(limits.handshakeTimeoutMs / CHECKS_PER_HANDSHAKE);
    http.maxHeaderSize = limits.headerBytesMax;
    // node:http drops lines beyond this without a word. One more than allowed shows that it did.
    http.maxHeadersCount = limits.headerLinesMax + 1;
    this.#headerLinesMax = limits.headerLinesMax;
    http.headersTimeout = limits.handshakeTimeoutMs;
    const requestTimeout = limits.handshakeTimeoutMs * REQUEST_TIMEOUTS_PER_HANDSHAKE;
    http.requestTimeout = this.#bodies === null ? requestTimeout : 0;
    this.#bodies?.adjust(requestTimeout);
    http.connectionsCheckingInterval = Math.min(CHECK_MAX_MS, Math.max(CHECK_MIN_MS, checkMs));
    // A server of node:http starts to look for overdue heads when it listens. This one never does.
    http.emit('listening');
  }

  readonly #accepted = (socket: net.Socket): void => {
    if (this.#gate?.admits(socket, this.#lingering) === false) return;
    if (this.#proxied === null) this.#proceed(socket);
    else this.#proxied.take(socket);
  };

  #handle(message: IncomingMessage, response: ServerResponse, expectsContinue: boolean): void {
    this.#inFlight++;
    this.#tls?.arrived(message.socket);
    response.on('close', this.#finished);
    if (this.#closing) response.shouldKeepAlive = false;
    this.#bodies?.watch(message);
    const exchange = new PlainExchange(response, this.#exchangeDoors, expectsContinue);
    if (this.#hasTooManyLines(message)) return exchange.sendLast(431, PLAIN_TEXT, textOf(431));
    // What follows belongs to a tunnel that nobody opens, and is no request.
    if (message.method === 'CONNECT') return exchange.sendLast(405, PLAIN_TEXT, textOf(405));
    this.#handlers.request(new PlainRequest(message, exchange), exchange);
  }

  #handleUpgrade(message: IncomingMessage, socket: net.Socket, head: Buffer): void {
    this.#tls?.arrived(socket);
    const request = new PendingUpgrade(message, socket, head, {
      keeper: this.#keeper,
      lingering: this.#lingering,
      compression: this.#compression,
      settled: this.#settled,
    });
    this.#pendingUpgrades.add(request);
    if (this.#hasTooManyLines(message)) return request.refuse(431, PLAIN_TEXT, textOf(431));
    this.#handlers.upgrade?.(request);
  }

  #hasTooManyLines(message: IncomingMessage): boolean {
    const linesMax = (message.socket as BoundedSocket)[HEADER_LINES_MAX] ?? this.#headerLinesMax;
    return message.rawHeaders.length > 2 * linesMax;
  }

  readonly #finished = (): void => {
    this.#inFlight--;
    this.#tellWhenQuiet();
  };

  readonly #settled = (request: PendingUpgrade): void => {
    this.#pendingUpgrades.delete(request);
    this.#tellWhenQuiet();
  };

  get #isQuiet(): boolean {
    return this.#inFlight === 0 && this.#pendingUpgrades.size === 0 && this.#keeper.size === 0;
  }

  #tellWhenQuiet(): void {
    if (this.#isQuiet) this.#whenQuiet?.();
  }

  #quiet(timeoutMs: number): Promise<void> {
    return new Promise((resolve) => {
      const bound = this.#timers.after(timeoutMs, resolve);
      this.#whenQuiet = () => {
        bound.cancel();
        resolve();
      };
    });
  }

  #answerBadRequest(error: NodeJS.ErrnoException, socket: net.Socket): void {
    this.#logger.debug({ error: error.code ?? error.message }, 'a request could not be read');
    const answering = (socket as net.Socket & { readonly _httpMessage?: ServerResponse | null })._httpMessage;
    // Half of an answer may be out already; a second one would only garble it.
    const unanswerable = answering?.headersSent === true || !socket.writable;
    // Nobody gets more bytes than the shortest request is worth, least of all for silence.
    const saidNothing = socket.bytesRead < SHORTEST_REQUEST_BYTES;
    if (error.code === 'ECONNRESET' || unanswerable || saidNothing) {
      socket.destroy();
      return;
    }
    const status = statusOf(error.code);
    this.#lingering.answer(socket, { status, headers: PLAIN_TEXT, body: textOf(status) });
  }
}

function textOf(status: number): string {
  return `${STATUS_CODES[status]}\n`;
}

function connectionRules({ limits, slowClient, idleTimeoutMs, ping }: HttpServerRules): ConnectionRules {
  return { messageBytesMax: limits.messageBytesMax, slowClient, idleTimeoutMs, ping };
}

function laneRules({ headerBytesMax, headerLinesMax, handshakeTimeoutMs }: HttpServerRules['limits']) {
  const bodyMs = handshakeTimeoutMs * REQUEST_TIMEOUTS_PER_HANDSHAKE;
  return { headerBytesMax, headerLinesMax, firstMs: handshakeTimeoutMs, idleMs: KEEP_ALIVE_MS, bodyMs };
}

function statusOf(errorCode: string | undefined): number {
  switch (errorCode) {
    case 'HPE_HEADER_OVERFLOW':
      return 431;
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return 413;
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return 408;
    default:
      return 400;
  }
}
