/**
 * Asking a sister worker for something that may be asked twice.
 *
 * A sister that is killed is replaced within a moment; a question that was on its way is then put
 * to the replacement. Only for questions whose second asking changes nothing.
 */
import { type Clock, failed, LIMITS, type Result, type WorkerSlot } from '../base/index.ts';
import type { Bus, BusAnswer, BusFailure, BusMessage } from '../bus/index.ts';

/** Asks `slot`, and its replacement if it ends meanwhile, for `LIMITS.sisterWaitMs` in all. */
export function askRepeatably(
  doors: { readonly bus: Bus; readonly clock: Clock },
  slot: WorkerSlot,
  message: BusMessage,
  done: (answer: Result<BusAnswer, BusFailure>) => void,
): void {
  const deadlineMs = doors.clock.monotonicMs() + LIMITS.sisterWaitMs;
  const attempt = (): void => {
    const leftMs = deadlineMs - doors.clock.monotonicMs();
    if (leftMs <= 0) return done(failed('timeout'));
    doors.bus.ask(slot, message, leftMs, (answer) => {
      if (!answer.ok && answer.error === 'unreachable') attempt();
      else done(answer);
    });
  };
  attempt();
}
