/**
 * Stops accepting while the process can open nothing more, and asks for its listeners again afterwards.
 *
 * The reserve of descriptors keeps that out of reach, unless somebody lowers the limit of a worker that
 * runs, or the whole system has no descriptor left. libuv would then ask the kernel for the next socket
 * in every turn, fail without a word, and use up a core. A listener is asked for again once there is
 * room for its handle and some clients: a handle that cannot be received is lost on its way.
 */
import { LIMITS, type Logger, type Timers } from '../base/index.ts';
import type { ListenerName, WorkerChannel } from '../process/index.ts';
import type { WorkerRole } from './worker-duties.ts';

/** What it stands on. */
export interface ListenerReturnsDoors {
  readonly channel: Pick<WorkerChannel, 'send'>;
  readonly timers: Timers;
  readonly logger: Logger;
  /** Whether this process can open so many descriptors now. */
  readonly canOpen: (count: number) => boolean;
  /** Stops listening and closes the handle. */
  readonly unlisten: (listener: ListenerName) => void;
}

/** The handle itself, and some that come at once: else it would be given back with the first of them. */
const DESCRIPTORS_AGAIN_MIN = 8;

/** The listeners of one worker. */
export class ListenerReturns {
  readonly #doors: ListenerReturnsDoors;
  readonly #held = new Set<ListenerName>();
  readonly #returned = new Set<ListenerName>();

  constructor(doors: ListenerReturnsDoors) {
    this.#doors = doors;
    doors.timers.every(LIMITS.overloadLookMs, () => this.#look());
  }

  /** The worker listens there. */
  given(listener: ListenerName): void {
    this.#held.add(listener);
    this.#returned.delete(listener);
  }

  /** The supervisor wants the worker not to listen there. */
  taken(listener: ListenerName): void {
    this.#held.delete(listener);
    this.#returned.delete(listener);
  }

  #look(): void {
    const { canOpen, unlisten, channel, logger } = this.#doors;
    if (this.#held.size > 0 && !canOpen(1)) {
      logger.error({ listeners: [...this.#held] }, 'the process can open nothing more and stops accepting');
      for (const listener of this.#held) {
        unlisten(listener);
        this.#returned.add(listener);
      }
      this.#held.clear();
    } else if (this.#returned.size > 0 && canOpen(DESCRIPTORS_AGAIN_MIN)) {
      for (const listener of this.#returned) channel.send({ type: 'gave_back', listener });
      this.#returned.clear();
    }
  }
}

/** How a worker is given listeners, with an eye on what it can open. */
export function returningListeners(
  doors: Omit<ListenerReturnsDoors, 'unlisten'>,
  listeners: Pick<WorkerRole, 'listen' | 'unlisten'>,
): Pick<WorkerRole, 'listen' | 'unlisten'> {
  const unlisten = (listener: ListenerName): void => listeners.unlisten(listener);
  const returns = new ListenerReturns({ ...doors, unlisten });
  return {
    listen: (listener, handle) => {
      listeners.listen(listener, handle);
      returns.given(listener);
    },
    unlisten: (listener) => {
      unlisten(listener);
      returns.taken(listener);
    },
  };
}
