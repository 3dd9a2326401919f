/**
 * A handshake that goes on to a backend, which agrees or refuses.
 *
 * Bytes pass freely only after the backend's 101 has been checked: whoever lets them pass on the
 * client's word alone lends it a connection to the backend on which it can say what it likes. A
 * refusal is passed on like any other answer.
 */
import { type ClientRequest, type IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { assert } from '../../base/index.ts';
import { type ForwardFailureKind, listTokens } from '../../relay/index.ts';
import { headOf } from '../client/http-answer.ts';
import { breakOff } from '../http/lingering-close.ts';
import { acceptOf, type HandedSocket, type PendingUpgrade } from '../http/upgrade-request.ts';
import type { HttpAnswerHead } from '../types.ts';
import { AnswerPump, type AnswerPumpEvents } from './answer-pump.ts';
import type { ForwardDoors, Swept } from './forwarding.ts';
import { Tunnel } from './tunnel.ts';
import type { ForwardEnd, TunnelPlan } from './upstream-types.ts';

/** What all handshakes of one client share. */
export interface UpgradeForwardDoors extends ForwardDoors {
  /** A tunnel stands; `ended` is called for it when it no longer does. */
  opened(tunnel: Tunnel): void;
}

/** A handshake between two connections. */
export class ForwardedUpgrade implements Swept, AnswerPumpEvents {
  readonly #upgrade: PendingUpgrade;
  readonly #plan: TunnelPlan;
  readonly #doors: UpgradeForwardDoors;
  #ended = false;
  #request: ClientRequest | null = null;
  #connected = false;
  #movedAtMs = 0;
  #client: Socket | null = null;
  #answer: AnswerPump | null = null;
  #status: number | null = null;

  constructor(upgrade: PendingUpgrade, plan: TunnelPlan, doors: UpgradeForwardDoors) {
    this.#upgrade = upgrade;
    this.#plan = plan;
    this.#doors = doors;
  }

  start(): void {
    if (this.#upgrade.gone) return this.#finish('client_gone');
    this.#upgrade.onLeave = () => this.#finish('client_gone');
    this.#attempt();
  }

  check(nowMs: number): void {
    const { limits } = this.#doors;
    const waitedMs = nowMs - this.#movedAtMs;
    if (!this.#connected) {
      if (waitedMs >= limits.connectTimeoutMs) this.#fail('connect_timeout', 'no connection in time');
    } else if (this.#answer === null) {
      if (waitedMs >= limits.responseTimeoutMs) this.#fail('response_timeout', 'no answer in time');
    } else if (waitedMs >= limits.idleTimeoutMs) {
      if (this.#answer.waitsForClient) this.#finish('client_slow');
      else this.#fail('cut', 'the answer fell silent');
    }
  }

  abort(): void {
    if (this.#client === null) this.#upgrade.leave();
    this.#finish('client_gone');
  }

  progress(): void {
    this.#movedAtMs = this.#doors.nowMs();
  }

  read(): void {
    this.#plan.backendDone();
  }

  written(): void {
    this.#finish('done');
  }

  brokenOff(): void {
    this.#fail('cut', 'the answer ended before its time');
  }

  #attempt(): void {
    const origin = this.#plan.next();
    if (origin === null) return this.#finish('failed');
    this.#connected = false;
    this.progress();
    let request: ClientRequest;
    try {
      const { method, target } = this.#upgrade;
      const host = this.#plan.host ?? this.#doors.agents.authority(origin);
      const headers = ['Host', host, ...this.#plan.headers, 'Connection', 'Upgrade', 'Upgrade', 'websocket'];
      request = this.#doors.agents.open({ origin, method, target, headers, fresh: true });
    } catch {
      return this.#fail('malformed', 'the request cannot be written');
    }
    this.#request = request;
    request.on('socket', (socket: Socket) => {
      const event = 'encrypted' in socket ? 'secureConnect' : 'connect';
      socket.once(event, () => {
        if (this.#request !== request) return;
        this.#connected = true;
        this.progress();
      });
    });
    request.on('upgrade', (answer, socket, head) => this.#agreed(request, answer, socket as Socket, head));
    request.on('response', (answer) => this.#refused(request, answer));
    request.on('error', (error: NodeJS.ErrnoException) => this.#broken(request, error.code ?? 'error'));
    request.on('close', () => this.#broken(request, 'closed'));
    request.end();
  }

  #agreed(request: ClientRequest, answer: IncomingMessage, socket: Socket, head: Buffer): void {
    const said = headOf(answer);
    if (this.#request !== request || !this.#isAgreement(said)) {
      socket.on('error', ignore);
      socket.destroy();
      if (this.#request === request) this.#fail('malformed', 'the backend agreed to something else');
      return;
    }
    const lines = this.#verdict(said);
    const handed = lines === null ? null : this.#take();
    if (lines === null || handed === null) {
      socket.on('error', ignore);
      socket.destroy();
      return;
    }
    this.#status = 101;
    let text = 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n';
    for (let index = 0; index < lines.length; index += 2) text += `${lines[index]}: ${lines[index + 1]}\r\n`;
    handed.socket.write(`${text}\r\n`, 'latin1');
    if (handed.early !== null) handed.socket.unshift(handed.early);
    if (head.length > 0) socket.unshift(head);
    this.#tunnel(handed.socket, socket);
  }

  #tunnel(client: Socket, backend: Socket): void {
    const { limits, nowMs } = this.#doors;
    const tunnel = new Tunnel(client, backend, {
      limits,
      nowMs,
      closed: (closed) => {
        const { requestBytes, answerBytes } = closed;
        this.#doors.ended(closed);
        this.#plan.ended({ type: 'done', status: 101, requestBytes, answerBytes });
      },
    });
    this.#ended = true;
    this.#doors.opened(tunnel);
    this.#doors.ended(this);
    this.#plan.opened();
  }

  #isAgreement(head: HttpAnswerHead): boolean {
    const accepted = head.headerLines('sec-websocket-accept');
    return (
      head.status === 101 &&
      listTokens(head.headerLines('upgrade')).includes('websocket') &&
      listTokens(head.headerLines('connection')).includes('upgrade') &&
      accepted.length === 1 &&
      accepted[0] === acceptOf(this.#upgrade.header('sec-websocket-key') ?? '')
    );
  }

  #refused(request: ClientRequest, answer: IncomingMessage): void {
    answer.on('error', ignore);
    // Without the names of an upgrade node:http takes a 101 for an answer like any other.
    if (answer.statusCode === 101) return this.#fail('malformed', 'the backend agreed to something else');
    const lines = this.#request === request ? this.#verdict(headOf(answer)) : null;
    const handed = lines === null ? null : this.#take();
    if (lines === null || handed === null) {
      answer.destroy();
      return;
    }
    const { socket } = handed;
    const response = new ServerResponse(this.#upgrade.incoming);
    response.shouldKeepAlive = false;
    response.assignSocket(socket);
    response.on('finish', () => {
      response.detachSocket(socket);
      handed.linger();
    });
    // The server no longer does this for a socket that asked for an upgrade.
    socket.on('drain', () => response.emit('drain'));
    socket.on('error', ignore);
    socket.on('close', () => this.#finish('client_gone'));
    socket.resume();
    this.#status = answer.statusCode as number;
    this.#answer = new AnswerPump(answer, response, this);
    this.#answer.start(this.#status, lines, this.#doors.timers);
  }

  /** The client's lines; null: the answer must not reach it, and the attempt has failed. */
  #verdict(head: HttpAnswerHead): readonly string[] | null {
    const verdict = this.#plan.answered(head);
    this.progress();
    if (verdict.type === 'pass') return verdict.headers;
    this.#fail('malformed', verdict.problem);
    return null;
  }

  #take(): HandedSocket | null {
    this.#upgrade.onLeave = null;
    const handed = this.#upgrade.handOver();
    if (handed === null) this.#finish('client_gone');
    else this.#client = handed.socket;
    return handed;
  }

  #broken(request: ClientRequest, code: string): void {
    if (this.#request !== request || this.#answer !== null) return;
    if (!this.#connected) this.#fail('unreachable', `cannot be reached (${code})`);
    else if (code.startsWith('HPE_')) this.#fail('malformed', `does not speak HTTP (${code})`);
    else this.#fail('closed', `closed the connection without an answer (${code})`);
  }

  #fail(kind: ForwardFailureKind, message: string): void {
    if (this.#ended) return;
    const request = this.#request;
    const method = this.#upgrade.method;
    const facts = { method, hasBody: false, dialFailed: !this.#connected, reused: false, answered: false };
    this.#request = null;
    request?.destroy();
    if (this.#plan.failed({ kind, message, facts }) && this.#client === null) this.#attempt();
    else this.#finish('failed');
  }

  #finish(type: ForwardEnd['type']): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#upgrade.onLeave = null;
    const request = this.#request;
    this.#request = null;
    if (type !== 'done') {
      this.#answer?.stop();
      request?.destroy();
      if (this.#client !== null) breakOff(this.#client);
    }
    assert(type !== 'done' || this.#client !== null, 'who was answered was taken over');
    this.#doors.ended(this);
    const answerBytes = this.#answer?.bytes ?? 0;
    this.#plan.ended({ type, status: this.#status, requestBytes: 0, answerBytes });
  }
}

function ignore(): void {
  // `close` follows in every case.
}
