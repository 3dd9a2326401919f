/**
 * The descriptors of one worker: how many clients may take, and what happens beyond.
 *
 * Joins the reserve (`host-limits.ts`), the figures of the process and the gates of its listeners.
 */
import type { Meter } from '../base/index.ts';
import { AcceptGate, type GateBounds, type GateOutcome } from '../net/index.ts';
import { type OutgoingAnswer, retryAfterSeconds, unavailableAnswer, type Vitals } from '../relay/index.ts';
import { readHost, systemClock, systemRandom, watchVitals } from '../system/index.ts';
import { DESCRIPTORS_NEVER_GIVEN, descriptorReserve } from './host-limits.ts';
import type { WorkerDoors } from './worker-doors.ts';

/** Who is sent away here meets a worker that is full for as long as others hold on. */
const RETRY_WAIT = { leastMs: 1_000, spreadMs: 4_000 };

/** What one gateway worker does about its descriptors. */
export class WorkerDescriptors {
  /** The figures of this process now. */
  readonly vitals: () => Vitals;
  readonly #doors: WorkerDoors;
  readonly #ownSockets: () => number;
  /** Null: the host does not tell, or has no limit. */
  readonly #max: number | null;
  readonly #refused: ReturnType<Meter['counter']>;
  readonly #failed: ReturnType<Meter['counter']>;

  /** `ownSockets`: those to the application, whom the reserve is for. */
  constructor(doors: WorkerDoors, ownSockets: () => number) {
    this.#doors = doors;
    this.#ownSockets = ownSockets;
    const { descriptorsMax } = readHost();
    this.#max = descriptorsMax === Number.POSITIVE_INFINITY ? null : descriptorsMax;
    this.vitals = watchVitals({
      descriptorsMax: () => (this.#max === null ? null : this.#max - this.#reserve(this.#max)),
      // The reserve is theirs, so what they hold of it does not make the rest smaller.
      descriptorsExcepted: ownSockets,
    });
    this.#refused = doors.meter.meter.counter({
      name: 'arrokoth_descriptor_refusals_total',
      help: 'Sockets that were answered 503, or cut, because only the reserve of descriptors was left.',
      labels: ['outcome'],
    });
    this.#failed = doors.meter.meter.counter({
      name: 'arrokoth_accept_errors_total',
      help: 'Times that the system could not accept a socket, by its error.',
      labels: ['code'],
    });
  }

  /**
   * The gate of one listener; `plain`: its sockets speak HTTP without TLS. The application's may take
   * half of the reserve before they are refused.
   */
  gate(listener: 'public' | 'app', plain: boolean): AcceptGate | null {
    const max = this.#max;
    if (max === null) return null;
    const boundsNow = (): GateBounds => {
      const reserve = this.#reserve(max);
      const reserveFrom = max - (listener === 'public' ? reserve : Math.floor(reserve / 2));
      return { reserveFrom, neverFrom: Math.max(reserveFrom, max - DESCRIPTORS_NEVER_GIVEN) };
    };
    const gate = new AcceptGate({
      clock: systemClock,
      logger: this.#doors.logger.child({ listener }),
      bounds: boundsNow(),
      reserveUsed: this.#ownSockets,
      answer: plain ? refusal : null,
      refused: (outcome: GateOutcome) => this.#refused.add(1, { outcome }),
      failed: (code) => this.#failed.add(1, { code }),
    });
    this.#doors.live.onChange(() => gate.adjust(boundsNow()));
    return gate;
  }

  #reserve(max: number): number {
    return descriptorReserve(max, this.#doors.live.current);
  }
}

function refusal(): OutgoingAnswer {
  const seconds = retryAfterSeconds(RETRY_WAIT, systemRandom.fraction());
  return unavailableAnswer('the worker has no descriptors left', seconds);
}
