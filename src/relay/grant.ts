/**
 * The permission that a worker acts on (law 4).
 *
 * A worker does not decide by itself whether it may admit: its supervisor grants it, and each grant
 * says how old the node's last contact with the majority was. A grant that grows older than the
 * isolation timeout stops counting, so a worker whose supervisor hangs stops admitting by itself.
 */
import type { Mode } from '../base/index.ts';

/** What a supervisor grants. */
export interface Granted {
  readonly mode: Mode;
  /** The supervisor knows that the node has lost the majority. */
  readonly isolated: boolean;
  /** How old the last contact with the majority was when this was sent; 0 for a node alone. */
  readonly contactAgeMs: number;
}

/** What holds for a worker at one moment. */
export interface Standing {
  readonly mode: Mode;
  /** Other nodes may by now own what this one owned: it orders no channel messages. */
  readonly isolated: boolean;
}

const CUT_OFF: Standing = { mode: 'initial', isolated: true };

/** The newest grant and its age. Times are monotonic milliseconds of this process. */
export class Grant {
  #granted: Granted = { mode: 'initial', isolated: true, contactAgeMs: 0 };
  #receivedAtMs = Number.NEGATIVE_INFINITY;
  #contactAtMs = Number.NEGATIVE_INFINITY;

  /** Takes a grant that arrived at `nowMs`. */
  renew(granted: Granted, nowMs: number): void {
    this.#granted = granted;
    this.#receivedAtMs = nowMs;
    // A grant that was delayed on its way must not push the newest contact back.
    this.#contactAtMs = Math.max(this.#contactAtMs, nowMs - granted.contactAgeMs);
  }

  /**
   * What holds now. A supervisor that has fallen silent leaves `initial`, whatever it granted; contact
   * that has grown old since leaves a block mode as it was ordered, and turns `normal` into `initial`.
   */
  at(nowMs: number, isolationTimeoutMs: number): Standing {
    if (nowMs - this.#receivedAtMs > isolationTimeoutMs) return CUT_OFF;
    const { mode } = this.#granted;
    const isolated = this.#granted.isolated || nowMs - this.#contactAtMs > isolationTimeoutMs;
    return { mode: isolated && mode === 'normal' ? 'initial' : mode, isolated };
  }
}
