/**
 * A reason for this process to live on.
 *
 * Timers made in this room are none, on purpose. A supervisor between two runs of its only worker
 * has nothing else, and Node would end it.
 */
import type { Cancellable } from '../base/index.ts';

/** How often the process wakes up for nothing; any long period does. */
const PERIOD_MS = 3_600_000;

/** Keeps this process alive until cancelled. */
export function keepAlive(): Cancellable {
  const reason = setInterval(() => {}, PERIOD_MS);
  return { cancel: () => clearInterval(reason) };
}
