/**
 * What operators can count about the traffic between nodes.
 *
 * `docs/reference/cluster-wire.md` lists these metrics; a test compares. Labels are fixed words, so
 * that no caller can make new ones.
 */
import type { Meter } from '../base/index.ts';
import type { Method } from './dialects.ts';
import type { AuthFailure } from './peer-auth.ts';

/** How a call of ours ended. */
export type CallOutcome =
  | 'answered'
  /** An answer with a status other than 200. */
  | 'refused'
  /** None in time, no connection, or too many waiting. */
  | 'failed'
  /** An answer without the safe protocol to a safe call, or one that cannot be understood. */
  | 'misfit';

/** Counters of one listener and its clients. */
export class PeerFigures {
  readonly #requests;
  readonly #calls;
  readonly #authFailures;

  /** `pending`: calls that wait for this node's answer. */
  constructor(meter: Meter, pending: () => number) {
    this.#requests = meter.counter({
      name: 'arrokoth_peer_requests_total',
      help: 'Calls of other nodes, by method and the status that they were answered with.',
      labels: ['method', 'status'],
    });
    this.#calls = meter.counter({
      name: 'arrokoth_peer_calls_total',
      help: 'Calls to other nodes, by method and how they ended.',
      labels: ['method', 'outcome'],
    });
    this.#authFailures = meter.counter({
      name: 'arrokoth_peer_auth_failures_total',
      help: 'Calls that were answered 401, by what was wrong with their signature.',
      labels: ['reason'],
    });
    const help = 'Calls of other nodes that are not answered yet.';
    meter.observed({ name: 'arrokoth_peer_calls_pending', help, type: 'gauge' }, pending);
  }

  /** A call was answered; `method` null: it was none of the six. */
  requested(method: Method | null, status: number): void {
    this.#requests.add(1, { method: method ?? 'none', status: String(status) });
  }

  /** A call of ours ended. */
  called(method: Method, outcome: CallOutcome): void {
    this.#calls.add(1, { method, outcome });
  }

  /** A call was not genuine. */
  refused(reason: AuthFailure): void {
    this.#authFailures.add(1, { reason });
  }
}
