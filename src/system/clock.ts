/**
 * The host's two clocks, behind the door of `base/`.
 *
 * The only file that reads them. Not a source of delays: those are in `timers.ts`.
 */
import type { Clock } from '../base/index.ts';

/** The wall clock that people read, and the clock that never goes back. */
export const systemClock: Clock = {
  wallMs: () => Date.now(),
  monotonicMs: () => performance.now(),
};
