/**
 * How long the bodies of requests may take, on a listener where some may take long.
 *
 * node:http has one bound for all requests of a server. Where requests go on to backends an upload
 * may last for hours as long as it moves, so that node's bound is off there and this one stands in
 * for it, until whoever passes the body on looks after it. Whatever nobody wants falls under it too.
 */
import type { IncomingMessage } from 'node:http';
import type { Clock } from '../../base/index.ts';
import { findHeader } from './header-lookup.ts';

/** The bodies of one listener that are still to come. */
export class BodyDeadlines {
  readonly #clock: Clock;
  readonly #overdue: (message: IncomingMessage) => void;
  readonly #deadlines = new Map<IncomingMessage, number>();
  #timeoutMs = 0;

  /** `overdue` is called once for each body that takes too long. */
  constructor(clock: Clock, overdue: (message: IncomingMessage) => void) {
    this.#clock = clock;
    this.#overdue = overdue;
  }

  /** How long bodies may take from now on. */
  adjust(timeoutMs: number): void {
    this.#timeoutMs = timeoutMs;
  }

  /** A request whose head has come. */
  watch(message: IncomingMessage): void {
    const { rawHeaders } = message;
    const length = findHeader(rawHeaders, 'content-length') ?? '0';
    if (length === '0' && findHeader(rawHeaders, 'transfer-encoding') === undefined) return;
    this.#deadlines.set(message, this.#clock.monotonicMs() + this.#timeoutMs);
    message.once('end', () => this.release(message));
    message.once('close', () => this.release(message));
  }

  /** The body has come, or somebody else looks after it. */
  release(message: IncomingMessage): void {
    this.#deadlines.delete(message);
  }

  /** Finds those that have taken too long. */
  sweep(): void {
    if (this.#deadlines.size === 0) return;
    const nowMs = this.#clock.monotonicMs();
    for (const [message, deadlineMs] of this.#deadlines) {
      if (nowMs < deadlineMs) continue;
      this.#deadlines.delete(message);
      if (!message.complete) this.#overdue(message);
    }
  }
}
