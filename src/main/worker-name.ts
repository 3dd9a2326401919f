/**
 * What a worker is called in logs, figures and process lists.
 */
import type { WorkerPlace } from '../process/index.ts';

/** `gateway/0`, `api/0`. */
export function workerName(place: Pick<WorkerPlace, 'kind' | 'slot'>): string {
  return `${place.kind}/${place.slot}`;
}
