/**
 * How fast one client may send: a token bucket that may go into debt.
 *
 * A message that was read cannot be unread, so it is always accepted; a debt means that the client
 * is read no further until it is repaid. What still comes meanwhile was on its way already. A client
 * whose debt passes every measure sends without regard to what we read.
 */

/** What one client may send. */
export interface PaceBounds {
  readonly messagesPerSecond: number;
  readonly messagesBurst: number;
}

/** What a message means for the reading of the next one. */
export type PaceVerdict = 'go_on' | 'pause' | 'flood';

/** A debt of this long, or of one burst if that is more, is a flood. */
const DEBT_SECONDS_MAX = 10;

/** The pace of one connection. */
export class MessagePace {
  readonly #bounds: PaceBounds;
  #tokens: number;
  #atMs: number;

  constructor(bounds: PaceBounds, nowMs: number) {
    this.#bounds = bounds;
    this.#tokens = bounds.messagesBurst;
    this.#atMs = nowMs;
  }

  /** One message came. */
  spend(nowMs: number): PaceVerdict {
    this.#refill(nowMs);
    this.#tokens--;
    if (this.#tokens >= 0) return 'go_on';
    const { messagesPerSecond, messagesBurst } = this.#bounds;
    const debtMax = Math.max(messagesBurst, DEBT_SECONDS_MAX * messagesPerSecond);
    return -this.#tokens > debtMax ? 'flood' : 'pause';
  }

  /** Whether the client may be read again. */
  isRepaid(nowMs: number): boolean {
    this.#refill(nowMs);
    return this.#tokens >= 0;
  }

  #refill(nowMs: number): void {
    const { messagesPerSecond, messagesBurst } = this.#bounds;
    const earned = ((nowMs - this.#atMs) / 1_000) * messagesPerSecond;
    this.#tokens = Math.min(messagesBurst, this.#tokens + earned);
    this.#atMs = nowMs;
  }
}
