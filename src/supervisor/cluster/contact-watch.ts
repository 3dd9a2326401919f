/**
 * How long ago this node was in contact with the majority, and whether its log can write.
 *
 * A node by itself is its own majority. One that has never been in contact is isolated, like one that
 * has lost it; the timeout is the operator's.
 */
import type { Logger } from '../../base/index.ts';
import type { ClusterLog } from './doors.ts';

/** What is watched. */
export interface ContactWatchDoors {
  readonly logger: Logger;
  /** Null: the node is by itself. */
  readonly cluster: object | null;
  readonly isolationTimeoutMs: () => number;
  readonly log: () => ClusterLog | null;
}

/** The contact of one node. */
export class ContactWatch {
  readonly #doors: ContactWatchDoors;
  #shownIsolated: boolean | null = null;
  #shownImpaired = false;

  constructor(doors: ContactWatchDoors) {
    this.#doors = doors;
  }

  /** Milliseconds; those of a node that never was in contact are more than any timeout. */
  get ageMs(): number {
    if (this.#doors.cluster === null) return 0;
    return this.#doors.log()?.status().contactAgeMs ?? NEVER_MS;
  }

  /** Too old to order or to admit anything. */
  get isIsolated(): boolean {
    return this.ageMs > this.#doors.isolationTimeoutMs();
  }

  /** The disk takes no byte of the log at present. */
  get isImpaired(): boolean {
    return this.#doors.log()?.status().condition === 'disk_full';
  }

  /** Writes a line where something changed. */
  review(): void {
    const { logger } = this.#doors;
    const { isIsolated, isImpaired } = this;
    if (isIsolated !== this.#shownIsolated) {
      const wasKnown = this.#shownIsolated !== null;
      this.#shownIsolated = isIsolated;
      if (isIsolated && wasKnown)
        logger.warn({ contactAgeMs: this.ageMs }, 'this node is isolated from its cluster');
      else if (wasKnown) logger.info({}, 'this node is in contact with its cluster');
    }
    if (isImpaired === this.#shownImpaired) return;
    this.#shownImpaired = isImpaired;
    if (isImpaired) logger.error({}, 'the disk of the log is full: this node takes no new connections');
    else logger.info({}, 'the disk of the log takes bytes again');
  }
}

/** Survives JSON, unlike infinity. */
const NEVER_MS = 1e12;
