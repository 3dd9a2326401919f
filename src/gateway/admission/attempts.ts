/**
 * Who is on the way in: attempts to connect without a verdict, and connections being established.
 *
 * Answers and accounts for the attempts that come to nothing. Whether one does is decided by the
 * steps of admission, which all report here; a drain waits until nobody is on the way.
 */
import { type ErrorCode, LIMITS, type LogFields } from '../../base/index.ts';
import type { UpgradeRequest } from '../../net/index.ts';
import {
  type AddressRefusal,
  ConnectPace,
  CROWDED,
  conflictAnswer,
  LineBudget,
  type OutgoingAnswer,
  type RefusalLog,
  retryAfterSeconds,
  tooManyAnswer,
  unavailableAnswer,
} from '../../relay/index.ts';
import type { Traced } from '../sessions/tracing.ts';
import type { AdmissionDoors } from './admission-doors.ts';

/** One attempt to connect, until it is refused or admitted. */
export interface Attempt extends Traced {
  readonly request: UpgradeRequest;
  /** Who asks, as far as the proxies before us can be believed; for logs. */
  readonly client: string;
  /** By the monotonic clock. */
  readonly beganAtMs: number;
  /** The client has its answer, and the application's is accounted for. */
  settled: boolean;
}

type AttemptsDoors = Pick<
  AdmissionDoors,
  'live' | 'clock' | 'random' | 'meter' | 'stats' | 'logger' | 'tracing' | 'addresses' | 'sessions'
>;

/** Whoever would have to stay away for longer than the shortest `Retry-After` is told so. */
const CROWDED_MS = 1_000;

/** The attempts of one worker. */
export class Attempts {
  readonly #doors: AttemptsDoors;
  readonly #pace: ConnectPace;
  readonly #lines = new LineBudget(LIMITS.refusalLinesPerSecond);
  /** Attempts without a verdict yet, and connections that are being established. */
  #inProgress = 0;
  #onIdle: (() => void)[] = [];

  constructor(doors: AttemptsDoors) {
    this.#doors = doors;
    this.#pace = new ConnectPace(doors.live.current.callback.maxInFlight);
    doors.live.onChange(({ callback }) => this.#pace.replace(callback.maxInFlight));
    doors.meter.observed(
      {
        name: 'arrokoth_connects_in_progress',
        help: 'Attempts to connect that wait for a verdict, and connections being established.',
        type: 'gauge',
      },
      () => this.#inProgress,
    );
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
  limited(attempt: Attempt, refusal: AddressRefusal): void {
    const { logger, tracing } = this.#doors;
    const { limit } = refusal;
    if (logger.debugEnabled) {
      logger.debug({ ...tracing.facts(attempt), code: 'ADDRESS_LIMIT', limit }, 'too many connects');
    }
    const answer = this.#limitedAnswer(refusal);
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
    this.#answer(attempt, code, reason, unavailableAnswer(reason, this.retryAfterSeconds()));
  }

  /** Answered 409, unless it has an answer already: whoever comes back would throw the newer one out. */
  replaced(attempt: Attempt): void {
    if (attempt.settled) return;
    const reason = 'a newer connection has the same session key';
    this.#answer(attempt, 'REPLACED', reason, conflictAnswer(reason));
  }

  #answer(attempt: Attempt, code: ErrorCode, reason: string, answer: OutgoingAnswer): void {
    const { logger, tracing } = this.#doors;
    // Counted; a worker that has too much to do should not have to write it down at all.
    if (code !== 'OVERLOADED') this.log(attempt, 'warn', { code }, reason);
    else if (logger.debugEnabled) {
      logger.debug({ ...tracing.facts(attempt), client: attempt.client, code }, reason);
    }
    attempt.request.refuse(answer.status, answer.headers, answer.body);
    this.settle(attempt);
  }

  /** A line about an attempt that came to nothing; a crowd of them is not a crowd of lines. */
  log(attempt: Attempt, level: RefusalLog['level'], fields: LogFields, message: string): void {
    const { clock, logger, tracing } = this.#doors;
    const omitted = this.#lines.take(clock.monotonicMs());
    if (omitted === null) return;
    const facts = { ...tracing.facts(attempt), client: attempt.client, ...fields };
    logger[level](omitted === 0 ? facts : { ...facts, omitted }, message);
  }

  /** The application's word on an attempt has come, or there will be none. */
  answered(): void {
    this.#pace.answered(this.#doors.clock.monotonicMs(), this.#inProgress);
  }

  /** When a client that is sent away now should come back; it is expected then. */
  readonly retryAfterSeconds = (): number => {
    const { clock, random } = this.#doors;
    const wait = this.#pace.sentAway(clock.monotonicMs(), this.#inProgress);
    return retryAfterSeconds(wait, random.fraction());
  };

  /**
   * What somebody is told who asks whether to connect: 503 for `reason`, 429 for `limited`, 503 while
   * more are on the way than get in within a second; else null. Whoever was sent away is counted.
   */
  turnedAway(reason: string | null, limited: AddressRefusal | null): OutgoingAnswer | null {
    if (limited !== null) return this.#limitedAnswer(limited);
    const { clock, random } = this.#doors;
    const wait = this.#pace.wait(clock.monotonicMs(), this.#inProgress);
    if (reason === null && wait.leastMs + wait.spreadMs <= CROWDED_MS) return null;
    return unavailableAnswer(reason ?? CROWDED, retryAfterSeconds(wait, random.fraction()));
  }

  #limitedAnswer(refusal: AddressRefusal): OutgoingAnswer {
    const seconds = retryAfterSeconds(refusal, this.#doors.random.fraction());
    return tooManyAnswer(`${refusal.limit} of this address`, seconds);
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
    if (!sessions.byId(attempt.id)?.connection?.open) addresses.left(attempt.id);
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
