/**
 * Serves plain POSTs without node:http, for a port where nearly everything is one.
 *
 * A call of node:http costs several times what the log does with it, and a commit waits for several
 * calls. So a socket stays here as long as what comes is a whole head of the usual kind
 * (`plain-head.ts`), and is handed over for good with the first request that is anything else:
 * nothing is refused or answered differently for being unusual. One listener; `HttpServer` feeds it.
 */
import type { Socket } from 'node:net';
import type { Clock } from '../../base/index.ts';
import type { HttpHandlers, RawHeaders } from '../types.ts';
import type { LingeringClose } from './lingering-close.ts';
import { plainAnswer } from './plain-answer.ts';
import { PlainCall, type PlainCallDoors } from './plain-call.ts';
import { type PlainHeadBounds, readPlainHead } from './plain-head.ts';
import { remoteAddressOf } from './proxied-sockets.ts';

/** How large heads may be, and how long a socket may be silent. */
export interface PlainLaneRules extends PlainHeadBounds {
  /** Before its first request. */
  readonly firstMs: number;
  /** Between two requests. */
  readonly idleMs: number;
  /** From a head to the end of its body. */
  readonly bodyMs: number;
}

/** What a lane is made of. */
export interface PlainLaneDoors {
  readonly clock: Clock;
  readonly lingering: LingeringClose;
  readonly request: HttpHandlers['request'];
  /** This socket is to be read by node:http from here on. */
  readonly handOver: (socket: Socket) => void;
  /** Answers a body that takes too long, and closes. */
  readonly overdue: (socket: Socket) => void;
  /** A request has come; it was answered, or its client has left. */
  readonly began: () => void;
  readonly finished: () => void;
}

/** The sockets of one listener that have asked for nothing unusual so far. */
export class PlainLane {
  readonly doors: PlainLaneDoors;
  readonly #sockets = new Set<PlainSocket>();
  #rules: PlainLaneRules;
  #isClosing = false;

  constructor(doors: PlainLaneDoors, rules: PlainLaneRules) {
    this.doors = doors;
    this.#rules = rules;
  }

  get rules(): PlainLaneRules {
    return this.#rules;
  }

  /** True when each answer is the last one of its connection. */
  get isClosing(): boolean {
    return this.#isClosing;
  }

  /** From now on these hold. */
  adjust(rules: PlainLaneRules): void {
    this.#rules = rules;
  }

  /** A socket from its first byte. */
  take(socket: Socket): void {
    this.#sockets.add(new PlainSocket(this, socket));
  }

  /** It is here no longer. */
  forget(socket: PlainSocket): void {
    this.#sockets.delete(socket);
  }

  /** Ends what takes too long. */
  sweep(): void {
    const nowMs = this.doors.clock.monotonicMs();
    for (const socket of this.#sockets) socket.sweep(nowMs);
  }

  /** Closes what nobody waits for, now and from now on. */
  closeIdle(): void {
    this.#isClosing = true;
    for (const socket of this.#sockets) if (socket.isIdle) socket.cut();
  }

  /** Cuts all. */
  closeAll(): void {
    for (const socket of this.#sockets) socket.cut();
  }
}

/** One socket of a lane, with at most one request at a time. */
class PlainSocket implements PlainCallDoors {
  readonly #lane: PlainLane;
  readonly #socket: Socket;
  #call: PlainCall | null = null;
  #sinceMs: number;
  #hasAsked = false;
  #hasEnded = false;
  readonly #onData = (chunk: Buffer): void => this.#read(chunk);
  readonly #onEnd = (): void => this.#ended();
  readonly #onClose = (): void => this.#closed();
  readonly #onDrain = (): void => this.#goOn();

  constructor(lane: PlainLane, socket: Socket) {
    this.#lane = lane;
    this.#socket = socket;
    this.#sinceMs = lane.doors.clock.monotonicMs();
    socket.on('error', ignore);
    socket.on('data', this.#onData);
    socket.on('end', this.#onEnd);
    socket.on('close', this.#onClose);
    socket.on('drain', this.#onDrain);
  }

  get isIdle(): boolean {
    return this.#call === null;
  }

  get remoteAddress(): string {
    return remoteAddressOf(this.#socket);
  }

  bodyWanted(): void {
    this.#goOn();
  }

  answer(status: number, headers: RawHeaders, body: string | Uint8Array): void {
    const { clock, lingering, finished } = this.#lane.doors;
    const call = this.#call;
    this.#call = null;
    this.#sinceMs = clock.monotonicMs();
    if (call?.isRead !== true) {
      // What is still to come is no request, so that this answer is the last.
      this.#leave();
      lingering.answer(this.#socket, { status, headers, body, method: 'POST' });
    } else {
      const isLast = this.#hasEnded || this.#lane.isClosing;
      const { text, rest } = plainAnswer({ status, headers, body }, clock.wallMs(), isLast);
      if (rest !== null) this.#socket.cork();
      this.#socket.write(text, 'latin1');
      if (rest !== null) this.#socket.write(rest);
      if (rest !== null) this.#socket.uncork();
      if (isLast) this.#socket.destroySoon();
      else this.#goOn();
    }
    finished();
  }

  /** Ends what takes too long. */
  sweep(nowMs: number): void {
    const { firstMs, idleMs, bodyMs } = this.#lane.rules;
    const waitedMs = nowMs - this.#sinceMs;
    if (this.#call === null) {
      if (waitedMs >= (this.#hasAsked ? idleMs : firstMs)) this.cut();
    } else if (!this.#call.isRead && waitedMs >= bodyMs) {
      const { overdue } = this.#lane.doors;
      this.#closed();
      this.#release();
      overdue(this.#socket);
    }
  }

  /** Closes without a word. */
  cut(): void {
    this.#socket.destroy();
  }

  #read(chunk: Buffer): void {
    const call = this.#call;
    if (call === null) return this.#begin(chunk);
    const taken = call.isBodyWanted ? Math.min(call.missingBytes, chunk.length) : 0;
    // What lies behind the request waits until it is answered.
    if (taken < chunk.length) this.#giveBack(chunk.subarray(taken));
    if (taken > 0) call.push(taken === chunk.length ? chunk : chunk.subarray(0, taken));
  }

  #begin(bytes: Buffer): void {
    const { began, request, clock } = this.#lane.doors;
    const head = readPlainHead(bytes, this.#lane.rules);
    if (head === null) return this.#handOver(bytes);
    const end = head.headBytes + head.bodyBytes;
    if (bytes.length > end) this.#giveBack(bytes.subarray(end));
    const call = new PlainCall(this, head, bytes.subarray(head.headBytes, end));
    this.#call = call;
    this.#hasAsked = true;
    this.#sinceMs = clock.monotonicMs();
    began();
    request(call, call);
  }

  #handOver(bytes: Buffer): void {
    this.#leave();
    this.#socket.off('error', ignore);
    // Given back before HTTP listens, so that it comes first whoever reads next.
    this.#socket.unshift(bytes);
    this.#lane.doors.handOver(this.#socket);
  }

  #giveBack(bytes: Buffer): void {
    this.#socket.pause();
    this.#socket.unshift(bytes);
  }

  /** Reads on, unless the client leaves answers unread: it would not read more of them either. */
  #goOn(): void {
    if (this.#socket.writableNeedDrain) this.#socket.pause();
    else if (this.#socket.isPaused()) this.#socket.resume();
  }

  /** The client says nothing more; it may still read. */
  #ended(): void {
    this.#hasEnded = true;
    if (this.#call === null) this.#socket.end();
    else if (!this.#call.isRead) this.cut();
  }

  #closed(): void {
    this.#lane.forget(this);
    const call = this.#call;
    this.#call = null;
    if (call === null) return;
    call.leave();
    this.#lane.doors.finished();
  }

  #leave(): void {
    this.#lane.forget(this);
    this.#release();
  }

  #release(): void {
    this.#socket.off('data', this.#onData);
    this.#socket.off('end', this.#onEnd);
    this.#socket.off('close', this.#onClose);
    this.#socket.off('drain', this.#onDrain);
  }
}

function ignore(): void {
  // `close` follows in every case.
}
