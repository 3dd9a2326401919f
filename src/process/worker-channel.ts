/**
 * The supervisor, as a worker process sees it.
 *
 * One channel a process, opened by `main/`. When it is lost the supervisor is dead, however it
 * died; what follows from that is for the worker to decide.
 */
import { assert } from '../base/index.ts';
import type { ListenHandle } from './bind.ts';
import type { FromWorker, ToWorker } from './messages.ts';

/** What a worker does with a message; `handle` rides along with `listen` only. */
export type WorkerMessageListener = (message: ToWorker, handle: ListenHandle | null) => void;

/** The way to the supervisor and back. */
export interface WorkerChannel {
  /** Registers the one listener. Messages that came earlier are kept for it. */
  onMessage(listener: WorkerMessageListener): void;
  /**
   * Sends, in order; silently lost when the supervisor is gone. `sent` is called once the message
   * is out of this process, or lost: a process that exits earlier may take it along.
   */
  send(message: FromWorker, sent?: () => void): void;
  /** Calls `listener` once when the supervisor is gone, also if it is gone already. */
  onLost(listener: () => void): void;
}

/** A supervisor that reads nothing for as long as this fills up is stopped or swamped. */
const UNSENT_MESSAGES_MAX = 64;

/** Opens the channel of a process that `spawnWorker` started. */
export function openWorkerChannel(): WorkerChannel {
  assert(process.send !== undefined, 'a worker is started by a supervisor');
  return new ForkedChannel();
}

class ForkedChannel implements WorkerChannel {
  #unsent = 0;
  /** The newest load that found the channel full: older ones say nothing that it does not say better. */
  #withheld: FromWorker | null = null;

  onMessage(listener: WorkerMessageListener): void {
    process.on('message', (received: unknown, handle: unknown) => {
      const message = received as ToWorker;
      listener(message, (handle as ListenHandle | undefined) ?? null);
      if (message.type !== 'listen' || !handle) return;
      // Listening is a matter of one call, made inside `listener`; that it failed is told on the
      // next tick. So a tick later the kernel accepts, and the supervisor may announce the address.
      const { listener: name } = message;
      process.nextTick(() => this.send({ type: 'listening', listener: name }));
    });
  }

  send(message: FromWorker, sent?: () => void): void {
    if (message.type === 'load' && this.#unsent >= UNSENT_MESSAGES_MAX) {
      this.#withheld = message;
      return;
    }
    if (!process.connected) {
      if (sent) process.nextTick(sent);
      return;
    }
    this.#unsent++;
    process.send?.(message, undefined, undefined, () => {
      this.#sent();
      sent?.();
    });
  }

  onLost(listener: () => void): void {
    if (process.connected) process.once('disconnect', listener);
    else process.nextTick(listener);
  }

  #sent(): void {
    this.#unsent--;
    if (this.#unsent > 0 || this.#withheld === null) return;
    const message = this.#withheld;
    this.#withheld = null;
    this.send(message);
  }
}
