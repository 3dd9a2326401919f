/**
 * Tells the application of every end, once it is owed, until it has answered.
 *
 * Events wait in memory and in the session journal; a call that fails is repeated with back-off,
 * within bounds, under the same event id. What is not answered before this process ends stays in
 * the journal for whoever comes next.
 */

import type { Clock, Timers } from '../../base/index.ts';
import {
  BoundedQueue,
  type ConnectionId,
  LIMITS,
  type LogFields,
  type Logger,
  type Meter,
  type Random,
  type SessionKey,
} from '../../base/index.ts';
import type { LiveConfig } from '../../config/index.ts';
import type { SessionJournal } from '../../journal/index.ts';
import {
  type CallbackRequest,
  type CloseReason,
  closeAnswerVerdict,
  nextAttempt,
  type Trace,
} from '../../relay/index.ts';
import { boundedCall } from '../bounded-call.ts';
import type { CallbackCaller } from '../logged-callbacks.ts';
import type { KeyWatches } from './key-watches.ts';
import type { Tracing } from './tracing.ts';

/** The end of one connection, as the application is to learn it. */
export interface CloseEvent {
  readonly connection: ConnectionId;
  readonly key: SessionKey | null;
  readonly reason: CloseReason;
  readonly code: number;
  /** The trace that the client named; absent when another run of the worker knew it. */
  readonly trace?: Trace | null;
}

interface Pending extends CloseEvent {
  attempt: number;
  dueMs: number;
}

/** What close callbacks are sent, timed and remembered with. */
export interface CloseCallbackDoors {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly logger: Logger;
  readonly meter: Meter;
  readonly journal: SessionJournal;
  readonly httpClient: CallbackCaller;
  readonly live: LiveConfig;
  readonly tracing: Tracing;
  readonly watches: KeyWatches;
  /** What the request looks like; null when the application wants no close callbacks. */
  readonly request: (event: CloseEvent) => CallbackRequest | null;
}

/** How often due repetitions are looked for; their delays are much longer. */
const SWEEP_MS = 50;
/** The answer's body is not used; enough to keep the connection reusable. */
const REPLY_BYTES_MAX = 64 * 1_024;

/** Sends the close callbacks of one worker. */
export class CloseCallbacks {
  readonly #doors: CloseCallbackDoors;
  readonly #ready = new BoundedQueue<Pending>(LIMITS.closeEventsPendingMax);
  readonly #answers: { add(amount: number, labels: { result: string }): void };
  #waiting: Pending[] = [];
  /** Events whose client's last words are not answered yet. */
  #announced = 0;
  #inFlight = 0;
  #fillAwaited = false;
  #stopped = false;
  #onIdle: (() => void)[] = [];

  constructor(doors: CloseCallbackDoors) {
    this.#doors = doors;
    this.#answers = doors.meter.counter({
      name: 'arrokoth_close_events_total',
      help: 'Close events by what became of them.',
      labels: ['result'],
    });
    doors.timers.every(SWEEP_MS, () => this.#sweep());
  }

  /** Events that are not answered yet. */
  get pending(): number {
    return this.#announced + this.#ready.size + this.#waiting.length + this.#inFlight;
  }

  /** Takes over an event that the journal already knows. */
  add(event: CloseEvent): void {
    if (this.#ready.push({ ...event, attempt: 0, dueMs: 0 })) return this.#fillAtEndOfTurn();
    // The journal keeps it: the next run of this worker will send it.
    this.#answers.add(1, { result: 'deferred' });
    this.#doors.logger.error(
      { ...this.#facts(event), pending: this.pending },
      'too many close callbacks are pending; this one is left to the journal',
    );
  }

  /** The same, once `before` says so; the event counts as pending meanwhile. */
  addAfter(event: CloseEvent, before: (ready: () => void) => void): void {
    this.#announced++;
    before(() => {
      this.#announced--;
      this.add(event);
    });
  }

  /** Sends nothing more; what is pending stays in the journal. */
  stop(): void {
    this.#stopped = true;
  }

  /** Calls `then` as soon as nothing is pending. */
  whenIdle(then: () => void): void {
    if (this.pending === 0) then();
    else this.#onIdle.push(then);
  }

  #sweep(): void {
    if (this.#waiting.length === 0) return;
    const nowMs = this.#doors.clock.monotonicMs();
    const still: Pending[] = [];
    for (const event of this.#waiting) {
      if (event.dueMs > nowMs || !this.#ready.push(event)) still.push(event);
    }
    this.#waiting = still;
    this.#fillAtEndOfTurn();
  }

  /**
   * What the application is told stands in the journal first. Otherwise a kill in between would let
   * our replacement tell the same event with another reason.
   */
  #fillAtEndOfTurn(): void {
    if (this.#fillAwaited) return;
    this.#fillAwaited = true;
    this.#doors.timers.endOfTurn(() => {
      this.#fillAwaited = false;
      this.#doors.journal.flush();
      this.#fill();
    });
  }

  #fill(): void {
    while (!this.#stopped && this.#inFlight < LIMITS.closeCallbacksInFlightMax) {
      const event = this.#ready.shift();
      if (event === undefined) return;
      this.#send(event);
    }
  }

  #send(event: Pending): void {
    const { httpClient, live, watches } = this.#doors;
    const request = this.#doors.request(event);
    if (request === null) return this.#done(event, 'unwanted');
    this.#inFlight++;
    event.attempt++;
    const call = boundedCall(request, {
      timeoutMs: live.current.callback.closeTimeoutMs,
      replyBytesMax: REPLY_BYTES_MAX,
      redirectsMax: LIMITS.redirectsMax,
    });
    const watch = watches.of(event.key);
    const askedAtMs = watch === null ? 0 : watch.nowMs;
    httpClient.call(call, (answer) => {
      watch?.step({ id: event.connection, trace: event.trace ?? null }, 'close answered', {
        status: answer.ok ? answer.value.status : answer.error.kind,
        ms: watch.since(askedAtMs),
        attempt: event.attempt,
      });
      this.#inFlight--;
      const verdict = closeAnswerVerdict(answer);
      if (verdict === 'again')
        this.#again(event, answer.ok ? `status ${answer.value.status}` : answer.error.message);
      else {
        if (verdict === 'refused') {
          this.#doors.logger.warn(
            { ...this.#facts(event), status: answer.ok ? answer.value.status : null },
            'the close callback was answered, but not with 200',
          );
        }
        this.#done(event, verdict);
      }
      this.#fillAtEndOfTurn();
    });
  }

  #again(event: Pending, cause: string): void {
    const { live, random, clock, logger } = this.#doors;
    const { callback } = live.current;
    const next = nextAttempt({
      attempt: event.attempt,
      attemptsMax: callback.closeAttemptsMax,
      backoffMs: callback.closeBackoffMs,
      backoffMaxMs: callback.closeBackoffMaxMs,
      fraction: random.fraction(),
    });
    const facts = { ...this.#facts(event), attempt: event.attempt, cause };
    if (next.type === 'give_up') {
      logger.error(facts, 'the close callback failed for the last time; the event is given up');
      return this.#done(event, 'given_up');
    }
    logger.warn(
      { ...facts, delayMs: Math.round(next.delayMs) },
      'the close callback failed; it is tried again',
    );
    this.#answers.add(1, { result: 'again' });
    event.dueMs = clock.monotonicMs() + next.delayMs;
    this.#waiting.push(event);
  }

  #facts({ connection, trace }: CloseEvent): LogFields {
    return this.#doors.tracing.facts({ id: connection, trace: trace ?? null });
  }

  #done(event: Pending, result: string): void {
    this.#doors.journal.closed(event.connection);
    this.#answers.add(1, { result });
    if (this.pending > 0) return;
    const listeners = this.#onIdle;
    this.#onIdle = [];
    for (const listener of listeners) listener();
  }
}
