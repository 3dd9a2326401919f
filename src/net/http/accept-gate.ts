/**
 * Keeps the last descriptors of a process for what must go on: callbacks, files, sisters.
 *
 * The kernel gives a new socket the lowest number that is free, so the number of an accepted socket
 * tells that all below it are taken, without any counting. Whoever gets one out of the reserve is
 * answered and closed, or cut when too many are being answered. One gate a listener; `HttpServer`
 * asks it about each socket, `main/` knows the numbers.
 */
import type { Socket } from 'node:net';
import { type Clock, LIMITS, type Logger } from '../../base/index.ts';
import type { LingeringClose } from './lingering-close.ts';
import type { PlainAnswer } from './plain-response.ts';

/** What became of a socket that was not admitted. */
export type GateOutcome = 'answered' | 'cut';

/** Where the reserve begins. */
export interface GateBounds {
  /** The lowest descriptor of the reserve, and the lowest that is never given away. */
  readonly reserveFrom: number;
  readonly neverFrom: number;
}

/** What a gate is told by whoever knows the process. */
export interface AcceptGateDoors {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly bounds: GateBounds;
  /** How many descriptors those hold now whom the reserve is for; asked only at the edge. */
  readonly reserveUsed: () => number;
  /** What clients are told; null: the listener does not begin in plain HTTP, and they are cut. */
  readonly answer: (() => PlainAnswer) | null;
  readonly refused: (outcome: GateOutcome) => void;
  /** Accepting failed; `code` is the system's. */
  readonly failed: (code: string) => void;
}

/** A flood of sockets should not become a flood of lines. */
const LOG_PERIOD_MS = 1_000;

/** Judges the accepted sockets of one listener. */
export class AcceptGate {
  readonly #doors: AcceptGateDoors;
  #bounds: GateBounds;
  #answering = 0;
  #loggedAtMs = Number.NEGATIVE_INFINITY;
  #unlogged = 0;

  constructor(doors: AcceptGateDoors) {
    this.#doors = doors;
    this.#bounds = doors.bounds;
  }

  /** Other bounds for sockets that come from now on. */
  adjust(bounds: GateBounds): void {
    this.#bounds = bounds;
  }

  /** True: the socket may go on. False: it has been answered or cut. */
  admits(socket: Socket, lingering: LingeringClose): boolean {
    const descriptor = descriptorOf(socket);
    const { reserveFrom, neverFrom } = this.#bounds;
    if (descriptor < reserveFrom) return true;
    // What callbacks hold of their reserve has numbers below it, and is not to be reserved twice.
    if (descriptor < neverFrom && descriptor < reserveFrom + this.#doors.reserveUsed()) return true;
    this.#refuse(socket, lingering);
    return false;
  }

  /** Accepting failed; the listener goes on. */
  failed(error: NodeJS.ErrnoException): void {
    const code = error.code ?? 'UNKNOWN';
    this.#doors.failed(code);
    this.#log({ code }, 'cannot accept');
  }

  #refuse(socket: Socket, lingering: LingeringClose): void {
    const { answer, refused } = this.#doors;
    this.#log({}, 'no descriptors are left for clients');
    if (answer === null || this.#answering >= LIMITS.refusedSocketsMax) {
      refused('cut');
      socket.on('error', ignore);
      socket.destroy();
      return;
    }
    refused('answered');
    this.#answering++;
    socket.once('close', () => this.#answering--);
    lingering.answer(socket, answer());
  }

  #log(facts: { readonly code?: string }, message: string): void {
    const nowMs = this.#doors.clock.monotonicMs();
    this.#unlogged++;
    if (nowMs - this.#loggedAtMs < LOG_PERIOD_MS) return;
    this.#doors.logger.warn({ ...facts, times: this.#unlogged }, message);
    this.#loggedAtMs = nowMs;
    this.#unlogged = 0;
  }
}

/** The number of the socket; -1 where the host has none. */
function descriptorOf(socket: Socket): number {
  const { _handle: handle } = socket as Socket & { readonly _handle?: { readonly fd?: number } | null };
  return handle?.fd ?? -1;
}

function ignore(): void {
  // `close` follows in every case.
}
