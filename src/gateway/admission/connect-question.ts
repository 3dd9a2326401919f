/**
 * The application's word: asks it whether somebody may connect, and follows its answer.
 *
 * The second step of admission. The question stands in the journal before it is put. A yes that is
 * of no use, or that comes after we gave up on it, made the application believe in a connection:
 * it gets the close event of that one.
 */
import { failed, LIMITS, type Result } from '../../base/index.ts';
import type { Settings } from '../../config/index.ts';
import type { HttpAnswer } from '../../net/index.ts';
import { type CallbackFailure, connectCallback, readConnectReply } from '../../relay/index.ts';
import { boundedCall } from '../bounded-call.ts';
import type { AdmissionDoors } from './admission-doors.ts';
import type { Attempt, Attempts } from './attempts.ts';
import type { Registration } from './registration.ts';

type ConnectQuestionDoors = Pick<
  AdmissionDoors,
  'live' | 'ids' | 'tracing' | 'journal' | 'httpClient' | 'stats'
> & { readonly attempts: Attempts; readonly registration: Registration };

/** Puts the connect callbacks of one worker. */
export class ConnectQuestion {
  readonly #doors: ConnectQuestionDoors;

  constructor(doors: ConnectQuestionDoors) {
    this.#doors = doors;
  }

  /** `forwarded`: the lines that replace the client's own about proxies; null: those pass as they are. */
  ask(attempt: Attempt, forwarded: readonly string[] | null): void {
    const { live, ids, tracing, journal, httpClient } = this.#doors;
    // The answer is read by the settings that the question was put with.
    const settings = live.current;
    const { method, query, rawHeaders, tls } = attempt.request;
    const connectionId = attempt.id;
    const requestId = ids.next();
    const facts = { method, query, rawHeaders, forwarded, tls, connectionId, requestId };
    const callback = connectCallback(settings, facts);
    if (callback === null) {
      const message = '`callback.connect` is not configured';
      return this.#answered(attempt, settings, failed({ kind: 'not_configured', message }));
    }
    const call = boundedCall(tracing.carry(callback, attempt), {
      timeoutMs: settings.callback.timeoutMs || LIMITS.callbackTimeoutMaxMs,
      replyBytesMax: settings.limits.bodyBytesMax,
      redirectsMax: LIMITS.redirectsMax,
      lateAnswer: (outcome: Result<HttpAnswer, CallbackFailure>) =>
        this.#answeredLate(attempt, settings, outcome),
    });
    // The application's yes may reach a worker that was just killed: who comes next must know of it.
    journal.asked(attempt.id, (failure) => {
      if (failure === null) httpClient.call(call, (answer) => this.#answered(attempt, settings, answer));
      else {
        const reason = 'the session journal cannot be written';
        this.#doors.attempts.unavailable(attempt, 'JOURNAL_WRITE_FAILED', reason);
      }
    });
  }

  #answered(attempt: Attempt, settings: Settings, outcome: Result<HttpAnswer, CallbackFailure>): void {
    const { stats, attempts, registration } = this.#doors;
    // Who was not even asked about tells nothing of the application's pace.
    if (outcome.ok || outcome.error.kind !== 'busy') attempts.answered();
    const reply = readConnectReply(settings, outcome, attempts.retryAfterSeconds);
    if (reply.type === 'admit') {
      if (!attempt.request.gone) return registration.admit(attempt, reply);
      // Its client may be back already, and must not lose its session to somebody who left.
      return registration.disown(attempt, reply.key, () => attempts.settle(attempt));
    }
    attempt.request.refuse(reply.status, reply.headers, reply.body);
    attempts.log(attempt, reply.log.level, { status: reply.status }, reply.log.message);
    if (reply.admittedAs !== null) {
      return registration.disown(attempt, reply.admittedAs, () => attempts.settle(attempt));
    }
    this.#doors.journal.closed(attempt.id);
    if (reply.counted) stats.connectError();
    stats.disconnected();
    attempts.settle(attempt);
  }

  /** The application may have said yes after we had given up on it. */
  #answeredLate(attempt: Attempt, settings: Settings, outcome: Result<HttpAnswer, CallbackFailure>): void {
    const { attempts } = this.#doors;
    const reply = readConnectReply(settings, outcome, attempts.retryAfterSeconds);
    const key = reply.type === 'admit' ? reply.key : reply.admittedAs;
    if (key === null) return;
    this.#doors.stats.admittedLate();
    this.#doors.registration.disown(attempt, key, () => {});
  }
}
