/**
 * Who may connect to the port of a replicated log when the process runs out of descriptors.
 *
 * Two bounds. Callers beyond the reserve are answered 503: the rest is for the log's own files and its
 * calls to members. And when the process can open nothing at all, because the application or somebody
 * outside took the reserve too, the port is given up until there is room: libuv would ask the kernel
 * for the next socket in every turn, fail without a word, and use up a core. Callers are then refused
 * by the system, which is an answer as well.
 */
import { type Cancellable, LIMITS, type Logger, PEER_LIMITS, type Timers } from '../base/index.ts';
import { AcceptGate, type GateOutcome } from '../net/index.ts';
import type { BoundListener } from '../process/index.ts';
import { unavailableAnswer } from '../relay/index.ts';
import { systemClock } from '../system/index.ts';

/** The gate of a port; null: the host does not tell how many descriptors there are, or has no limit. */
export function peerGate(options: {
  readonly descriptorsMax: number | null;
  /** The port speaks HTTP without TLS: who is refused can be told so. */
  readonly isPlain: boolean;
  readonly logger: Logger;
  readonly refused: (outcome: GateOutcome) => void;
}): AcceptGate | null {
  const { descriptorsMax: max, isPlain, logger, refused } = options;
  if (max === null || !Number.isFinite(max)) return null;
  // Of a small limit half: the port has to be of some use.
  const from = max - Math.min(PEER_LIMITS.descriptorsReserved, Math.floor(max / 2));
  return new AcceptGate({
    ...{ clock: systemClock, logger, refused, bounds: { reserveFrom: from, neverFrom: from } },
    reserveUsed: () => 0,
    answer: isPlain ? () => unavailableAnswer('the node has no descriptors left', 1) : null,
    // Accepting that fails is what the look below is for; the gate writes the line.
    failed: () => {},
  });
}

/** What looking after a port needs. */
export interface PeerAcceptingDoors {
  readonly timers: Timers;
  readonly logger: Logger;
  /** Whether this process can open so many descriptors now. */
  readonly canOpen: (count: number) => boolean;
  /** The same address again, bound anew; null: not now. */
  readonly bind: () => Promise<BoundListener | null>;
  readonly listen: (bound: BoundListener) => void;
  /** Stops listening and closes the handle. */
  readonly unlisten: () => void;
}

/** The socket, and some calls that come at once: else it would be given up again with the first of them. */
const DESCRIPTORS_AGAIN_MIN = 8;

/** Listens as long as anything can be accepted. */
export class PeerAccepting {
  readonly #doors: PeerAcceptingDoors;
  readonly #looks: Cancellable;
  #bound: BoundListener | null;
  #isBinding = false;
  #isClosed = false;

  constructor(bound: BoundListener, doors: PeerAcceptingDoors) {
    this.#doors = doors;
    this.#bound = bound;
    doors.listen(bound);
    this.#looks = doors.timers.every(LIMITS.overloadLookMs, () => this.#look());
  }

  /** Gives the address up for good. */
  close(): void {
    this.#isClosed = true;
    this.#looks.cancel();
    this.#bound?.close();
  }

  #look(): void {
    const { canOpen, unlisten, logger } = this.#doors;
    if (this.#bound !== null && !canOpen(1)) {
      logger.error({}, 'the process can open nothing more; the port for other nodes is given up meanwhile');
      unlisten();
      this.#bound.close();
      this.#bound = null;
    } else if (this.#bound === null && !this.#isBinding && canOpen(DESCRIPTORS_AGAIN_MIN)) {
      this.#isBinding = true;
      void this.#listenAgain();
    }
  }

  async #listenAgain(): Promise<void> {
    const { bind, listen, logger } = this.#doors;
    const bound = await bind();
    this.#isBinding = false;
    if (bound === null) return;
    if (this.#isClosed) return bound.close();
    this.#bound = bound;
    listen(bound);
    logger.info({}, 'the port for other nodes is there again');
  }
}
