/**
 * Holds clients to `limits.messages_per_connection` by reading them no faster.
 *
 * The rule is in `relay/message-pace.ts`; this file pauses and resumes sockets, with one timer for
 * all of them and none while nobody is paused. Made only when the limit is set.
 */
import { type Clock, ERRORS, type Logger, type Meter, type Timers } from '../../base/index.ts';
import type { LimitConfig, LiveConfig } from '../../config/index.ts';
import { MessagePace, type PaceBounds } from '../../relay/index.ts';
import type { Session } from './session.ts';
import type { Sessions } from './sessions.ts';
import type { Tracing } from './tracing.ts';

/** What the throttle stands on. */
export interface MessageThrottleDoors {
  readonly live: LiveConfig;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly logger: Logger;
  readonly tracing: Tracing;
  readonly meter: Meter;
  readonly sessions: Sessions;
}

/** How often paused clients are looked at; short beside what a person notices. */
const LOOK_MS = 50;
const FLOOD_CODE = ERRORS.MESSAGE_FLOOD.closeCode as number;

/** Paces the clients of one worker. */
export class MessageThrottle {
  readonly #doors: MessageThrottleDoors;
  /** Whether no limit is set; asked for every message. */
  off = true;
  #bounds: PaceBounds;
  #paces = new WeakMap<Session, MessagePace>();
  readonly #paused = new Set<Session>();
  /** Null until a limit is set for the first time. */
  #pauses: ReturnType<Meter['counter']> | null = null;
  #floods: ReturnType<Meter['counter']> | null = null;

  constructor(doors: MessageThrottleDoors) {
    this.#doors = doors;
    const { limits } = doors.live.current;
    this.#bounds = boundsOf(limits);
    this.#adjust(limits);
    doors.live.onChange((now) => {
      const { messagesPerSecond, messagesBurst } = boundsOf(now.limits);
      const isSame = messagesPerSecond === this.#bounds.messagesPerSecond;
      if (!isSame || messagesBurst !== this.#bounds.messagesBurst) this.#adjust(now.limits);
    });
  }

  /** A message came; false when it was one too many and the connection is closed. */
  take(session: Session): boolean {
    const nowMs = this.#doors.clock.monotonicMs();
    let pace = this.#paces.get(session);
    if (pace === undefined) {
      pace = new MessagePace(this.#bounds, nowMs);
      this.#paces.set(session, pace);
    }
    const verdict = pace.spend(nowMs);
    if (verdict === 'flood') this.#close(session);
    else if (verdict === 'pause' && !session.throttled) this.#pause(session);
    return verdict !== 'flood';
  }

  #pause(session: Session): void {
    session.throttled = true;
    session.connection?.pauseReading();
    this.#pauses?.add(1);
    this.#paused.add(session);
    if (this.#paused.size === 1) this.#lookLater();
  }

  #lookLater(): void {
    this.#doors.timers.after(LOOK_MS, () => {
      const nowMs = this.#doors.clock.monotonicMs();
      for (const session of this.#paused) {
        if (session.connection?.open !== true) this.#paused.delete(session);
        else if (this.#paces.get(session)?.isRepaid(nowMs)) this.#resume(session);
      }
      if (this.#paused.size > 0) this.#lookLater();
    });
  }

  #resume(session: Session): void {
    this.#paused.delete(session);
    session.throttled = false;
    // A full inbox is another reason not to read; it resumes by itself.
    if (session.inbox?.paused !== true) session.connection?.resumeReading();
  }

  #close(session: Session): void {
    if (!this.#doors.sessions.end(session, { reason: 'message_flood', code: FLOOD_CODE })) return;
    this.#floods?.add(1);
    const { logger, tracing } = this.#doors;
    logger.warn({ ...tracing.facts(session), code: 'MESSAGE_FLOOD' }, 'the client sends too fast');
    session.close(FLOOD_CODE, 'too many messages');
  }
  /** Every client begins anew with the new bounds, those who are paused included. */
  #adjust(limits: LimitConfig): void {
    this.#bounds = boundsOf(limits);
    this.off = limits.messagesPerConnection === 0;
    this.#paces = new WeakMap();
    for (const session of this.#paused) this.#resume(session);
    if (this.off || this.#pauses !== null) return;
    const { meter } = this.#doors;
    this.#pauses = meter.counter({
      name: 'arrokoth_throttle_pauses_total',
      help: 'Times that a client was read no further because it sent too fast.',
    });
    this.#floods = meter.counter({
      name: 'arrokoth_message_floods_total',
      help: 'Connections closed because the client went on sending too fast.',
    });
    const head = { name: 'arrokoth_throttled_connections', help: 'Clients that are not read at present.' };
    meter.observed({ ...head, type: 'gauge' }, () => this.#paused.size);
  }
}

function boundsOf(limits: LimitConfig): PaceBounds {
  return {
    messagesPerSecond: limits.messagesPerConnection,
    messagesBurst: limits.messagesPerConnectionBurst,
  };
}
