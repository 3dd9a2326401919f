/**
 * The doors of `net/`: what roles see of HTTP and WebSocket.
 *
 * A role never sees a socket, a parser or the WebSocket library; codec and writer can be replaced
 * by faster ones without a change outside this room.
 */
import type { Result } from '../base/index.ts';
import type { ClientTls } from '../relay/index.ts';

/** A bound listening socket, as the supervisor hands it over. Opaque to all but `net/` and `process/`. */
export type ListenHandle = object & { readonly listenHandle?: never };

/** Header lines in the order of the wire: name, value, name, value. */
export type RawHeaders = readonly string[];

/** One HTTP request, its body not yet read. */
export interface HttpRequest {
  readonly method: string;
  /** Path as sent, without the query. */
  readonly path: string;
  /** Query as sent, without the question mark; empty when there is none. */
  readonly query: string;
  readonly httpVersion: string;
  readonly rawHeaders: RawHeaders;
  /** Address of the peer, or what its PROXY header said; empty for a unix socket. */
  readonly remoteAddress: string;
  /** What TLS showed of the client; null where it is not spoken. */
  readonly tls: ClientTls | null;
  /** The first line of that name (any case), or undefined. */
  header(name: string): string | undefined;
  /** Every line of that name (any case), in order, none of them split at commas. */
  headerLines(name: string): string[];
  /**
   * Reads the whole body. `too_large` is answered as soon as `bytesMax` is passed (the connection
   * is then closed after the answer); `gone` when the client left. `done` is called exactly once,
   * perhaps before this returns.
   */
  body(bytesMax: number, done: (body: Result<Uint8Array, 'too_large' | 'gone'>) => void): void;
}

/** The answer to one request. */
export interface HttpResponse {
  /**
   * Sends everything in one piece, at the end of this turn at the latest; a second call is a bug.
   * Harmless when the client is gone.
   */
  send(status: number, headers: RawHeaders, body: string | Uint8Array): void;
  /** The same to a request whose body nobody wants any more; the connection closes behind it. */
  sendLast(status: number, headers: RawHeaders, body: string | Uint8Array): void;
  /** In the place of `send`: the head goes out at once, and the body as it is made. */
  begin(status: number, headers: RawHeaders): LongAnswer;
  /** True when the client left before the answer. */
  readonly gone: boolean;
}

/** An answer whose body is made while it is sent. `end` or `breakOff` is the last call. */
export interface LongAnswer {
  /**
   * Sends the next part. `done` is called when there is room for another: true; or when the client is
   * gone: false. One part is under way at a time.
   */
  write(part: Uint8Array, done: (alive: boolean) => void): void;
  /** That was all. */
  end(): void;
  /** There is no more although there should be: cuts the connection, so that the client knows. */
  breakOff(): void;
}

/** A request that asks for an upgrade, waiting for a verdict. Exactly one of refuse/accept follows. */
export interface UpgradeRequest extends HttpRequest {
  /** True when the client sent bytes before it was answered. */
  readonly earlyData: boolean;
  /** True when the client left while it waited. */
  readonly gone: boolean;
  /** Answers with an ordinary HTTP response and closes the socket. */
  refuse(status: number, headers: RawHeaders, body: string | Uint8Array): void;
  /** Closes the socket without an answer. */
  abandon(): void;
  /**
   * Writes the 101 and returns the connection; null when the client is gone. `protocol`: the
   * subprotocol that both sides agree on, a token.
   */
  accept<Context>(
    context: Context,
    events: ConnectionEvents<Context>,
    protocol?: string | null,
  ): Connection<Context> | null;
}

/** What a listener does with what arrives. Both are called synchronously as the head is parsed. */
export interface HttpHandlers {
  request(request: HttpRequest, response: HttpResponse): void;
  /** Absent: upgrade requests are handled as plain requests. */
  upgrade?(request: UpgradeRequest): void;
}

/** Why a connection ended, as the transport saw it. */
export type EndCause =
  /** The client sent a close frame. */
  | 'client_close'
  /** The socket ended or broke without a close frame. */
  | 'client_gone'
  | 'protocol_error'
  | 'invalid_utf8'
  | 'message_too_large'
  | 'idle'
  | 'ping_timeout'
  | 'slow'
  /** `close` or `terminate` was called by the role. */
  | 'server';

/** How a connection ended, as the transport saw it. */
export interface ConnectionEnd {
  readonly cause: EndCause;
  /** The close code received or sent; 1006 when there was none. */
  readonly code: number;
  /** The close reason received or sent. */
  readonly reason: string;
}

/** One object serves all connections of a role, so that a connection costs no closures. */
export interface ConnectionEvents<Context> {
  message(connection: Connection<Context>, payload: Uint8Array, binary: boolean): void;
  /**
   * Exactly once, at the first sign of the end: a close frame received, a broken socket, or our
   * own `close`/`terminate` (then before that call returns). The close handshake may go on inside.
   */
  ended(connection: Connection<Context>, end: ConnectionEnd): void;
}

/** A message, framed once, to be written to any number of connections. */
export interface Frame {
  /** Bytes of the whole frame, header included. */
  readonly byteLength: number;
}

/** What became of a frame given to `send`. */
export type SendOutcome =
  /** Queued behind what came before; it goes out at the end of this turn. */
  | 'queued'
  /** Refused: the queue is full and the policy is `drop_newest`. */
  | 'dropped'
  /** The connection has ended, or ended now because its queue is full and the policy is `close`. */
  | 'closed';

/** One client WebSocket after its 101. */
export interface Connection<Context = unknown> {
  readonly context: Context;
  readonly open: boolean;
  /** Bytes and messages accepted but not yet taken by the kernel. */
  readonly queuedBytes: number;
  readonly queuedMessages: number;
  send(frame: Frame): SendOutcome;
  /**
   * Sends `farewell` if given, then a close frame, behind everything queued; the socket is cut 5 s
   * later at the latest.
   */
  close(code: number, reason: string, farewell?: Frame): void;
  /** Forgets everything queued, sends a close frame and waits for no answer to it. */
  shed(code: number, reason: string): void;
  /** Cuts the socket at once. */
  terminate(): void;
  /** Stops and resumes reading from the client. */
  pauseReading(): void;
  resumeReading(): void;
}

/** One request of ours to an application. */
export interface HttpCall {
  readonly method: string;
  readonly url: string;
  /** Where there are several backends: the URL at each, and the configured list that they come from. */
  readonly urls?: readonly string[];
  readonly list?: readonly string[];
  /** Sent as they are, `Host`, `Content-Length` and `Transfer-Encoding` excepted. */
  readonly headers: RawHeaders;
  readonly body: Uint8Array | null;
  /** True: the body is sent chunked even when its length is known. */
  readonly chunked?: boolean;
  /** Dialling to the last byte of the answer; 0: no bound. */
  readonly timeoutMs: number;
  readonly replyBytesMax: number;
  /** Redirects to follow; 0: a 3xx is an answer like any other. */
  readonly redirectsMax: number;
  /** Called once after a timeout, `LIMITS.lateAnswerMs` later at the most, with what came in the end. */
  readonly lateAnswer?: ((outcome: Result<HttpAnswer, HttpFailure>) => void) | undefined;
}

/** Status and headers of an answer to a call of ours. */
export interface HttpAnswerHead {
  readonly status: number;
  readonly rawHeaders: RawHeaders;
  /** The first line of that name (any case), or undefined. */
  header(name: string): string | undefined;
  /** Every line of that name (any case), in order, none of them split at commas. */
  headerLines(name: string): string[];
}

/** A whole answer to one of our requests. */
export interface HttpAnswer extends HttpAnswerHead {
  readonly body: Uint8Array;
}

/** Why a call has no answer. `message` is for logs and never holds a body or a secret. */
export interface HttpFailure {
  readonly kind:
    | 'bad_url'
    | 'unreachable'
    | 'timeout'
    | 'malformed'
    | 'too_large'
    | 'busy'
    | 'redirects'
    | 'no_backend';
  readonly message: string;
  /** Of `no_backend`: when one of those that rest may be asked again. */
  readonly retryAfterMs?: number;
  /** The head of the answer, where one came and its body did not arrive whole. */
  readonly head?: HttpAnswerHead;
}
