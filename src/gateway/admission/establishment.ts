/**
 * From the last acknowledgement to an open connection: the 101, the establish callback, the hello.
 *
 * The last step of admission. What the client says and how its socket ends comes in here too, and
 * is passed on to whoever deals with it.
 */
import { ERRORS, LIMITS, type Mode } from '../../base/index.ts';
import type { ConnectionEvents } from '../../net/index.ts';
import { agreedProtocol, type CallbackRequest, establishCallback, modeReason } from '../../relay/index.ts';
import { boundedCall } from '../bounded-call.ts';
import type { Session } from '../sessions/session.ts';
import type { AdmissionDoors } from './admission-doors.ts';
import type { Attempt, Attempts } from './attempts.ts';

type EstablishmentDoors = Pick<
  AdmissionDoors,
  | 'live'
  | 'ids'
  | 'tracing'
  | 'logger'
  | 'httpClient'
  | 'stats'
  | 'sessions'
  | 'receiveCallbacks'
  | 'addresses'
  | 'throttle'
  | 'modes'
  | 'stopping'
> & { readonly attempts: Attempts };

/** The answer's body is not used. */
const ESTABLISH_REPLY_BYTES_MAX = 64 * 1_024;

/** Establishes the connections of one worker. */
export class Establishment {
  readonly #doors: EstablishmentDoors;
  readonly #events: ConnectionEvents<Session>;

  constructor(doors: EstablishmentDoors) {
    this.#doors = doors;
    const { sessions, receiveCallbacks, addresses, throttle } = doors;
    this.#events = {
      message: ({ context }, payload, binary) => {
        context.watch?.step(context, 'message from the client', { bytes: payload.byteLength, binary });
        if (throttle.off || throttle.take(context)) receiveCallbacks.message(context, payload, binary);
      },
      ended: ({ context }, end) => {
        addresses.left(context.id);
        // Whoever of us closes a socket has ended its session before, or leaves it to the journal.
        if (end.cause === 'server') return;
        sessions.end(context, { reason: end.cause, code: end.code });
      },
    };
  }

  /** Sends the 101, with the subprotocol that the application chose, and what follows it. */
  begin(attempt: Attempt, session: Session, choice: string | null): void {
    const { attempts, logger, tracing, modes } = this.#doors;
    // Both may have come while the application was asked.
    const reason = this.#doors.stopping();
    if (reason !== null) {
      this.neverBegan(session);
      return attempts.refuse(attempt, 'NOT_ADMITTING', reason);
    }
    if (modes.reason('open') !== null) return this.blocked(attempt, session, modes.mode);
    const protocol = agreedProtocol(attempt.request.rawHeaders, choice);
    if (protocol === null && choice !== null) {
      logger.warn(tracing.facts(session), 'the application chose a protocol that was not offered');
    }
    session.connection = attempt.request.accept(session, this.#events, protocol);
    if (session.connection === null) this.neverBegan(session);
    else this.#upgraded(attempt, session);
    attempts.settle(attempt);
  }

  /** The application admitted it, and `mode` does not; harmless when it has ended already. */
  blocked(attempt: Attempt, session: Session, mode: Mode): void {
    if (!this.#doors.sessions.end(session, { reason: 'blocked', code: 1006 })) return;
    this.#doors.stats.connectError();
    this.#doors.modes.refused('connect', mode);
    this.#doors.attempts.refuse(attempt, 'BLOCKED_BY_MODE', modeReason(mode));
  }

  /** The application admitted it, and it never came to be; harmless when it has ended already. */
  neverBegan(session: Session): void {
    const ended = this.#doors.sessions.end(session, { reason: 'not_established', code: 1006 });
    if (ended) this.#doors.stats.connectError();
  }

  #upgraded(attempt: Attempt, session: Session): void {
    session.life.upgraded();
    session.watch?.step(session, '101', { sinceAskedMs: session.watch.since(attempt.beganAtMs) });
    const { logger, tracing } = this.#doors;
    if (logger.debugEnabled) {
      logger.debug({ ...tracing.facts(session), client: attempt.client }, 'connected');
    }
    const { id, key } = session;
    const subject = { connectionId: id, key, requestId: this.#doors.ids.next() };
    const callback = establishCallback(this.#doors.live.current, subject);
    if (callback === null) this.#open(session);
    else this.#establish(session, callback);
  }

  #establish(session: Session, callback: CallbackRequest): void {
    const { live, httpClient, stats, sessions, logger, tracing, attempts } = this.#doors;
    attempts.begun();
    const traced = tracing.carry(callback, session);
    const timeoutMs = live.current.callback.timeoutMs || LIMITS.callbackTimeoutMaxMs;
    const bounds = { timeoutMs, replyBytesMax: ESTABLISH_REPLY_BYTES_MAX, redirectsMax: 0 };
    const call = boundedCall(traced, bounds);
    const { watch } = session;
    const askedAtMs = watch === null ? 0 : watch.nowMs;
    httpClient.call(call, (answer) => {
      watch?.step(session, 'establish answered', {
        status: answer.ok ? answer.value.status : answer.error.kind,
        ms: watch.since(askedAtMs),
      });
      if (answer.ok && answer.value.status === 200) this.#open(session);
      else {
        const cause = answer.ok ? `status ${answer.value.status}` : answer.error.message;
        const code = ERRORS.NOT_ESTABLISHED.closeCode as number;
        stats.connectError();
        logger.error({ ...tracing.facts(session), cause }, 'the establish callback failed');
        if (sessions.end(session, { reason: 'not_established', code })) {
          session.close(code, 'not established');
        }
      }
      attempts.finished();
    });
  }

  #open(session: Session): void {
    if (session.life.established() === 'ended') return;
    if (session.hello !== null) this.#doors.stats.messages(1);
    session.watch?.step(session, 'open');
    session.open();
  }
}
