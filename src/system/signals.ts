/**
 * Signals to this process.
 *
 * What a signal means is the caller's business. A worker shares the supervisor's process group, so
 * a terminal's interrupt reaches both; it listens too, only to stay alive until it is told to drain.
 */
import type { Cancellable } from '../base/index.ts';

/** A request to stop, by name. */
export type StopSignal = 'SIGTERM' | 'SIGINT';

/** What to do about signals. Without `hup`, the end of a terminal ends the process as it always does. */
export interface SignalListeners {
  /** Called at each request to stop, also at the second one. */
  readonly stop: (signal: StopSignal) => void;
  readonly hup?: () => void;
}

/** Listens until cancelled; then the signals have their ordinary effect again. */
export function onSignals(listeners: SignalListeners): Cancellable {
  const stop = (signal: StopSignal): void => listeners.stop(signal);
  const hup = (): void => listeners.hup?.();
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  if (listeners.hup) process.on('SIGHUP', hup);
  return {
    cancel: () => {
      process.off('SIGTERM', stop);
      process.off('SIGINT', stop);
      process.off('SIGHUP', hup);
    },
  };
}
