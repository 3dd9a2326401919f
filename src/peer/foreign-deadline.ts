/**
 * How long a call to a peer of the original protocol may take.
 *
 * A snapshot is as large as the application's state and goes in one call, so its time depends on its
 * size: with one bound for all, a large one would be cut short, and begun anew, for ever.
 */
import { PEER_LIMITS } from '../base/index.ts';
import type { ForeignCall } from './peer-types.ts';

/** How long `bytes` of a state may be on their way: in base64, over the slowest link that is put up with. */
export function transferMs(bytes: number): number {
  return Math.ceil(((bytes * 4) / 3 / PEER_LIMITS.foreignBytesPerSecondMin) * 1_000);
}

/** How long `call` may take before it is given up. */
export function foreignDeadlineMs(call: ForeignCall): number {
  const bytes = call.method === 'start' ? call.snapshot.byteLength : 0;
  return PEER_LIMITS.foreignTimeoutMs + transferMs(bytes);
}
