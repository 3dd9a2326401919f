/**
 * One call to an application, over as many attempts as it takes.
 *
 * An attempt is repeated at the same place only when the socket it was given had been kept alive and
 * turned out to be dead: always when nothing had been written, else only for methods that may be
 * repeated (RFC 9110 section 9.2.2). It is repeated at another backend only when not a byte was
 * handed over at the first. Redirects make further attempts too. Waiting is `http-client.ts`'s.
 */
import {
  type ClientRequest,
  type IncomingMessage,
  type Agent as PlainAgent,
  request as requestHttp,
} from 'node:http';
import { request as requestHttps, type Agent as SecureAgent } from 'node:https';
import type { Socket } from 'node:net';
import { type Cancellable, failed, LIMITS, type Result, type Timers } from '../../base/index.ts';
import type { CallbackSigner } from '../../relay/index.ts';
import { requestLines } from '../http/request-lines.ts';
import type { HttpAnswer, HttpCall, HttpFailure } from '../types.ts';
import type { CallbackBackends, RoutedCall } from './callback-backends.ts';
import { DialWatch } from './dial-watch.ts';
import { type Endpoint, endpointOf, parseEndpoint } from './endpoint.ts';
import { collectAnswer, headOf } from './http-answer.ts';
import { followRedirect, type HttpTarget, isSameEndpoint } from './redirect.ts';
import { REDIRECT_REFUSED, type RedirectGuard } from './redirect-guard.ts';

/** Heads of answers; what applications set in cookies and tokens fits, a flood of headers does not. */
const ANSWER_HEADER_BYTES_MAX = 64 * 1_024;
/** Up to here a copy costs less than the second buffer of a vectored write. */
const JOINED_BODY_BYTES_MAX = 16 * 1_024;
const REPEATABLE = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE']);

/** Who dials, by scheme. */
export interface Agents {
  readonly plain: PlainAgent;
  readonly secure: SecureAgent;
}

/** What calls share. */
export interface CallDoors {
  readonly timers: Timers;
  /** For the configured URLs. */
  readonly agents: Agents;
  /** For where redirects lead; they look names up through the guard, and keep no socket. */
  readonly guardedAgents: Agents;
  readonly guard: RedirectGuard;
  /** Signs what goes to the configured host and port; null: nothing is signed. */
  readonly sign: CallbackSigner | null;
  /** Chooses where calls with several URLs go; null: there are none. */
  readonly backends: CallbackBackends | null;
  /** Asked at the timeout: true when there is room to listen for a late answer. */
  mayLinger(): boolean;
  /** The call no longer counts as in flight. Called once, before `done`. */
  settled(call: RunningCall): void;
  /** No attempt of the call goes on any more. Called once, after `settled`. */
  ended(call: RunningCall): void;
}

type Done = (result: Result<HttpAnswer, HttpFailure>) => void;

/** A call on its way. `late`: its caller has been told of the timeout, and it may still be answered. */
export class RunningCall {
  readonly #call: HttpCall;
  readonly #done: Done;
  readonly #doors: CallDoors;
  #state: 'running' | 'late' | 'ended' = 'running';
  #request: ClientRequest | null = null;
  #bound: Cancellable | null = null;
  /** What has begun to come as the answer; null: nothing yet. */
  #response: IncomingMessage | null = null;
  #redirectsLeft: number;
  /** The URL that the caller named; of several, the one at the backend that is asked. */
  #configured: URL | null = null;
  /** Null for a call with one URL. */
  #route: RoutedCall | null = null;
  /** Bytes were written to a connection that stood: a backend may have read them. */
  #handedOver = false;

  constructor(call: HttpCall, done: Done, doors: CallDoors) {
    this.#call = call;
    this.#done = done;
    this.#doors = doors;
    this.#redirectsLeft = call.redirectsMax;
  }

  /** Dials, unless it was given up before. */
  start(): void {
    if (this.#state !== 'running') return;
    const { backends, timers } = this.#doors;
    const { timeoutMs } = this.#call;
    if (backends !== null) this.#route = backends.route(this.#call);
    if (timeoutMs > 0) this.#bound = timers.after(timeoutMs, () => this.#timeout());
    this.#begin(null);
  }

  /** Gives up at once; the caller is told so if it is still waiting. */
  abort(message: string): void {
    this.#route?.abandoned();
    this.#finish(failed({ kind: 'unreachable', message }));
  }

  /** At the URL of the call, or the next of several; `last`: how it went at the one before. */
  #begin(last: HttpFailure | null): void {
    const { method, headers, body } = this.#call;
    const route = this.#route;
    const address = route === null ? this.#call.url : route.next();
    if (address === null) {
      this.#finishSoon(last ?? (route as RoutedCall).refusal());
      return;
    }
    const endpoint = parseEndpoint(address);
    if (endpoint === null) {
      this.#finishSoon({ kind: 'bad_url', message: 'the URL is not a valid http or https URL' });
      return;
    }
    this.#configured = endpoint.url;
    this.#attempt({ method, url: endpoint.url, headers, body }, endpoint, false);
  }

  #attempt(target: HttpTarget, endpoint: Endpoint, repeated: boolean): void {
    let request: ClientRequest;
    let inflate: boolean;
    try {
      const head = requestLines(target, endpoint, this.#call.chunked === true);
      inflate = head.inflate;
      request = this.#open(target, endpoint, head.lines, repeated);
    } catch (error) {
      // A header that cannot be written: node:http says so by an exception, naming the header only.
      const code = (error as NodeJS.ErrnoException).code ?? 'error';
      this.#route?.abandoned();
      this.#finishSoon({ kind: 'malformed', message: `the request cannot be written (${code})` });
      return;
    }
    // As for the server: lines that are too many are no reason to read only some of them.
    request.maxHeadersCount = 0;
    this.#request = request;
    let socket: Socket | null = null;
    let writtenBefore = 0;
    let dial: DialWatch | null = null;
    let answered = false;
    const whole = wholeBody(request, target.body);
    request.on('socket', (given: Socket) => {
      socket = given;
      writtenBefore = given.bytesWritten;
      dial = this.#watchDial(request, given);
      if (whole !== null) writeWhole(request, given, whole);
    });
    request.on('response', (response) => {
      answered = true;
      this.#take(response, target, inflate);
    });
    request.on('error', (error: NodeJS.ErrnoException) => {
      if (this.#request !== request || answered) return;
      const nothingWritten = socket !== null && socket.bytesWritten === writtenBefore;
      const repeatable = nothingWritten || REPEATABLE.has(target.method);
      const untouched = nothingWritten || socket === null || dial?.stood === false;
      if (request.reusedSocket && !repeated && repeatable && isBroken(error)) {
        if (!untouched) this.#handedOver = true;
        this.#attempt(target, endpoint, true);
      } else {
        this.#unanswered(describeFailure(error, target.url), untouched);
      }
    });
    request.on('close', () => {
      if (this.#request !== request || answered) return;
      const message = `${endpoint.authority} closed the connection without an answer`;
      this.#finish(failed({ kind: 'unreachable', message }));
    });
    if (whole === null) endRequest(request, target.body);
  }

  /** Of several backends, one must not hold a call for the whole of its time only by not being there. */
  #watchDial(request: ClientRequest, socket: Socket): DialWatch | null {
    if (this.#route === null || request.reusedSocket) return null;
    return new DialWatch({ request, socket }, this.#route.dialTimeoutMs, this.#doors.timers);
  }

  /** `untouched`: not a byte of this attempt reached anybody, so that another backend may have the call. */
  #unanswered(failure: HttpFailure, untouched: boolean): void {
    if (this.#route === null || !untouched || this.#handedOver || this.#state !== 'running') {
      this.#finish(failed(failure));
      return;
    }
    this.#route.unreached();
    this.#begin(failure);
  }

  /** Redirects within the configured host and port are as good as its own answers. */
  #isConfigured(url: URL): boolean {
    const configured = this.#configured as URL;
    return url === configured || isSameEndpoint(url, configured);
  }

  #open(target: HttpTarget, endpoint: Endpoint, lines: string[], repeated: boolean): ClientRequest {
    const { method, body } = target;
    const { sign, agents, guardedAgents } = this.#doors;
    const { host, port, path, secure } = endpoint;
    const configured = this.#isConfigured(endpoint.url);
    // Whoever a redirect leads to could take a signature to the application.
    if (sign !== null && configured) lines.push(...sign({ method, target: path, headers: lines, body }));
    const pool = configured ? agents : guardedAgents;
    const options = {
      host,
      port,
      path,
      method,
      headers: lines,
      // Applications as simple as a shell script answer HTTP/1.0 with bare line feeds.
      insecureHTTPParser: true,
      maxHeaderSize: ANSWER_HEADER_BYTES_MAX,
      // A repeated attempt takes a fresh socket: others of the pool may be as dead as the first.
      agent: repeated ? false : secure ? pool.secure : pool.plain,
    };
    return secure ? requestHttps(options) : requestHttp(options);
  }

  #take(response: IncomingMessage, target: HttpTarget, inflate: boolean): void {
    const redirect = followRedirect(target, response.statusCode ?? 0, response.rawHeaders);
    if (redirect !== null && this.#call.redirectsMax > 0) {
      this.#handedOver = true;
      // The body of a redirect is of no interest, and reading it would tie up the call.
      response.on('error', ignore);
      response.destroy();
      if (redirect === 'bad_url') {
        this.#finish(failed({ kind: 'bad_url', message: `${target.url.host} redirects to an unusable URL` }));
      } else if (this.#redirectsLeft === 0) {
        const message = `more than ${this.#call.redirectsMax} redirects, the last from ${target.url.host}`;
        this.#finish(failed({ kind: 'redirects', message }));
      } else {
        this.#redirectsLeft--;
        this.#follow(redirect);
      }
      return;
    }
    this.#response = response;
    collectAnswer(response, { bytesMax: this.#call.replyBytesMax, inflate }, (result) =>
      this.#finish(result),
    );
  }

  #follow(target: HttpTarget): void {
    const endpoint = endpointOf(target.url);
    const isAllowed = this.#isConfigured(target.url);
    const refusal = isAllowed ? null : this.#doors.guard.literalRefusal(endpoint.host);
    if (refusal === null) this.#attempt(target, endpoint, false);
    else this.#finish(failed({ kind: 'redirects', message: refusal.message }));
  }

  #timeout(): void {
    this.#route?.ended(this.#timedOut(null));
    if (this.#call.lateAnswer === undefined || !this.#doors.mayLinger()) {
      this.#finish(this.#timedOut(this.#response));
      return;
    }
    this.#state = 'late';
    this.#bound = this.#doors.timers.after(LIMITS.lateAnswerMs, () =>
      this.#finish(this.#timedOut(this.#response)),
    );
    this.#doors.settled(this);
    // What was heard so far is told with the rest of the answer.
    this.#done(this.#timedOut(null));
  }

  #timedOut(response: IncomingMessage | null): Result<never, HttpFailure> {
    const message = `no whole answer within ${this.#call.timeoutMs} ms`;
    return failed({ kind: 'timeout', message, ...(response === null ? {} : { head: headOf(response) }) });
  }

  /** Callers are never called back within their own call. */
  #finishSoon(failure: HttpFailure): void {
    queueMicrotask(() => this.#finish(failed(failure)));
  }

  #finish(result: Result<HttpAnswer, HttpFailure>): void {
    const state = this.#state;
    if (state === 'ended') return;
    this.#state = 'ended';
    this.#route?.ended(result);
    this.#bound?.cancel();
    const request = this.#request;
    this.#request = null;
    this.#response = null;
    // After a whole answer the socket belongs to the pool again.
    if (!result.ok) request?.destroy();
    if (state === 'running') this.#doors.settled(this);
    this.#doors.ended(this);
    if (state === 'running') this.#done(result);
    else this.#call.lateAnswer?.(result);
  }
}

/**
 * A small body as it goes onto the wire behind the head, for one write of one string: node:http joins
 * head and string, but would write each part of a chunk by itself. Null: node:http writes the body.
 */
function wholeBody(request: ClientRequest, body: Uint8Array | null): string | null {
  if (body === null || body.length === 0 || body.length > JOINED_BODY_BYTES_MAX) return null;
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.length).toString('latin1');
  if (!request.chunkedEncoding) return bytes;
  // The head, which is made already, says that chunks follow. Here they are; it need not make any.
  request.chunkedEncoding = false;
  return `${body.length.toString(16)}\r\n${bytes}\r\n0\r\n\r\n`;
}

/** Writes a request in one piece: node:http holds back what is written, unless the socket is uncorked. */
function writeWhole(request: ClientRequest, socket: Socket, body: string): void {
  request.write(body, 'latin1');
  socket.uncork();
  request.end();
}

function endRequest(request: ClientRequest, body: Uint8Array | null): void {
  if (body === null || body.length === 0) request.end();
  else request.end(body);
}

function isBroken(error: NodeJS.ErrnoException): boolean {
  return error.code === 'ECONNRESET' || error.code === 'EPIPE';
}

function ignore(): void {
  // Destroying an answer on purpose may be reported as an error.
}

/** Names the host and the system's error; URLs may hold secrets in their query. */
function describeFailure(error: NodeJS.ErrnoException, url: URL): HttpFailure {
  const code = error.code ?? error.name;
  if (code === REDIRECT_REFUSED) return { kind: 'redirects', message: error.message };
  if (code.startsWith('HPE_'))
    return { kind: 'malformed', message: `${url.host} does not speak HTTP (${code})` };
  return { kind: 'unreachable', message: `${url.host} cannot be reached (${code})` };
}
