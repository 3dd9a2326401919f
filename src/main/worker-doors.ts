/**
 * What `worker.ts` hands to the builder of a role. Types only.
 */
import type { Logger } from '../base/index.ts';
import type { LiveConfig } from '../config/index.ts';
import type { WorkerChannel, WorkerInit } from '../process/index.ts';
import type { ProcessMeter } from '../telemetry/index.ts';

/** This process, as far as a role may know it. */
export interface WorkerDoors {
  readonly init: WorkerInit;
  /** The configuration in force; `init` has the one that this process was started with. */
  readonly live: LiveConfig;
  readonly channel: WorkerChannel;
  readonly logger: Logger;
  readonly meter: ProcessMeter;
}
