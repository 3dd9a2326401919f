/**
 * One HTTP request and its answer, as thin coats over node:http's objects.
 *
 * They add what the door promises (header lines as sent, a bounded body, an answer in one piece)
 * and hide the rest. `http-server.ts` makes them; routing is the roles' business.
 */
import { IncomingMessage, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { assert, type Clock, failed, ok, type Result } from '../../base/index.ts';
import type { ClientTls } from '../../relay/index.ts';
import { tlsClientOf } from '../client/tls-client.ts';
import type { HttpRequest, HttpResponse, LongAnswer, RawHeaders } from '../types.ts';
import type { FanOutWriter, TurnWriter } from '../websocket/fan-out-writer.ts';
import type { BodyDeadlines } from './body-deadlines.ts';
import { findHeader, findHeaderLines } from './header-lookup.ts';
import type { LingeringClose } from './lingering-close.ts';
import { StreamedAnswer } from './long-answer.ts';
import { type HeadFacts, lowerCaseHead } from './lower-case-head.ts';
import { mayHaveBody, safeHeaders } from './plain-response.ts';
import { remoteAddressOf } from './proxied-sockets.ts';

const NO_BYTES = new Uint8Array(0);

const WISH = Symbol('upgrade');

type BodyDone = (body: Result<Uint8Array, 'too_large' | 'gone'>) => void;

/**
 * node:http hands every request with an `Upgrade` header to the upgrade listener, body and all.
 * Some HTTP clients offer `h2c` with each POST, so only a wish for a WebSocket counts here.
 */
export class ParsedRequest extends IncomingMessage {
  // No field of this class may be private or initialized: node assigns `upgrade` in its constructor.
  declare [WISH]: boolean;

  get upgrade(): boolean {
    return this[WISH] && asksForWebSocket(this.rawHeaders);
  }

  set upgrade(wish: boolean | null) {
    this[WISH] = wish === true;
  }
}

function asksForWebSocket(headers: RawHeaders): boolean {
  return findHeaderLines(headers, 'upgrade').some((line) => /\bwebsocket\b/i.test(line));
}

/** The head of a request; what plain requests and upgrade requests have in common. */
export class RequestHead {
  protected readonly message: IncomingMessage;
  readonly #queryAt: number;

  constructor(message: IncomingMessage) {
    this.message = message;
    this.#queryAt = (message.url as string).indexOf('?');
  }

  get method(): string {
    return this.message.method as string;
  }

  get path(): string {
    const url = this.message.url as string;
    return this.#queryAt === -1 ? url : url.slice(0, this.#queryAt);
  }

  get query(): string {
    return this.#queryAt === -1 ? '' : (this.message.url as string).slice(this.#queryAt + 1);
  }

  get httpVersion(): string {
    return this.message.httpVersion;
  }

  get rawHeaders(): RawHeaders {
    return this.message.rawHeaders;
  }

  get remoteAddress(): string {
    return remoteAddressOf(this.message.socket);
  }

  get tls(): ClientTls | null {
    return tlsClientOf(this.message.socket);
  }

  header(name: string): string | undefined {
    return findHeader(this.message.rawHeaders, name);
  }

  headerLines(name: string): string[] {
    return findHeaderLines(this.message.rawHeaders, name);
  }
}

const BODY = Symbol('body');
type ReadMessage = IncomingMessage & { [BODY]?: BodyReader };

/** Collects one body. Most bodies are one chunk, which is handed on as it came. */
class BodyReader {
  readonly #bytesMax: number;
  readonly #exchange: PlainExchange;
  readonly #done: BodyDone;
  #first: Buffer | null = null;
  #chunks: Buffer[] | null = null;
  #bytes = 0;
  #finished = false;

  constructor(exchange: PlainExchange, bytesMax: number, done: BodyDone) {
    this.#exchange = exchange;
    this.#bytesMax = bytesMax;
    this.#done = done;
  }

  add(chunk: Buffer): void {
    if (this.#finished) return;
    this.#bytes += chunk.length;
    if (this.#bytes > this.#bytesMax) this.overflow();
    else if (this.#first === null) this.#first = chunk;
    else if (this.#chunks === null) this.#chunks = [this.#first, chunk];
    else this.#chunks.push(chunk);
  }

  end(): void {
    if (this.#chunks !== null) this.#finish(ok(Buffer.concat(this.#chunks, this.#bytes)));
    else this.#finish(ok(this.#first ?? NO_BYTES));
  }

  overflow(): void {
    this.#exchange.bodyRefused = true;
    this.#finish(failed('too_large'));
  }

  gone(): void {
    this.#finish(failed('gone'));
  }

  #finish(result: Result<Uint8Array, 'too_large' | 'gone'>): void {
    if (this.#finished) return;
    this.#finished = true;
    this.#first = null;
    this.#chunks = null;
    this.#done(result);
  }
}

function onBodyData(this: ReadMessage, chunk: Buffer): void {
  this[BODY]?.add(chunk);
}

function onBodyEnd(this: ReadMessage): void {
  this[BODY]?.end();
}

function onBodyClose(this: ReadMessage): void {
  this[BODY]?.gone();
}

function onBodyError(): void {
  // An aborted request says so twice; `close` follows.
}

/** A plain request. */
export class PlainRequest extends RequestHead implements HttpRequest {
  readonly #exchange: PlainExchange;

  constructor(message: IncomingMessage, exchange: PlainExchange) {
    super(message);
    this.#exchange = exchange;
  }

  /** What streams are made of; for this room only. */
  get streams(): { readonly message: IncomingMessage; readonly exchange: PlainExchange } {
    return { message: this.message, exchange: this.#exchange };
  }

  body(bytesMax: number, done: BodyDone): void {
    const reader = new BodyReader(this.#exchange, bytesMax, done);
    const announced = this.header('content-length');
    if (announced !== undefined && Number(announced) > bytesMax) {
      reader.overflow();
      return;
    }
    if (this.message.destroyed) {
      reader.gone();
      return;
    }
    this.#exchange.invite();
    const message = this.message as ReadMessage;
    message[BODY] = reader;
    message.on('data', onBodyData);
    message.on('end', onBodyEnd);
    message.on('error', onBodyError);
    message.on('close', onBodyClose);
  }
}

/** What answers are made with; one for a whole server. */
export interface ExchangeDoors {
  readonly lingering: LingeringClose;
  readonly writer: FanOutWriter;
  /** Looks after the time that bodies take; null: node:http does. */
  readonly bodies: BodyDeadlines | null;
  readonly clock: Clock;
  /** Whether all header names of answers are in lower case. */
  readonly lowerCase: boolean;
}

interface Answer {
  readonly status: number;
  readonly headers: RawHeaders;
  readonly body: string | Uint8Array;
}

/** The answering side of a plain request. */
export class PlainExchange implements HttpResponse, TurnWriter {
  /** Set when the body was not read to its end, so that the connection cannot be used again. */
  bodyRefused = false;
  /** For this room only. */
  readonly response: ServerResponse;
  readonly #doors: ExchangeDoors;
  #expectsContinue: boolean;
  #answer: Answer | null = null;

  constructor(response: ServerResponse, doors: ExchangeDoors, expectsContinue: boolean) {
    this.response = response;
    this.#doors = doors;
    this.#expectsContinue = expectsContinue;
  }

  get gone(): boolean {
    return this.response.destroyed && !this.response.writableEnded;
  }

  /** True while the client waits to be invited to send its body. */
  get expectsContinue(): boolean {
    return this.#expectsContinue;
  }

  /** Somebody else looks after the time that the body takes. */
  takeOverBody(): void {
    this.#doors.bodies?.release(this.response.req);
  }

  /** When the answer is out, the client may read it in peace although it is still sending. */
  lingerAfterwards(): void {
    const { socket } = this.response;
    if (socket === null) return;
    // node:http would cut the socket, and a reset may overtake the answer.
    socket.destroySoon = () => this.#doors.lingering.end(socket);
  }

  /** Tells a client that waits for it to send the body (RFC 9110 section 10.1.1). */
  invite(): void {
    if (!this.#expectsContinue) return;
    this.#expectsContinue = false;
    this.response.writeContinue();
  }

  send(status: number, headers: RawHeaders, body: string | Uint8Array): void {
    assert(this.#answer === null, 'a request is answered once');
    this.#answer = { status, headers, body };
    this.#doors.writer.enlistAnswer(this);
  }

  begin(status: number, headers: RawHeaders): LongAnswer {
    assert(this.#answer === null, 'a request is answered once');
    this.#answer = { status, headers, body: NO_BYTES };
    return new StreamedAnswer(this.response, status, this.#headOf(headers, 'unknown'));
  }

  /** Sends the answer to a request whose body nobody wants, and closes the connection behind it. */
  sendLast(status: number, headers: RawHeaders, body: string | Uint8Array): void {
    this.bodyRefused = true;
    this.send(status, headers, body);
  }

  /** Writes the answer, unless the client has left meanwhile. Called by the writer at the end of the turn. */
  writeTurn(): void {
    if (this.#answer === null || this.response.destroyed) return;
    if (this.bodyRefused) this.#writeLast(this.#answer);
    else this.#write(this.#answer);
  }

  #write({ status, headers, body }: Answer): void {
    const response = this.response;
    const bytes = typeof body === 'string' ? Buffer.byteLength(body) : body.length;
    response.writeHead(status, this.#headOf(headers, mayHaveBody(status) ? bytes : 'none'));
    if (typeof body === 'string' && body !== '' && response.socket !== null && mayHaveBody(status)) {
      writeInOne(response, response.socket, body);
    } else {
      response.end(body);
    }
  }

  #headOf(headers: RawHeaders, bytes: HeadFacts['bytes']): string[] {
    // A client that was never invited to send its body will not do so now (and may not reuse the
    // connection either, as nobody can tell whether the next bytes are that body).
    const closes = this.#expectsContinue;
    const { lowerCase, clock } = this.#doors;
    if (lowerCase) return lowerCaseHead(this.response, headers, { bytes, closes, wallMs: clock.wallMs() });
    const lines = safeHeaders(headers);
    if (typeof bytes === 'number') lines.push('Content-Length', String(bytes));
    if (closes) lines.push('Connection', 'close');
    return lines;
  }

  #writeLast({ status, headers, body }: Answer): void {
    const { req: message, socket } = this.response;
    if (socket === null) {
      // Earlier answers of this connection are still to come, and nothing may overtake them.
      message.socket.destroy();
      return;
    }
    // What is still to come of the body is thrown away until the socket is cut.
    message.resume();
    const { lowerCase } = this.#doors;
    this.#doors.lingering.answer(socket, { status, headers, body, method: message.method, lowerCase });
  }
}

/**
 * Writes head and body as one string. By itself node:http would add an empty one to learn when the
 * answer is out, and two strings take the system's costlier way of writing.
 */
function writeInOne(response: ServerResponse, socket: Socket, body: string): void {
  response.write(body);
  socket.uncork();
  response.end();
}
