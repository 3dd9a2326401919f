/**
 * The way in of a connection, and its first step: checks and refusals before the application is asked.
 *
 * Then come the application's word, the records that survive us and the 101; each of these steps
 * has a file of its own, named in `admission-doors.ts`. From the application's 200 on the connection
 * is admitted.
 */
import type { ErrorCode } from '../../base/index.ts';
import type { Settings } from '../../config/index.ts';
import type { UpgradeRequest } from '../../net/index.ts';
import { checkUpgrade, type OutgoingAnswer } from '../../relay/index.ts';
import type { AdmissionDoors } from './admission-doors.ts';
import { type Attempt, Attempts } from './attempts.ts';
import { ConnectQuestion } from './connect-question.ts';
import { Establishment } from './establishment.ts';
import { Registration } from './registration.ts';

/** Admits connections for one worker. */
export class Admission {
  readonly #doors: AdmissionDoors;
  readonly #attempts: Attempts;
  readonly #question: ConnectQuestion;

  constructor(doors: AdmissionDoors) {
    this.#doors = doors;
    const attempts = new Attempts(doors);
    const establishment = new Establishment({ ...doors, attempts });
    const registration = new Registration({ ...doors, attempts, establishment });
    this.#question = new ConnectQuestion({ ...doors, attempts, registration });
    this.#attempts = attempts;
  }

  /** Calls `then` as soon as nobody is on the way. */
  whenIdle(then: () => void): void {
    this.#attempts.whenIdle(then);
  }

  /** Why somebody who is counted already would be refused before the application is asked, or null. */
  refusal(): { readonly code: ErrorCode; readonly reason: string } | null {
    const stopping = this.#doors.stopping();
    if (stopping !== null) return { code: 'NOT_ADMITTING', reason: stopping };
    const kept = this.#doors.modes.reason('connect');
    if (kept !== null) return { code: 'BLOCKED_BY_MODE', reason: kept };
    const overload = this.#doors.overload.refusal();
    if (overload !== null) return { code: 'OVERLOADED', reason: overload };
    const isFull = this.#doors.stats.connections > connectionsMax(this.#doors.live.current);
    return isFull ? { code: 'CONNECTION_LIMIT', reason: 'the node is full' } : null;
  }

  /**
   * What a client at `address` that is counted already would be answered before the application is
   * asked, or null. It asks and is counted no further.
   */
  turnedAway(address: string): OutgoingAnswer | null {
    const refusal = this.refusal();
    const limited = refusal === null ? this.#doors.addresses.refusalOf(address) : null;
    return this.#attempts.turnedAway(refusal?.reason ?? null, limited);
  }

  /** A client asks for a WebSocket on the connect path. */
  upgrade(request: UpgradeRequest): void {
    const { live, clock, stats, ids, forwarded, tracing, addresses, watch } = this.#doors;
    const attempts = this.#attempts;
    stats.connecting();
    const origin = forwarded.read(request);
    const { originPolicy, compression } = live.current;
    const extensions = compression.enabled ? 'read' : 'ignored';
    const verdict = checkUpgrade(request, originPolicy, origin, extensions);
    if (verdict.type !== 'ok') {
      if (verdict.type === 'abandon') request.abandon();
      else request.refuse(verdict.status, verdict.headers, verdict.body);
      if (verdict.type === 'refuse') watch.refused(request, origin.address, verdict.status);
      return attempts.failed();
    }
    const attempt: Attempt = {
      request,
      id: ids.connection(),
      client: origin.address,
      trace: tracing.ofClient(request),
      beganAtMs: clock.monotonicMs(),
      settled: false,
    };
    attempts.begun();
    const refusal = this.refusal();
    if (refusal?.code === 'OVERLOADED') this.#doors.overload.refused();
    if (refusal?.code === 'BLOCKED_BY_MODE') this.#doors.modes.refused('connect', this.#doors.modes.mode);
    if (refusal !== null) return attempts.unavailable(attempt, refusal.code, refusal.reason);
    const limited = addresses.enter(attempt.id, attempt.client);
    if (limited !== null) return attempts.limited(attempt, limited);
    this.#question.ask(attempt, origin.lines);
  }
}

/** A worker's share of the node's connections, with room for an uneven spread. */
function connectionsMax({ workers, limits }: Settings): number {
  const uneven = workers === 1 ? 1 : 1.25;
  return Math.ceil((limits.connectionsMax / workers) * uneven);
}
