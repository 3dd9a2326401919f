/**
 * Who is on the way in: attempts to connect without a verdict, and connections being established.
 *
 * Answers and accounts for the attempts that come to nothing. Whether one does is decided by the
 * steps of admission, which all report here; a drain waits until nobody is on the way.
 */
import type { ErrorCode } from '../base/index.ts';
import type { UpgradeRequest } from '../net/index.ts';
import { type AddressRefusal, tooManyAnswer, unavailableAnswer } from '../relay/index.ts';
import type { AdmissionDoors } from './admission-doors.ts';
import type { Traced } from './tracing.ts';

/** One attempt to connect, until it is refused or admitted. */
export interface Attempt extends Traced {
  readonly request: UpgradeRequest;
  /** Who asks, as far as the proxies before us can be believed; for logs. */
  readonly client: string;
  /** The client has its answer, and the application's is accounted for. */
  settled: boolean;
}

type AttemptsDoors = Pick<AdmissionDoors, 'stats' | 'logger' | 'tracing' | 'addresses' | 'sessions'>;

/** The attempts of one worker. */
export class Attempts {
  readonly #doors: AttemptsDoors;
  /** Attempts without a verdict yet, and connections that are being established. */
  #inProgress = 0;
  #onIdle: (() => void)[] = [];

  constructor(doors: AttemptsDoors) {
    this.#doors = doors;
  }

  /** Calls `then` as soon as nobody is on the way. */
  whenIdle(then: () => void): void {
    if (this.#inProgress === 0) then();
    else this.#onIdle.push(then);
  }

  /** An attempt, or an establishment, begins; `settle` or `finished` follows exactly once. */
  begun(): void {
    this.#inProgress++;
  }

  /** Answered 429. Counted, not logged: a flood of connects should not become a flood of lines. */
  limited(attempt: Attempt, { limit, retryAfterSeconds }: AddressRefusal): void {
    const { logger, tracing } = this.#doors;
    logger.debug({ ...tracing.facts(attempt), code: 'ADDRESS_LIMIT', limit }, 'too many connects');
    const answer = tooManyAnswer(`${limit} of this address`, retryAfterSeconds);
    attempt.request.refuse(answer.status, answer.headers, answer.body);
    this.settle(attempt);
    this.failed();
  }

  /** Answered 503, and counted as an attempt that failed: the application admitted nobody. */
  unavailable(attempt: Attempt, code: ErrorCode, reason: string): void {
    this.refuse(attempt, code, reason);
    this.failed();
  }

  /** Answered 503, unless it has an answer already. */
  refuse(attempt: Attempt, code: ErrorCode, reason: string): void {
    if (attempt.settled) return;
    const { logger, tracing } = this.#doors;
    logger.warn({ ...tracing.facts(attempt), client: attempt.client, code }, reason);
    const answer = unavailableAnswer(reason);
    attempt.request.refuse(answer.status, answer.headers, answer.body);
    this.settle(attempt);
  }

  /** Counts an attempt that failed before the application had admitted anybody. */
  failed(): void {
    this.#doors.stats.connectError();
    this.#doors.stats.disconnected();
  }

  /** The attempt has its verdict. */
  settle(attempt: Attempt): void {
    attempt.settled = true;
    const { addresses, sessions } = this.#doors;
    // Who has a connection now leaves with it.
    if (addresses !== null && !sessions.byId(attempt.id)?.connection?.open) addresses.left(attempt.id);
    this.finished();
  }

  /** What `begun` announced is over. */
  finished(): void {
    this.#inProgress--;
    if (this.#inProgress > 0) return;
    const listeners = this.#onIdle;
    this.#onIdle = [];
    for (const listener of listeners) listener();
  }
}
