/**
 * One connection to one server, which carries one call after another.
 *
 * Knows nothing of pools and deadlines: `lean-client.ts` gives it a call when it has none, and cuts
 * it when the call is overdue. An answer that is cut short or followed by more ends the connection.
 */
import { connect as connectTcp, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import { failed, ok, type Result } from '../../base/index.ts';
import { HeaderText } from '../http/plain-response.ts';
import type { HttpAnswer, HttpFailure, RawHeaders } from '../types.ts';
import { AnswerReader } from './answer-reader.ts';

/** Up to here a copy costs less than a second system call. */
const JOINED_BODY_BYTES_MAX = 64 * 1_024;

const headerText = new HeaderText();

/** Where a server listens. */
export interface LeanPlace {
  readonly host: string;
  readonly port: number;
  /** What `Host` says. */
  readonly shown: string;
  /** How TLS is spoken; null: not at all. */
  readonly tls: ConnectionOptions | null;
}

/** One request; `path` with its query. */
export interface LeanRequest {
  readonly method: string;
  readonly path: string;
  /** Sent as they are; `Host` and `Content-Length` are added. */
  readonly headers: RawHeaders;
  /** Makes further lines at the moment of writing, however long the call has waited before. */
  readonly sign?: () => RawHeaders;
  /** Text goes out as UTF-8. */
  readonly body: string | Uint8Array;
  readonly answerBytesMax: number;
}

/** What a connection tells its pool. */
export interface LeanEvents {
  /** The call has its answer, or has none. `connection` may carry another unless it is closed. */
  settled(connection: LeanConnection, outcome: Result<HttpAnswer, HttpFailure>): void;
  /** No call goes over it any more. After `settled`, if there was a call. */
  closed(connection: LeanConnection): void;
}

/** A socket and at most one call on it. */
export class LeanConnection {
  readonly #place: LeanPlace;
  readonly #events: LeanEvents;
  readonly #socket: Socket;
  #reader: AnswerReader | null = null;
  #error: NodeJS.ErrnoException | null = null;
  #open = true;
  /** Set by the pool when a call ends. */
  idleSinceMs = 0;

  constructor(place: LeanPlace, events: LeanEvents) {
    this.#place = place;
    this.#events = events;
    this.#socket = dial(place);
    this.#socket.on('data', (chunk) => this.#read(chunk as Buffer));
    this.#socket.on('error', (error) => {
      this.#error = error;
    });
    this.#socket.on('end', () => this.#ended());
    this.#socket.on('close', () => this.#gone());
  }

  get isOpen(): boolean {
    return this.#open;
  }

  /** True while the connection is not made yet. */
  get isDialling(): boolean {
    const socket = this.#socket as Socket & { secureConnecting?: boolean };
    return socket.connecting || socket.secureConnecting === true;
  }

  /** Sends a request. Only when no call is under way. */
  carry(request: LeanRequest): void {
    this.#reader = new AnswerReader(request.answerBytesMax);
    this.#socket.ref();
    const { body } = request;
    const bytes = typeof body === 'string' ? Buffer.byteLength(body) : body.length;
    const head = headOf(request, this.#place, bytes);
    // As many bytes as characters: then both mean the same in either encoding, and nothing is copied.
    if (typeof body === 'string' && bytes === body.length) this.#socket.write(head + body, 'latin1');
    else this.#write(head, typeof body === 'string' ? Buffer.from(body) : body);
  }

  #write(head: string, body: Uint8Array): void {
    if (body.length > JOINED_BODY_BYTES_MAX) {
      this.#socket.cork();
      this.#socket.write(head, 'latin1');
      this.#socket.write(body);
      this.#socket.uncork();
      return;
    }
    const bytes = Buffer.allocUnsafe(head.length + body.length);
    bytes.write(head, 'latin1');
    bytes.set(body, head.length);
    this.#socket.write(bytes);
  }

  /** Ends the connection, and its call if there is one. */
  cut(failure: HttpFailure): void {
    this.#open = false;
    this.#settle(failed(failure));
    this.#socket.destroy();
  }

  #read(chunk: Buffer): void {
    if (this.#reader === null) {
      this.#leave();
      return;
    }
    const reading = this.#reader.push(chunk);
    if (reading !== 'more') this.#conclude(this.#reader, reading);
  }

  #ended(): void {
    const reader = this.#reader;
    if (reader === null) this.#leave();
    else if (!reader.isUntouched) this.#conclude(reader, reader.end());
  }

  /** The server has nothing to say while nothing is asked, but that it goes. */
  #leave(): void {
    this.#open = false;
    this.#socket.destroy();
  }

  #conclude(reader: AnswerReader, reading: 'whole' | 'malformed' | 'too_large' | 'more'): void {
    const whole = reading === 'whole';
    if (!whole || !reader.isReusable) this.#open = false;
    if (whole) this.#settle(ok(reader.answer()));
    else if (reading === 'too_large') this.#fail('too_large', 'the answer is too large');
    else this.#fail('malformed', 'the answer is no HTTP, or was cut short');
    if (!this.#open) this.#socket.destroy();
  }

  #gone(): void {
    this.#open = false;
    const why = this.#error?.code ?? this.#error?.message ?? 'closed without an answer';
    this.#fail('unreachable', `${this.#place.shown}: ${why}`);
    this.#events.closed(this);
  }

  #fail(kind: HttpFailure['kind'], message: string): void {
    this.#settle(failed({ kind, message }));
  }

  #settle(outcome: Result<HttpAnswer, HttpFailure>): void {
    if (this.#reader === null) return;
    this.#reader = null;
    if (!outcome.ok) this.#open = false;
    // An idle connection keeps no process alive.
    this.#socket.unref();
    this.#events.settled(this, outcome);
  }
}

function dial({ host, port, tls }: LeanPlace): Socket {
  if (tls === null) return connectTcp({ host, port, noDelay: true });
  const socket = connectTls({ host, port, ALPNProtocols: ['http/1.1'], ...tls });
  socket.setNoDelay(true);
  return socket;
}

function headOf(
  { method, path, headers, sign }: LeanRequest,
  { shown }: LeanPlace,
  bodyBytes: number,
): string {
  const signed = sign?.() ?? [];
  const signature = signed.length === 0 ? '' : new HeaderText().of(signed);
  const head = `${method} ${path} HTTP/1.1\r\nHost: ${shown}\r\n${headerText.of(headers)}${signature}`;
  return `${head}Content-Length: ${bodyBytes}\r\n\r\n`;
}
