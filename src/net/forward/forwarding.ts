/**
 * One request that goes on to a backend, over as many attempts as its plan allows.
 *
 * Bytes of a body are read only while somebody takes them, in both directions. Nothing of the body
 * is read before a backend's connection stands, so that a failed dial loses nothing. Time is looked
 * at by a sweep (`upstream-client.ts`); which backend, which lines, and what a failure means are
 * the plan's.
 */
import type { ClientRequest, IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Cancellable, Timers } from '../../base/index.ts';
import type { ForwardFailureKind } from '../../relay/index.ts';
import type { BackendAgents } from '../client/backend-agents.ts';
import { headOf } from '../client/http-answer.ts';
import type { PlainExchange } from '../http/http-exchange.ts';
import { breakOff } from '../http/lingering-close.ts';
import { AnswerPump, type AnswerPumpEvents } from './answer-pump.ts';
import type { ForwardEnd, ForwardPlan, UpstreamLimits } from './upstream-types.ts';

/** Patience with a backend that does not know `Expect`; the same as curl's. */
const CONTINUE_MS = 1_000;
/** Methods of which backends do not expect a length when there is no body. */
const BODILESS = new Set(['GET', 'HEAD', 'DELETE', 'OPTIONS']);

/** What all requests of one client share. */
export interface ForwardDoors {
  readonly agents: BackendAgents;
  readonly limits: UpstreamLimits;
  readonly timers: Timers;
  nowMs(): number;
  /** Called once, last. */
  ended(swept: Swept): void;
}

/** Something whose time may run out. */
export interface Swept {
  check(nowMs: number): void;
  /** Gives up at once. */
  abort(): void;
}

/** A request between two HTTP connections. */
export class Forwarding implements Swept, AnswerPumpEvents {
  readonly #message: IncomingMessage;
  readonly #exchange: PlainExchange;
  readonly #plan: ForwardPlan;
  readonly #doors: ForwardDoors;
  readonly #client: Socket;
  readonly #hasBody: boolean;
  #ended = false;
  #request: ClientRequest | null = null;
  #backend: Socket | null = null;
  /** True from the moment at which the backend's connection stands. */
  #connected = false;
  #reused = false;
  #fresh = false;
  #saidBefore = 0;
  #movedAtMs = 0;
  #bodyStarted = false;
  #bodySent: boolean;
  #requestBytes = 0;
  #invitation: Cancellable | null = null;
  #answer: AnswerPump | null = null;
  #status: number | null = null;

  constructor(message: IncomingMessage, exchange: PlainExchange, plan: ForwardPlan, doors: ForwardDoors) {
    this.#message = message;
    this.#exchange = exchange;
    this.#plan = plan;
    this.#doors = doors;
    this.#client = message.socket;
    this.#hasBody = plan.body.type === 'chunked' || (plan.body.type === 'length' && plan.body.bytes > 0);
    this.#bodySent = !this.#hasBody;
  }

  start(): void {
    const { body } = this.#plan;
    this.#exchange.response.on('close', this.#clientLeft);
    this.#message.on('error', ignore);
    // A client that ends its side of the connection has left, as far as proxies are concerned: most
    // clients end both sides at once, and the two cannot be told apart.
    this.#client.on('end', this.#clientLeft);
    this.#exchange.takeOverBody();
    if (this.#client.readableEnded || this.#client.destroyed) this.#clientLeft();
    else if (body.type === 'length' && body.bytes > this.#doors.limits.bodyBytesMax)
      this.#finish('too_large');
    else this.#attempt();
  }

  check(nowMs: number): void {
    const { limits } = this.#doors;
    const waitedMs = nowMs - this.#movedAtMs;
    if (!this.#connected) {
      if (waitedMs >= limits.connectTimeoutMs) this.#fail('connect_timeout', 'no connection in time');
    } else if (this.#answer !== null) {
      if (waitedMs < limits.idleTimeoutMs) return;
      if (this.#answer.waitsForClient) this.#finish('client_slow');
      else this.#fail('cut', 'the answer fell silent');
    } else if (this.#bodySent) {
      if (waitedMs >= limits.responseTimeoutMs) this.#fail('response_timeout', 'no answer in time');
    } else if (waitedMs >= limits.idleTimeoutMs) {
      if (this.#message.isPaused()) this.#fail('stalled', 'the body is not taken');
      else this.#finish('client_slow');
    }
  }

  abort(): void {
    this.#client.destroy();
    this.#finish('client_gone');
  }

  /** Something moved. */
  progress(): void {
    this.#movedAtMs = this.#doors.nowMs();
  }

  /** The backend has said everything. */
  read(): void {
    this.#plan.backendDone();
    if (this.#message.complete) return;
    // It did not want the rest of the body, which is thrown away for a while, lest a reset overtake
    // the answer.
    this.#exchange.lingerAfterwards();
    this.#stopBody();
    this.#message.resume();
    this.#request?.destroy();
  }

  /** The client has got everything. */
  written(): void {
    this.#finish('done');
  }

  /** The answer broke off. */
  brokenOff(): void {
    this.#fail('cut', 'the answer ended before its time');
  }

  #attempt(): void {
    const origin = this.#plan.next();
    if (origin === null) return this.#finish('failed');
    this.#connected = false;
    this.#reused = false;
    this.#backend = null;
    this.progress();
    let request: ClientRequest;
    try {
      const { method = '', url: target = '' } = this.#message;
      const headers = this.#lines(origin);
      request = this.#doors.agents.open({ origin, method, target, headers, fresh: this.#fresh });
    } catch (error) {
      return this.#fail('malformed', `the request cannot be written (${codeOf(error)})`);
    }
    this.#request = request;
    request.on('socket', (socket: Socket) => this.#given(request, socket));
    request.on('continue', () => this.#invite(request));
    request.on('response', (answer) => this.#answered(request, answer));
    request.on('error', (error) => this.#broken(request, codeOf(error)));
    request.on('close', () => this.#broken(request, 'closed'));
    if (!this.#hasBody) request.end();
    else request.flushHeaders();
  }

  #lines(origin: string): string[] {
    const { host, headers, body } = this.#plan;
    const lines = ['Host', host ?? this.#doors.agents.authority(origin), ...headers];
    if (body.type === 'chunked') lines.push('Transfer-Encoding', 'chunked');
    else if (body.type === 'length') lines.push('Content-Length', String(body.bytes));
    else if (!BODILESS.has(this.#message.method as string)) lines.push('Content-Length', '0');
    if (this.#hasBody && this.#exchange.expectsContinue) lines.push('Expect', '100-continue');
    return lines;
  }

  #given(request: ClientRequest, socket: Socket): void {
    if (this.#request !== request) return;
    this.#backend = socket;
    this.#saidBefore = socket.bytesRead;
    this.#reused = request.reusedSocket;
    if (!socket.connecting) this.#isConnected(request);
    else {
      const event = 'encrypted' in socket ? 'secureConnect' : 'connect';
      socket.once(event, () => this.#isConnected(request));
    }
  }

  #isConnected(request: ClientRequest): void {
    if (this.#request !== request) return;
    this.#connected = true;
    this.progress();
    if (!this.#hasBody) return;
    if (!this.#exchange.expectsContinue) this.#startBody(request);
    else this.#invitation = this.#doors.timers.after(CONTINUE_MS, () => this.#invite(request));
  }

  #invite(request: ClientRequest): void {
    if (this.#request !== request || !this.#hasBody || this.#bodyStarted || this.#answer !== null) return;
    this.#exchange.invite();
    this.#startBody(request);
  }

  #startBody(request: ClientRequest): void {
    this.#bodyStarted = true;
    this.#invitation?.cancel();
    const message = this.#message;
    message.on('data', this.#carry);
    message.on('end', this.#bodyEnded);
    message.on('close', this.#bodyClosed);
    request.on('drain', () => {
      this.progress();
      message.resume();
    });
  }

  readonly #carry = (chunk: Buffer): void => {
    this.#requestBytes += chunk.length;
    this.progress();
    if (this.#requestBytes > this.#doors.limits.bodyBytesMax) this.#finish('too_large');
    else if (this.#request?.write(chunk) === false) this.#message.pause();
  };

  readonly #bodyEnded = (): void => {
    this.#bodySent = true;
    this.progress();
    this.#request?.end();
  };

  readonly #bodyClosed = (): void => {
    if (!this.#message.complete) this.#clientLeft();
  };

  #stopBody(): void {
    this.#invitation?.cancel();
    if (!this.#bodyStarted) return;
    this.#message.off('data', this.#carry);
    this.#message.off('end', this.#bodyEnded);
    this.#message.off('close', this.#bodyClosed);
  }

  #answered(request: ClientRequest, answer: IncomingMessage): void {
    if (this.#request !== request) return answer.destroy() as unknown as undefined;
    const head = headOf(answer);
    const verdict = this.#plan.answered(head);
    if (verdict.type === 'refuse') {
      answer.on('error', ignore);
      this.#fail('malformed', verdict.problem);
      return;
    }
    this.progress();
    this.#status = head.status;
    this.#answer = new AnswerPump(answer, this.#exchange.response, this);
    const headers = [...verdict.headers];
    // Whoever was not invited to send the body, or is still sending it, cannot go on with another
    // request behind it.
    if (!this.#message.complete) headers.push('Connection', 'close');
    this.#answer.start(head.status, headers, this.#doors.timers);
  }

  #broken(request: ClientRequest, code: string): void {
    // Once there is an answer, its pump tells how it ends.
    if (this.#request !== request || this.#answer !== null) return;
    if (!this.#connected) this.#fail('unreachable', `cannot be reached (${code})`);
    else if (code.startsWith('HPE_')) this.#fail('malformed', `does not speak HTTP (${code})`);
    else this.#fail('closed', `closed the connection without an answer (${code})`);
  }

  #fail(kind: ForwardFailureKind, message: string): void {
    if (this.#ended) return;
    const request = this.#request;
    const facts = {
      method: this.#message.method as string,
      hasBody: this.#hasBody,
      dialFailed: !this.#connected && this.#answer === null,
      reused: this.#reused,
      answered: this.#backend !== null && this.#backend.bytesRead > this.#saidBefore,
    };
    this.#request = null;
    request?.destroy();
    this.#fresh = this.#reused;
    if (this.#plan.failed({ kind, message, facts })) this.#attempt();
    else this.#finish('failed');
  }

  readonly #clientLeft = (): void => {
    this.#finish('client_gone');
  };

  #finish(type: ForwardEnd['type']): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#exchange.response.off('close', this.#clientLeft);
    this.#client.off('end', this.#clientLeft);
    this.#stopBody();
    if (type !== 'done') this.#giveUp(type);
    this.#doors.ended(this);
    const answerBytes = this.#answer?.bytes ?? 0;
    this.#plan.ended({ type, status: this.#status, requestBytes: this.#requestBytes, answerBytes });
  }

  #giveUp(type: ForwardEnd['type']): void {
    const request = this.#request;
    this.#request = null;
    this.#answer?.stop();
    request?.destroy();
    if (type === 'client_gone') this.#client.destroy();
    // Half an answer must not pass for a whole one, not even where the end of the connection delimits it.
    else if (this.#status !== null) breakOff(this.#client);
    else if (!this.#message.complete) this.#exchange.bodyRefused = true;
  }
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? 'error';
}

function ignore(): void {
  // `close` follows in every case.
}
