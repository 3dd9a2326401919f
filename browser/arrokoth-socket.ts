/**
 * A page's WebSocket that comes back: the browser's side of the rules in `reconnection.ts`.
 *
 * The only file of the module that touches the browser. It decides nothing about when to connect; it
 * tells the rules what happens and does what they order. Messages are the application's, so there
 * is no replay of what was missed while there was no connection.
 */
import {
  DEFAULT_BOUNDS,
  type Life,
  type ReconnectionBounds,
  readRetryAfter,
  type SocketInput,
  type SocketOrder,
  type SocketStatus,
  step,
  UNBORN,
} from './reconnection.ts';

/** What can be set; everything has a default. */
export interface ArrokothSocketOptions {
  /** Offered to the server, as with `WebSocket`. */
  readonly protocols?: string | readonly string[];
  /** How binary messages arrive; `arraybuffer` unless told. */
  readonly binaryType?: BinaryType;
  /** The longest wait before the first new attempt, 1,000 ms; it doubles with every failure. */
  readonly backoffMs?: number;
  /** The bound of that doubling, 30,000 ms. */
  readonly backoffMaxMs?: number;
  /** The longest `Retry-After` that is obeyed, 600,000 ms. */
  readonly retryAfterMaxMs?: number;
  /** A handshake without an answer for so long has failed, 20,000 ms. */
  readonly handshakeTimeoutMs?: number;
  /** A connection that lived so long was a success: the next waiting begins small again, 5,000 ms. */
  readonly stableMs?: number;
  /** Close codes to come back after although they are refusals by default. */
  readonly reconnectOn?: readonly number[];
  /**
   * What is fetched after a handshake that failed, because only an HTTP answer can show a
   * `Retry-After` to a page. By default the connect address itself, without its query; false: nothing.
   */
  readonly probe?: string | URL | false;
  /** Messages that are kept while there is no connection; 0 unless told. */
  readonly queueMessagesMax?: number;
  /** Bytes of those messages together, 65,536. */
  readonly queueBytesMax?: number;
}

/** What can be listened to. */
export interface ArrokothSocketEvents {
  readonly message: MessageEvent;
  readonly status: CustomEvent<SocketStatus>;
}

type Payload = Parameters<WebSocket['send']>[0];
type Address = string | URL;

/** An `EventTarget` whose listeners are told what their events carry. */
interface SocketEventTarget extends EventTarget {
  addEventListener<Type extends keyof ArrokothSocketEvents>(
    type: Type,
    listener: (event: ArrokothSocketEvents[Type]) => void,
    options?: AddEventListenerOptions | boolean,
  ): void;
  addEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject | null,
    options?: AddEventListenerOptions | boolean,
  ): void;
  removeEventListener<Type extends keyof ArrokothSocketEvents>(
    type: Type,
    listener: (event: ArrokothSocketEvents[Type]) => void,
    options?: EventListenerOptions | boolean,
  ): void;
  removeEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject | null,
    options?: EventListenerOptions | boolean,
  ): void;
}

const SocketEventTarget = EventTarget as new () => SocketEventTarget;

/** A connection to Arrokoth that is opened again after it was lost. */
export class ArrokothSocket extends SocketEventTarget {
  readonly #url: Address | (() => Address | Promise<Address>);
  readonly #options: ArrokothSocketOptions;
  readonly #bounds: ReconnectionBounds;
  #life: Life = UNBORN;
  #socket: WebSocket | null = null;
  /** Where the last attempt went, for the probe. */
  #address: URL | null = null;
  /** Aborted when the present attempt is over, so that whatever comes late of it is not heard. */
  #attempt = new AbortController();
  /** Present while it connects, lives or waits: what the page hears of the world. */
  #page: AbortController | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #queue: { readonly data: Payload; readonly bytes: number }[] = [];
  #queueBytes = 0;

  /**
   * `url` is the connect address, `ws:` or `http:`, relative to the page if you like; a function is
   * called anew for each attempt, for addresses with a ticket that can be used once.
   */
  constructor(url: Address | (() => Address | Promise<Address>), options: ArrokothSocketOptions = {}) {
    super();
    this.#url = url;
    this.#options = options;
    this.#bounds = {
      backoffMs: options.backoffMs ?? DEFAULT_BOUNDS.backoffMs,
      backoffMaxMs: options.backoffMaxMs ?? DEFAULT_BOUNDS.backoffMaxMs,
      retryAfterMaxMs: options.retryAfterMaxMs ?? DEFAULT_BOUNDS.retryAfterMaxMs,
      handshakeTimeoutMs: options.handshakeTimeoutMs ?? DEFAULT_BOUNDS.handshakeTimeoutMs,
      stableMs: options.stableMs ?? DEFAULT_BOUNDS.stableMs,
      canProbe: options.probe !== false,
      reconnectOn: options.reconnectOn ?? DEFAULT_BOUNDS.reconnectOn,
    };
  }

  /** Where it stands now; `status` events bring the same. */
  get status(): SocketStatus {
    const { state, code, reason, httpStatus, wakeAtMs } = this.#life;
    const retryInMs =
      state === 'waiting' && wakeAtMs !== null ? Math.max(0, wakeAtMs - performance.now()) : null;
    return { state, code, reason, httpStatus, retryInMs };
  }

  /** Begins, also anew after it was closed, replaced or refused. While it waits: tries sooner. */
  connect(): void {
    this.#take({ type: 'connect' });
  }

  /** Ends the connection and the coming back; what is queued is dropped. */
  close(): void {
    this.#take({ type: 'close' });
  }

  /**
   * Hands a message to the connection, or to the queue while there is none. False: neither took it.
   * True promises no arrival; a connection may break with messages on their way.
   */
  send(data: Payload): boolean {
    if (this.#life.state === 'open') {
      this.#socket?.send(data);
      return true;
    }
    if (this.#life.state !== 'connecting' && this.#life.state !== 'waiting') return false;
    const { queueMessagesMax = 0, queueBytesMax = 65_536 } = this.#options;
    if (this.#queue.length >= queueMessagesMax) return false;
    const bytes = new Blob([data]).size;
    if (this.#queueBytes + bytes > queueBytesMax) return false;
    this.#queue.push({ data, bytes });
    this.#queueBytes += bytes;
    return true;
  }

  #take(input: SocketInput): void {
    const before = this.#life;
    const [life, order] = step(this.#bounds, before, input, {
      nowMs: performance.now(),
      fraction: Math.random(),
      online: navigator.onLine,
    });
    this.#life = life;
    if (order !== null) this.#carryOut(order);
    // What was ordered may have failed at once, and that was a step of its own.
    if (this.#life !== life || life === before) return;
    clearTimeout(this.#timer);
    if (life.wakeAtMs !== null) {
      this.#timer = setTimeout(() => this.#take({ type: 'timer' }), life.wakeAtMs - performance.now());
    }
    if (life.state === 'open') this.#flush();
    const isNews =
      life.state !== before.state || (life.state === 'waiting' && life.wakeAtMs !== before.wakeAtMs);
    if (isNews) this.dispatchEvent(new CustomEvent('status', { detail: this.status }));
  }

  #carryOut(order: NonNullable<SocketOrder>): void {
    this.#attempt.abort();
    this.#attempt = new AbortController();
    // Nobody listens to this one any more, whatever it still says.
    this.#socket?.close();
    this.#socket = null;
    const { signal } = this.#attempt;
    const { state } = this.#life;
    if (state === 'connecting' || state === 'waiting') this.#watchPage();
    else this.#retire();
    if (order === 'open') void this.#open(signal);
    if (order === 'probe') void this.#probe(signal);
  }

  async #open(signal: AbortSignal): Promise<void> {
    this.#address = null;
    let given: Address;
    try {
      given = typeof this.#url === 'function' ? await this.#url() : this.#url;
    } catch {
      // Without a ticket there is no handshake; the ticket office may be open again later.
      if (!signal.aborted) this.#take({ type: 'ended', code: 1006, reason: '' });
      return;
    }
    if (signal.aborted) return;
    try {
      this.#socket = this.#openSocket(given, signal);
    } catch (error) {
      this.#take({ type: 'impossible', reason: String(error) });
    }
  }

  #openSocket(given: Address, signal: AbortSignal): WebSocket {
    const { protocols = [], binaryType = 'arraybuffer' } = this.#options;
    const address = new URL(given, location.href);
    address.protocol = address.protocol.replace('http', 'ws');
    // Older browsers take no WebSocket address with a fragment.
    address.hash = '';
    this.#address = address;
    const socket = new WebSocket(address, [...(typeof protocols === 'string' ? [protocols] : protocols)]);
    socket.binaryType = binaryType;
    socket.addEventListener('open', () => this.#take({ type: 'opened' }), { signal });
    socket.addEventListener('close', ({ code, reason }) => this.#take({ type: 'ended', code, reason }), {
      signal,
    });
    socket.addEventListener(
      'message',
      ({ data, origin }) => this.dispatchEvent(new MessageEvent('message', { data, origin })),
      { signal },
    );
    return socket;
  }

  /** A browser tells a page nothing of a handshake that failed, so the page asks in plain HTTP. */
  async #probe(signal: AbortSignal): Promise<void> {
    let httpStatus: number | null = null;
    let retryAfterMs: number | null = null;
    const target = this.#probeTarget();
    try {
      if (target !== null) {
        const answer = await fetch(target, { cache: 'no-store', signal });
        httpStatus = answer.status;
        retryAfterMs = readRetryAfter(answer.headers.get('retry-after'), Date.now());
        await answer.body?.cancel();
      }
    } catch {
      // Nobody is there, or the answer is not for this page.
    }
    if (!signal.aborted) this.#take({ type: 'probed', httpStatus, retryAfterMs });
  }

  #probeTarget(): Address | null {
    const { probe } = this.#options;
    if (probe) return probe;
    if (this.#address === null) return null;
    const target = new URL(this.#address);
    target.protocol = target.protocol.replace('ws', 'http');
    // A ticket in the query is nothing for a log that does not expect one.
    target.search = '';
    return target;
  }

  #flush(): void {
    for (const { data } of this.#queue) this.#socket?.send(data);
    this.#emptyQueue();
  }

  #emptyQueue(): void {
    this.#queue = [];
    this.#queueBytes = 0;
  }

  #watchPage(): void {
    if (this.#page !== null) return;
    this.#page = new AbortController();
    const { signal } = this.#page;
    globalThis.addEventListener('online', () => this.#take({ type: 'online' }), { signal });
    document.addEventListener(
      'visibilitychange',
      () => {
        if (!document.hidden) this.#take({ type: 'visible' });
      },
      { signal },
    );
  }

  /** Nothing of the page keeps a connection alive that is not wanted any more. */
  #retire(): void {
    this.#page?.abort();
    this.#page = null;
    this.#emptyQueue();
  }
}
