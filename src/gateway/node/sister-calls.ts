/**
 * Asking sister workers for things that may be asked twice.
 *
 * A link may break and a sister may be killed and replaced within a moment; a question that was on
 * its way is then put again. Only for questions whose second asking changes nothing.
 */
import { type Clock, failed, isSameWorker, LIMITS, type Result, type Seat } from '../../base/index.ts';
import type { Bus, BusAnswer, BusFailure, BusMessage, Sister } from '../../bus/index.ts';

type Done = (answer: Result<BusAnswer, BusFailure>) => void;

interface SisterCallDoors {
  readonly bus: Bus;
  readonly clock: Clock;
}

/** Asks whoever has `seat`, and its replacement if it ends meanwhile, for `LIMITS.sisterWaitMs` in all. */
export function askRepeatably(doors: SisterCallDoors, seat: Seat, message: BusMessage, done: Done): void {
  const deadlineMs = doors.clock.monotonicMs() + LIMITS.sisterWaitMs;
  const attempt = (): void => {
    const leftMs = deadlineMs - doors.clock.monotonicMs();
    if (leftMs <= 0) return done(failed('timeout'));
    doors.bus.ask(seat, message, leftMs, (answer) => {
      if (!answer.ok && answer.error === 'unreachable') attempt();
      else done(answer);
    });
  };
  attempt();
}

interface RunCall {
  readonly sister: Sister;
  readonly message: BusMessage;
  readonly deadlineMs: number;
  readonly done: Done;
}

/**
 * Questions that concern one run of a seat and nobody else: asked again when the link to it breaks,
 * given up as soon as that run has ended. A replacement that is met instead has nothing to do.
 */
export class RunCalls {
  readonly #doors: SisterCallDoors;
  readonly #open = new Set<RunCall>();

  constructor(doors: SisterCallDoors) {
    this.#doors = doors;
  }

  /** Asks that run; `done` is called once, within `timeoutMs`. */
  ask(sister: Sister, message: BusMessage, timeoutMs: number, done: Done): void {
    const deadlineMs = this.#doors.clock.monotonicMs() + timeoutMs;
    const call: RunCall = { sister, message, deadlineMs, done };
    this.#open.add(call);
    this.#attempt(call);
  }

  /** That run has ended: nobody waits for its answers any more. */
  runEnded(ended: Sister): void {
    for (const call of [...this.#open]) {
      if (isSameWorker(call.sister, ended)) this.#finish(call, failed('unreachable'));
    }
  }

  #attempt(call: RunCall): void {
    const leftMs = call.deadlineMs - this.#doors.clock.monotonicMs();
    if (leftMs <= 0) return this.#finish(call, failed('timeout'));
    this.#doors.bus.ask(call.sister.seat, call.message, leftMs, (answer) => {
      if (!this.#open.has(call)) return;
      if (!answer.ok && answer.error === 'unreachable') this.#attempt(call);
      else this.#finish(call, answer);
    });
  }

  #finish(call: RunCall, answer: Result<BusAnswer, BusFailure>): void {
    if (this.#open.delete(call)) call.done(answer);
  }
}
