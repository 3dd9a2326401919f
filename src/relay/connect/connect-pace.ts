/**
 * How crowded the way in of one worker is: who is on it, who was sent away, and how fast it moves.
 *
 * Says how long a client that is sent away should stay away. The pace is measured while more
 * attempts wait than the application is asked about at once, because only then it is the
 * application's; in quiet times it would be that of the clients. Time comes in.
 */
import { assert, LIMITS } from '../../base/index.ts';
import { type RetryWait, waitBehind } from './retry-after.ts';

/** A span over which the pace is measured: long enough for many answers of a slow application. */
const WINDOW_MS = 500;
/** Slower than one a second is all the same: the span is at its bound. */
const PER_SECOND_MIN = 1;

/** The crowd at one worker's door. */
export class ConnectPace {
  #inFlightMax: number;
  #perSecond: number;
  /** Answers since `#sinceMs`, the one that began the window excepted; negative: no window. */
  #answers = -1;
  #sinceMs = 0;
  /** Clients that were sent away and are not due yet, and when that was so. */
  #away = 0;
  #awayAtMs = 0;

  /** `inFlightMax`: callbacks that the application is sent at once. */
  constructor(inFlightMax: number) {
    assert(inFlightMax >= 1, 'an application is asked something at a time');
    this.#inFlightMax = inFlightMax;
    this.#perSecond = (inFlightMax / LIMITS.connectCallbackGuessMs) * 1_000;
  }

  /** Another number of callbacks is sent at once; what was measured holds until it is measured anew. */
  replace(inFlightMax: number): void {
    this.#inFlightMax = inFlightMax;
    this.#answers = -1;
  }

  /** A connect callback was answered, or failed; `inProgress` attempts are on their way. */
  answered(nowMs: number, inProgress: number): void {
    if (inProgress <= this.#inFlightMax) {
      this.#answers = -1;
      return;
    }
    if (this.#answers < 0) this.#sinceMs = nowMs;
    this.#answers++;
    const elapsedMs = nowMs - this.#sinceMs;
    if (elapsedMs < WINDOW_MS) return;
    const measured = (this.#answers / elapsedMs) * 1_000;
    this.#perSecond = Math.max(PER_SECOND_MIN, (this.#perSecond + measured) / 2);
    this.#answers = 0;
    this.#sinceMs = nowMs;
  }

  /** A client is sent away: how long it should stay away. */
  sentAway(nowMs: number, inProgress: number): RetryWait {
    const wait = this.wait(nowMs, inProgress);
    // Nobody stays away for longer than the bound of the spread, so no more can be expected back.
    const awayMax = (this.#perSecond * LIMITS.retryAfterSpreadMaxMs) / 1_000;
    this.#away = Math.min(awayMax, this.#away + 1);
    return wait;
  }

  /** The same for somebody who asks and was counted when it was sent away, or is not at all. */
  wait(nowMs: number, inProgress: number): RetryWait {
    const elapsedMs = nowMs - this.#awayAtMs;
    this.#away = Math.max(0, this.#away - (elapsedMs / 1_000) * this.#perSecond);
    this.#awayAtMs = nowMs;
    return waitBehind(this.#away + inProgress, this.#perSecond);
  }
}
