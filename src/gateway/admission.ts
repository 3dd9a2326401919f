/**
 * From an upgrade request to an open connection.
 *
 * Checks first, then the application's word, then the records that survive us, then the 101. From
 * the application's 200 on the connection is admitted: every way out of this file after that goes
 * through `sessions.end`, so that the application hears of it exactly once.
 */

import type { Clock } from '../base/index.ts';
import {
  type ConnectionId,
  ERRORS,
  type ErrorCode,
  failed,
  type IdSource,
  LIMITS,
  type Logger,
  type Result,
  type SessionKey,
} from '../base/index.ts';
import type { Config } from '../config/index.ts';
import type { SessionJournal } from '../journal/index.ts';
import {
  type ConnectionEvents,
  encodeFrame,
  type HttpAnswer,
  type HttpClient,
  type UpgradeRequest,
} from '../net/index.ts';
import {
  type AddressRefusal,
  type Admission as AdmittingReply,
  agreedProtocol,
  type CallbackFailure,
  type CallbackRequest,
  type CallbackSettings,
  type ConnectReplySettings,
  checkUpgrade,
  connectCallback,
  establishCallback,
  type ForwardedRule,
  readConnectReply,
  tooManyAnswer,
  unavailableAnswer,
} from '../relay/index.ts';
import type { AddressGate } from './address-gate.ts';
import type { GatewayStats } from './gateway-stats.ts';
import type { MessageThrottle } from './message-throttle.ts';
import type { NodeChannels } from './node-channels.ts';
import type { NodeDirectory } from './node-directory.ts';
import type { ReceiveCallbacks } from './receive-callbacks.ts';
import { Session } from './session.ts';
import type { Sessions } from './sessions.ts';
import type { Traced, Tracing } from './tracing.ts';

/** What a connect passes through on its way in. */
export interface AdmissionDoors {
  readonly config: Config;
  readonly settings: CallbackSettings & ConnectReplySettings;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly forwarded: ForwardedRule;
  readonly ids: IdSource;
  readonly tracing: Tracing;
  readonly journal: SessionJournal;
  readonly httpClient: HttpClient;
  readonly stats: GatewayStats;
  readonly sessions: Sessions;
  readonly directory: NodeDirectory;
  readonly channels: NodeChannels;
  readonly receiveCallbacks: ReceiveCallbacks;
  /** Null where no limit is set. */
  readonly addresses: AddressGate | null;
  readonly throttle: MessageThrottle | null;
  /** Callback timeouts, with the built-in bound in place of 0. */
  readonly timeoutMs: number;
  /** Why nobody is admitted at present, or null. */
  readonly refusal: () => string | null;
}

/** The answer's body is not used. */
const ESTABLISH_REPLY_BYTES_MAX = 64 * 1_024;

/** One attempt to connect, until it is refused or admitted. */
interface Attempt extends Traced {
  readonly request: UpgradeRequest;
  /** Who asks, as far as the proxies before us can be believed; for logs. */
  readonly client: string;
  /** The client has its answer, and the application's is accounted for. */
  settled: boolean;
}

/** Admits connections for one worker. */
export class Admission {
  readonly #doors: AdmissionDoors;
  readonly #events: ConnectionEvents<Session>;
  /** This worker's share of the node's connections, with room for an uneven spread. */
  readonly #connectionsMax: number;
  #inProgress = 0;
  #onIdle: (() => void)[] = [];

  constructor(doors: AdmissionDoors) {
    this.#doors = doors;
    const { config, sessions, receiveCallbacks, addresses, throttle } = doors;
    const uneven = config.workers === 1 ? 1 : 1.25;
    this.#connectionsMax = Math.ceil((config.limits.connectionsMax / config.workers) * uneven);
    this.#events = {
      message: ({ context }, payload, binary) => {
        if (throttle === null || throttle.take(context)) receiveCallbacks.message(context, payload, binary);
      },
      ended: ({ context }, end) => {
        addresses?.left(context.id);
        // Whoever of us closes a socket has ended its session before, or leaves it to the journal.
        if (end.cause === 'server') return;
        sessions.end(context, { reason: end.cause, code: end.code });
      },
    };
  }

  /** Attempts without a verdict yet, and connections that are being established. */
  get inProgress(): number {
    return this.#inProgress;
  }

  whenIdle(then: () => void): void {
    if (this.#inProgress === 0) then();
    else this.#onIdle.push(then);
  }

  /** Why somebody who is counted already would be refused before the application is asked, or null. */
  refusal(): { readonly code: ErrorCode; readonly reason: string } | null {
    const reason = this.#doors.refusal();
    if (reason !== null) return { code: 'NOT_ADMITTING', reason };
    const isFull = this.#doors.stats.connections > this.#connectionsMax;
    return isFull ? { code: 'CONNECTION_LIMIT', reason: 'the node is full' } : null;
  }

  /** A client asks for a WebSocket on the connect path. */
  upgrade(request: UpgradeRequest): void {
    const { config, stats, settings, httpClient, ids, journal, forwarded, timeoutMs, tracing } = this.#doors;
    stats.connecting();
    const origin = forwarded.read(request);
    const verdict = checkUpgrade(request, config.originPolicy, origin.host);
    if (verdict.type !== 'ok') {
      if (verdict.type === 'abandon') request.abandon();
      else request.refuse(verdict.status, verdict.headers, verdict.body);
      return this.#failed();
    }
    const attempt: Attempt = {
      request,
      id: ids.connection(),
      client: origin.address,
      trace: tracing.ofClient(request),
      settled: false,
    };
    this.#inProgress++;
    const refusal = this.refusal();
    if (refusal !== null) return this.#unavailable(attempt, refusal.code, refusal.reason);
    const limited = this.#doors.addresses?.enter(attempt.id, attempt.client) ?? null;
    if (limited !== null) return this.#limited(attempt, limited);
    const callback = connectCallback(settings, {
      method: request.method,
      query: request.query,
      rawHeaders: request.rawHeaders,
      forwarded: origin.lines,
      connectionId: attempt.id,
      requestId: ids.next(),
    });
    if (callback === null) {
      const message = '`callback.connect` is not configured';
      return this.#answered(attempt, failed({ kind: 'not_configured', message }));
    }
    const call = {
      ...tracing.carry(callback, attempt),
      timeoutMs,
      replyBytesMax: config.limits.bodyBytesMax,
      redirectsMax: LIMITS.redirectsMax,
      lateAnswer: (outcome: Result<HttpAnswer, CallbackFailure>) => this.#answeredLate(attempt, outcome),
    };
    // The application's yes may reach a worker that was just killed: who comes next must know of it.
    journal.asked(attempt.id, (failure) => {
      if (failure === null) httpClient.call(call, (answer) => this.#answered(attempt, answer));
      else this.#unavailable(attempt, 'JOURNAL_WRITE_FAILED', 'the session journal cannot be written');
    });
  }

  #answered(attempt: Attempt, outcome: Result<HttpAnswer, CallbackFailure>): void {
    const { settings, logger, stats, tracing } = this.#doors;
    const reply = readConnectReply(settings, outcome);
    if (reply.type === 'admit') return this.#admit(attempt, reply);
    attempt.request.refuse(reply.status, reply.headers, reply.body);
    const { client } = attempt;
    logger[reply.log.level]({ ...tracing.facts(attempt), client, status: reply.status }, reply.log.message);
    if (reply.admittedAs !== null) {
      return this.#disown(attempt, reply.admittedAs, () => this.#settle(attempt));
    }
    this.#doors.journal.closed(attempt.id);
    if (reply.counted) stats.connectError();
    stats.disconnected();
    this.#settle(attempt);
  }

  /** The application believes in a connection that will never be: it is owed its end. */
  #disown(attempt: Attempt, key: SessionKey, told: () => void): void {
    const { id, trace } = attempt;
    const session = new Session({ id, trace, key, channels: [], hello: null, awaited: 1 });
    this.#doors.sessions.add(session);
    this.#doors.journal.opened(this.#record(session), () => {
      this.#notEstablished(session);
      told();
    });
  }

  /** The application may have said yes after we had given up on it. */
  #answeredLate(attempt: Attempt, outcome: Result<HttpAnswer, CallbackFailure>): void {
    const reply = readConnectReply(this.#doors.settings, outcome);
    const key = reply.type === 'admit' ? reply.key : reply.admittedAs;
    if (key === null) return;
    this.#doors.stats.admittedLate();
    this.#disown(attempt, key, () => {});
  }

  #newSession(attempt: Attempt, reply: AdmittingReply): Session {
    const { key, channels } = reply;
    const { id, trace } = attempt;
    const hello = reply.hello === null ? null : encodeFrame(reply.hello, reply.helloBinary);
    const session = new Session({ id, trace, key, channels, hello, awaited: 2 + channels.length });
    this.#doors.sessions.add(session);
    return session;
  }

  #record(session: Session): { connection: ConnectionId; key: Session['key']; openedAtMs: number } {
    return { connection: session.id, key: session.key, openedAtMs: this.#doors.clock.wallMs() };
  }

  #admit(attempt: Attempt, reply: AdmittingReply): void {
    const { journal, directory, channels, sessions } = this.#doors;
    const session = this.#newSession(attempt, reply);
    const acknowledged = (code: ErrorCode, success: boolean): void => {
      const next = success ? session.life.acknowledged() : 'ended';
      if (next === 'upgrade') this.#switchProtocols(attempt, session, reply.protocol);
      if (next !== 'ended') return;
      // Not recorded in time, or ended meanwhile: replaced, closed by the application, a drain.
      this.#notEstablished(session);
      this.#refuse(attempt, success ? 'NOT_ADMITTING' : code, 'the connection ended before it began');
    };
    journal.opened(this.#record(session), (failure) =>
      acknowledged('JOURNAL_WRITE_FAILED', failure === null),
    );
    sessions.registering(session);
    directory.register(session, (registered) => {
      // A home that was too slow for us may have registered the session nevertheless.
      if (!registered || session.life.stage === 'ended') directory.unregister(session);
      else sessions.addressable(session);
      acknowledged('DIRECTORY_UNAVAILABLE', registered);
    });
    for (const channel of session.channels) {
      channels.join(session, channel, (joined) => acknowledged('DIRECTORY_UNAVAILABLE', joined));
    }
  }

  #switchProtocols(attempt: Attempt, session: Session, choice: string | null): void {
    const reason = this.#doors.refusal();
    if (reason !== null) {
      // The node stopped admitting while the application was asked.
      this.#notEstablished(session);
      return this.#refuse(attempt, 'NOT_ADMITTING', reason);
    }
    const protocol = agreedProtocol(attempt.request.rawHeaders, choice);
    if (protocol === null && choice !== null) {
      this.#doors.logger.warn(
        { connection: session.id },
        'the application chose a protocol that was not offered',
      );
    }
    session.connection = attempt.request.accept(session, this.#events, protocol);
    if (session.connection === null) this.#notEstablished(session);
    else this.#upgraded(attempt, session);
    this.#settle(attempt);
  }

  #upgraded(attempt: Attempt, session: Session): void {
    session.life.upgraded();
    const { logger, tracing } = this.#doors;
    if (logger.debugEnabled) {
      logger.debug({ ...tracing.facts(session), client: attempt.client }, 'connected');
    }
    const { id, key } = session;
    const subject = { connectionId: id, key, requestId: this.#doors.ids.next() };
    const callback = establishCallback(this.#doors.settings, subject);
    if (callback === null) this.#open(session);
    else this.#establish(session, callback);
  }

  #establish(session: Session, callback: CallbackRequest): void {
    const { httpClient, stats, sessions, logger, timeoutMs, tracing } = this.#doors;
    this.#inProgress++;
    const traced = tracing.carry(callback, session);
    const call = { ...traced, timeoutMs, replyBytesMax: ESTABLISH_REPLY_BYTES_MAX, redirectsMax: 0 };
    httpClient.call(call, (answer) => {
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
      this.#finished();
    });
  }

  #open(session: Session): void {
    if (session.life.established() === 'ended') return;
    if (session.hello !== null) this.#doors.stats.messages(1);
    session.open();
  }

  /** The application admitted it, and it never came to be. */
  #notEstablished(session: Session): void {
    const ended = this.#doors.sessions.end(session, { reason: 'not_established', code: 1006 });
    if (ended) this.#doors.stats.connectError();
  }

  /** Counted, not logged: a flood of connects should not become a flood of lines. */
  #limited(attempt: Attempt, { limit, retryAfterSeconds }: AddressRefusal): void {
    const { logger, tracing } = this.#doors;
    logger.debug({ ...tracing.facts(attempt), code: 'ADDRESS_LIMIT', limit }, 'too many connects');
    const answer = tooManyAnswer(`${limit} of this address`, retryAfterSeconds);
    attempt.request.refuse(answer.status, answer.headers, answer.body);
    this.#settle(attempt);
    this.#failed();
  }

  #unavailable(attempt: Attempt, code: ErrorCode, reason: string): void {
    this.#refuse(attempt, code, reason);
    this.#failed();
  }

  #refuse(attempt: Attempt, code: ErrorCode, reason: string): void {
    if (attempt.settled) return;
    const { logger, tracing } = this.#doors;
    logger.warn({ ...tracing.facts(attempt), client: attempt.client, code }, reason);
    const answer = unavailableAnswer(reason);
    attempt.request.refuse(answer.status, answer.headers, answer.body);
    this.#settle(attempt);
  }

  #failed(): void {
    this.#doors.stats.connectError();
    this.#doors.stats.disconnected();
  }

  #settle(attempt: Attempt): void {
    attempt.settled = true;
    const { addresses, sessions } = this.#doors;
    // Who has a connection now leaves with it.
    if (addresses !== null && !sessions.byId(attempt.id)?.connection?.open) addresses.left(attempt.id);
    this.#finished();
  }

  #finished(): void {
    this.#inProgress--;
    if (this.#inProgress > 0) return;
    const listeners = this.#onIdle;
    this.#onIdle = [];
    for (const listener of listeners) listener();
  }
}
