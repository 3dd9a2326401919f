/**
 * The permission that a worker acts on (law 4).
 *
 * A worker does not decide by itself whether it may admit: its supervisor grants it, and each grant
 * says how old the node's last contact with the majority was. A grant that grows older than the
 * isolation timeout stops counting, so a worker whose supervisor hangs stops admitting by itself.
 */
import type { Mode } from '../base/index.ts';

/** The newest grant and its age. Times are monotonic milliseconds of this process. */
export class Grant {
  #mode: Mode = 'initial';
  #contactAtMs = Number.NEGATIVE_INFINITY;

  /** Takes a grant that arrived at `nowMs` and whose contact was `contactAgeMs` old when it was sent. */
  renew(mode: Mode, contactAgeMs: number, nowMs: number): void {
    this.#mode = mode;
    // A grant that was delayed on its way must not push the newest contact back.
    this.#contactAtMs = Math.max(this.#contactAtMs, nowMs - contactAgeMs);
  }

  /** The mode that holds now: the granted one while its contact is young enough, else `initial`. */
  modeAt(nowMs: number, isolationTimeoutMs: number): Mode {
    return nowMs - this.#contactAtMs > isolationTimeoutMs ? 'initial' : this.#mode;
  }
}
