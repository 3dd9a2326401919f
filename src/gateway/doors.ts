/**
 * What a gateway stands on, as `main/` hands it over. Types only.
 */
import type { Clock, Logger, Meter, Random, Timers } from '../base/index.ts';
import type { Bus } from '../bus/index.ts';
import type { LiveConfig } from '../config/index.ts';
import type { OwedClose, SessionJournal } from '../journal/index.ts';
import type { HttpHandlers, HttpServer } from '../net/index.ts';
import type { WorkerInit } from '../process/index.ts';
import type { Vitals } from '../relay/index.ts';
import type { CallbackCaller } from './logged-callbacks.ts';
import type { UpstreamTransport } from './upstream/upstream.ts';

/** The doors of one gateway worker. */
export interface GatewayDoors {
  readonly init: WorkerInit;
  /** What `init.config` has become by reloads. Only keys that need a restart are read from there. */
  readonly live: LiveConfig;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly logger: Logger;
  readonly meter: Meter;
  readonly bus: Bus;
  readonly journal: SessionJournal;
  /** Close callbacks that earlier runs owe; they are in `journal` already. */
  readonly owed: readonly OwedClose[];
  /** Makes one server for each listener. */
  readonly createServer: (handlers: HttpHandlers, listener: 'public' | 'app') => HttpServer;
  /** Makes callbacks. */
  readonly httpClient: CallbackCaller;
  /** The figures of this process now. */
  readonly vitals: () => Vitals;
  /** Passes on what is not the gateway's; null or absent: nobody does. */
  readonly upstream?: UpstreamTransport | null;
  /** Sessions are looked for on other nodes too, once `Gateway.cluster` has named them. */
  readonly clustered?: boolean;
}
