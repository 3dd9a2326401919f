/**
 * The figures of a worker's bus, for operators.
 */
import type { Meter } from '../base/index.ts';

/** What is read when somebody asks. */
export interface MeshReadings {
  readonly asksPending: () => number;
  readonly tellsDropped: () => number;
  readonly outboxBytes: () => number;
  /** Null where there are no other nodes. */
  readonly remote: { readonly linksUp: () => number; readonly faults: () => number } | null;
}

/** Registers them; once for each worker. */
export function observeMesh(meter: Meter, readings: MeshReadings): void {
  const observed = (name: string, type: 'counter' | 'gauge', help: string, read: () => number): void =>
    meter.observed({ name: `arrokoth_${name}`, help, type }, read);
  observed(
    'bus_asks_pending',
    'gauge',
    'Questions to sister workers without an answer so far.',
    readings.asksPending,
  );
  observed(
    'bus_tells_dropped_total',
    'counter',
    'Messages to sister workers that were dropped because too much waited.',
    readings.tellsDropped,
  );
  observed(
    'bus_outbox_bytes',
    'gauge',
    'Bytes for sister workers that were not taken so far.',
    readings.outboxBytes,
  );
  if (readings.remote === null) return;
  const { linksUp, faults } = readings.remote;
  observed('mesh_links', 'gauge', 'Workers of other nodes that can be asked now.', linksUp);
  observed(
    'mesh_faults_total',
    'counter',
    'Links that one side cut: for a greeting, a secret, an epoch or bytes that were wrong.',
    faults,
  );
}
