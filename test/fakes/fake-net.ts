/**
 * Clients and applications at a gateway's listeners, without sockets.
 *
 * Keeps the promises of `net/types.ts`, in order and with assertions where the real thing asserts.
 * What the gateway does is written down; what clients do is called by the test.
 */
import { assert, failed, ok, type Result } from '../../src/base/index.ts';
import type {
  Connection,
  ConnectionEnd,
  ConnectionEvents,
  EndCause,
  Frame,
  HttpHandlers,
  HttpRequest,
  HttpResponse,
  HttpServer,
  ListenHandle,
  LongAnswer,
  RawHeaders,
  SendOutcome,
  UpgradeRequest,
} from '../../src/net/index.ts';
import { headerLines } from './fake-application.ts';

/** What a request consists of. */
export interface RequestText {
  readonly method?: string;
  readonly path: string;
  readonly query?: string;
  readonly headers?: readonly string[];
  readonly body?: string;
}

type BodyDone = (body: Result<Uint8Array, 'too_large' | 'gone'>) => void;

/** A plain request and its answer. */
export class FakeRequest implements HttpRequest {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly httpVersion = '1.1';
  readonly rawHeaders: RawHeaders;
  readonly remoteAddress = '127.0.0.1';
  readonly tls = null;
  bodyRead = false;
  readonly #body: Uint8Array;

  constructor({ method = 'GET', path, query = '', headers = [], body = '' }: RequestText) {
    this.method = method;
    this.path = path;
    this.query = query;
    this.rawHeaders = headers;
    this.#body = Buffer.from(body, 'latin1');
  }

  header(name: string): string | undefined {
    return headerLines(this.rawHeaders, name)[0];
  }

  headerLines(name: string): string[] {
    return headerLines(this.rawHeaders, name);
  }

  body(bytesMax: number, done: BodyDone): void {
    this.bodyRead = true;
    done(this.#body.length > bytesMax ? failed('too_large') : ok(this.#body));
  }
}

/** An answer as its client reads it. */
export interface ReadAnswer {
  readonly status: number;
  readonly headers: RawHeaders;
  readonly body: string;
}

/** Takes the answer to one request. */
export class FakeResponse implements HttpResponse {
  gone = false;
  answer: ReadAnswer | null = null;
  /** Of an answer that is made while it is sent. */
  readonly parts: Uint8Array[] = [];
  brokenOff = false;

  send(status: number, headers: RawHeaders, body: string | Uint8Array): void {
    assert(this.answer === null, 'a request is answered once');
    this.answer = { status, headers, body: textOf(body) };
  }

  sendLast(status: number, headers: RawHeaders, body: string | Uint8Array): void {
    this.send(status, headers, body);
  }

  /** The parts as they come; `answer` is there when they have ended. */
  begin(status: number, headers: RawHeaders): LongAnswer {
    assert(this.answer === null, 'a request is answered once');
    return {
      write: (part, done) => {
        this.parts.push(part);
        queueMicrotask(() => done(!this.gone));
      },
      end: () => this.send(status, headers, Buffer.concat(this.parts)),
      breakOff: () => {
        this.brokenOff = true;
      },
    };
  }
}

/** A client that asks for a WebSocket. */
export class FakeUpgrade extends FakeRequest implements UpgradeRequest {
  earlyData = false;
  gone = false;
  refused: ReadAnswer | null = null;
  abandoned = false;
  connection: FakeConnection | null = null;
  /** Called as the 101 is written. */
  onAccept: () => void = () => {};
  #verdicts = 0;

  constructor({ headers = [], path = '/connect', query = '' }: Partial<RequestText> = {}) {
    super({ path, query, headers: [...UPGRADE_HEADERS, ...headers] });
  }

  get waiting(): boolean {
    return this.#verdicts === 0;
  }

  refuse(status: number, headers: RawHeaders, body: string | Uint8Array): void {
    this.#settle();
    if (!this.gone) this.refused = { status, headers, body: textOf(body) };
  }

  abandon(): void {
    this.#settle();
    this.abandoned = true;
  }

  accept<Context>(context: Context, events: ConnectionEvents<Context>): Connection<Context> | null {
    this.#settle();
    if (this.gone) return null;
    const connection = new FakeConnection(context, events as ConnectionEvents<unknown>);
    this.connection = connection;
    this.onAccept();
    return connection as Connection<Context>;
  }

  /** The client leaves, whatever it has got so far. */
  leave(): void {
    if (this.waiting) this.gone = true;
    else this.connection?.vanish();
  }

  #settle(): void {
    assert(this.#verdicts === 0, 'an upgrade request gets one verdict');
    this.#verdicts++;
  }
}

/** A client's WebSocket; what it received is readable text. */
export class FakeConnection implements Connection<unknown> {
  readonly context: unknown;
  readonly received: string[] = [];
  /** The close frame that the gateway sent. */
  closed: { readonly code: number; readonly reason: string } | null = null;
  /** What becomes of frames: taken, refused, or the end of a slow client. */
  takes: 'all' | 'nothing' | 'ends as slow' = 'all';
  readingPaused = false;
  open = true;
  /** What the test says that waits for this client. */
  queuedBytes = 0;
  readonly queuedMessages = 0;
  readonly #events: ConnectionEvents<unknown>;

  constructor(context: unknown, events: ConnectionEvents<unknown>) {
    this.context = context;
    this.#events = events;
  }

  send(frame: Frame): SendOutcome {
    if (!this.open) return 'closed';
    if (this.takes === 'nothing') return 'dropped';
    if (this.takes === 'ends as slow') {
      this.end('slow', 1013);
      return 'closed';
    }
    this.received.push(payloadText(frame));
    return 'queued';
  }

  close(code: number, reason: string, farewell?: Frame): void {
    if (!this.open) return;
    if (farewell !== undefined) this.received.push(payloadText(farewell));
    this.closed = { code, reason };
    this.end('server', code, reason);
  }

  shed(code: number, reason: string): void {
    this.queuedBytes = 0;
    this.close(code, reason);
  }

  terminate(): void {
    if (this.open) this.end('server', 1006);
  }

  pauseReading(): void {
    this.readingPaused = true;
  }

  resumeReading(): void {
    this.readingPaused = false;
  }

  /** The client says something. */
  say(text: string, binary = false): void {
    if (this.open) this.#events.message(this, Buffer.from(text, 'latin1'), binary);
  }

  /** The client closes. */
  leave(code = 1000): void {
    this.end('client_close', code);
  }

  /** The client's socket breaks. */
  vanish(): void {
    this.end('client_gone', 1006);
  }

  /** The connection ends for that cause. */
  end(cause: EndCause, code: number, reason = ''): void {
    if (!this.open) return;
    this.open = false;
    const end: ConnectionEnd = { cause, code, reason };
    this.#events.ended(this, end);
  }
}

/** One listener's server: the test plays the network. */
export class FakeServer {
  readonly handlers: HttpHandlers;
  listening = false;
  closedWithinMs: number | null = null;
  readonly upgrades: FakeUpgrade[] = [];

  constructor(handlers: HttpHandlers) {
    this.handlers = handlers;
  }

  /** As the door is typed; a class with private fields cannot be implemented from outside. */
  get door(): HttpServer {
    return this as unknown as HttpServer;
  }

  listen(_handle: ListenHandle): void {
    this.listening = true;
  }

  stopListening(): void {
    this.listening = false;
  }

  async close(timeoutMs: number): Promise<void> {
    this.listening = false;
    this.closedWithinMs = timeoutMs;
    for (const { connection } of this.upgrades) connection?.terminate();
  }

  request(text: RequestText): FakeResponse {
    const response = new FakeResponse();
    this.handlers.request(new FakeRequest(text), response);
    return response;
  }

  upgrade(upgrade: FakeUpgrade): FakeUpgrade {
    this.upgrades.push(upgrade);
    this.handlers.upgrade?.(upgrade);
    return upgrade;
  }
}

const UPGRADE_HEADERS = [
  ...['Host', 'arrokoth.test', 'Connection', 'Upgrade', 'Upgrade', 'websocket'],
  ...['Sec-WebSocket-Version', '13', 'Sec-WebSocket-Key', 'dGhlIHNhbXBsZSBub25jZQ=='],
];

function textOf(body: string | Uint8Array): string {
  return typeof body === 'string' ? body : Buffer.from(body).toString('latin1');
}

/** The payload of an unfragmented, unmasked frame. */
function payloadText(frame: Frame): string {
  const { bytes } = frame as Frame & { readonly bytes: Buffer };
  const length = (bytes[1] as number) & 0x7f;
  const headerBytes = length < 126 ? 2 : length === 126 ? 4 : 10;
  return bytes.toString('latin1', headerBytes);
}
