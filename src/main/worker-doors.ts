/**
 * What `worker.ts` hands to the builder of a role. Types only.
 */
import type { Logger } from '../base/index.ts';
import type { WorkerChannel, WorkerInit } from '../process/index.ts';
import type { ProcessMeter } from '../telemetry/index.ts';

/** This process, as far as a role may know it. */
export interface WorkerDoors {
  readonly init: WorkerInit;
  readonly channel: WorkerChannel;
  readonly logger: Logger;
  readonly meter: ProcessMeter;
}
