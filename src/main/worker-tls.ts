/**
 * TLS in a worker: its certificates, their reloads, and what is counted about handshakes.
 *
 * Which listener speaks TLS to whom is decided by whoever builds the role.
 */
import type { Meter } from '../base/index.ts';
import { type TlsFailure, type TlsFigures, TlsIdentity, type TlsListener } from '../net/index.ts';
import { watchTls } from './tls-watch.ts';
import type { WorkerDoors } from './worker-doors.ts';

/** What the listeners of one worker speak TLS with. */
export interface WorkerTlsParts {
  readonly clients: TlsListener;
  readonly callers: TlsListener;
  replaceTicketKeys(ticketKeys: string): void;
}

/** Begins to look after the files; null where no listener speaks TLS. */
export function openWorkerTls({ init, logger, meter: { meter } }: WorkerDoors): WorkerTlsParts | null {
  const { tls: config } = init.config;
  if (config === null || init.tls === null) return null;
  const identity = new TlsIdentity(config, init.tls.material, init.tls.ticketKeys);
  const figures = new HandshakeFigures(meter);
  watchTls(config, identity, { logger, meter });
  return {
    clients: { identity, audience: 'clients', figures },
    callers: { identity, audience: 'callers', figures },
    replaceTicketKeys: (ticketKeys) => identity.replaceTicketKeys(ticketKeys),
  };
}

/** What is counted about the handshakes of one worker. */
class HandshakeFigures implements TlsFigures {
  readonly #done: ReturnType<Meter['counter']>;
  readonly #failures: ReturnType<Meter['counter']>;
  #inProgress = 0;

  constructor(meter: Meter) {
    this.#done = meter.counter({
      name: 'arrokoth_tls_handshakes_total',
      help: 'TLS handshakes that were done, by whether an earlier session was resumed.',
      labels: ['resumed'],
    });
    this.#failures = meter.counter({
      name: 'arrokoth_tls_handshake_failures_total',
      help: 'TLS handshakes that came to nothing, by cause.',
      labels: ['cause'],
    });
    meter.observed(
      {
        name: 'arrokoth_tls_handshakes_in_progress',
        help: 'TLS handshakes that have begun and are not done.',
        type: 'gauge',
      },
      () => this.#inProgress,
    );
  }

  shaken(resumed: boolean): void {
    this.#done.add(1, { resumed: resumed ? 'yes' : 'no' });
  }

  failed(cause: TlsFailure): void {
    this.#failures.add(1, { cause });
  }

  progress(change: 1 | -1): void {
    this.#inProgress += change;
  }
}
