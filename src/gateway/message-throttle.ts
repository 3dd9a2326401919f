/**
 * Holds clients to `limits.messages_per_connection` by reading them no faster.
 *
 * The rule is in `relay/message-pace.ts`; this file pauses and resumes sockets, with one timer for
 * all of them and none while nobody is paused. Made only when the limit is set.
 */
import { type Clock, ERRORS, type Logger, type Meter, type Timers } from '../base/index.ts';
import type { Config } from '../config/index.ts';
import { MessagePace, type PaceBounds } from '../relay/index.ts';
import type { Session } from './session.ts';
import type { Sessions } from './sessions.ts';
import type { Tracing } from './tracing.ts';

/** What the throttle stands on. */
export interface MessageThrottleDoors {
  readonly config: Config;
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
  readonly #bounds: PaceBounds;
  readonly #paces = new WeakMap<Session, MessagePace>();
  readonly #paused = new Set<Session>();
  readonly #pauses: ReturnType<Meter['counter']>;
  readonly #floods: ReturnType<Meter['counter']>;

  constructor(doors: MessageThrottleDoors) {
    this.#doors = doors;
    const { limits } = doors.config;
    this.#bounds = {
      messagesPerSecond: limits.messagesPerConnection,
      messagesBurst: limits.messagesPerConnectionBurst,
    };
    this.#pauses = doors.meter.counter({
      name: 'arrokoth_throttle_pauses_total',
      help: 'Times that a client was read no further because it sent too fast.',
    });
    this.#floods = doors.meter.counter({
      name: 'arrokoth_message_floods_total',
      help: 'Connections closed because the client went on sending too fast.',
    });
    const head = { name: 'arrokoth_throttled_connections', help: 'Clients that are not read at present.' };
    doors.meter.observed({ ...head, type: 'gauge' }, () => this.#paused.size);
  }

  /** The throttle that the configuration asks for, or null when it sets no limit. */
  static of(doors: MessageThrottleDoors): MessageThrottle | null {
    return doors.config.limits.messagesPerConnection > 0 ? new MessageThrottle(doors) : null;
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
    this.#pauses.add(1);
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
    this.#floods.add(1);
    const { logger, tracing } = this.#doors;
    logger.warn({ ...tracing.facts(session), code: 'MESSAGE_FLOOD' }, 'the client sends too fast');
    session.close(FLOOD_CODE, 'too many messages');
  }
}
