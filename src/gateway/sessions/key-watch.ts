/**
 * One session key that an operator looks at: each step of its connections becomes a log line.
 *
 * Sizes, statuses and durations only; never bodies, headers or tokens. A session that is not watched
 * has no watch, so that its steps cost one comparison.
 */
import type { Clock, LogFields, Logger, SessionKey } from '../../base/index.ts';
import type { Traced, Tracing } from './tracing.ts';

/** What watching takes. */
export interface KeyWatchDoors {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly tracing: Tracing;
}

/** A watch, until its time is over. */
export class KeyWatch {
  readonly #doors: KeyWatchDoors;
  readonly #key: SessionKey;
  readonly #untilMs: number;
  #stopped = false;

  /** `untilMs`: by the monotonic clock. */
  constructor(doors: KeyWatchDoors, key: SessionKey, untilMs: number) {
    this.#doors = doors;
    this.#key = key;
    this.#untilMs = untilMs;
  }

  /** False when its time is over or it was stopped. */
  get active(): boolean {
    return !this.#stopped && this.#doors.clock.monotonicMs() < this.#untilMs;
  }

  stop(): void {
    this.#stopped = true;
  }

  /** A line about a connection of the key. */
  step(subject: Traced, step: string, fields: LogFields = {}): void {
    if (!this.active) return;
    const { logger, tracing } = this.#doors;
    logger.info({ ...tracing.facts(subject), key: this.#key, step, ...fields }, 'watched');
  }

  get nowMs(): number {
    return this.#doors.clock.monotonicMs();
  }

  /** Milliseconds since `sinceMs`, for a line. */
  since(sinceMs: number): number {
    return Math.round((this.#doors.clock.monotonicMs() - sinceMs) * 10) / 10;
  }
}
