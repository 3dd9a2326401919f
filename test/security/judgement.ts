/**
 * Whether an attack costs a node too much for what it costs the attacker.
 *
 * Processor time is compared with ordinary traffic of the same kind in the same run, so that slow and
 * busy machines judge alike. Memory needs no yardstick: an ordinary byte that waits is one byte.
 */
import type { Cost } from './measured-node.ts';

/** How much more a byte of an attack may cost than an ordinary one, and bring out than it is. */
export const AMPLIFICATION_MAX = 100;
/** A collector of garbage takes this before it begins, whatever the traffic. */
const MEMORY_ALLOWED_BYTES = 64 * 2 ** 20;
/** No attack of this size may take more, however many bytes it has: what it holds is bounded. */
const MEMORY_MAX_BYTES = 192 * 2 ** 20;

/** How an attack did, as multiples. */
export interface Amplification {
  /** Processor time for a byte on the wire, against an ordinary one. */
  readonly cpu: number;
  /** Bytes of memory at the peak, beyond those of any traffic, for a byte said. */
  readonly memory: number;
  /** Bytes in answers and callbacks for a byte said. */
  readonly outgoing: number;
  /** Bytes in the log for a byte on the wire: the node may mention that it was busy to who said nothing. */
  readonly log: number;
}

/** Compares a cost with that of ordinary traffic. */
export function amplificationOf(cost: Cost, ordinary: Cost): Amplification {
  const said = Math.max(1, cost.payloadBytes);
  return {
    cpu: cost.cpuNs / cost.wireBytes / (ordinary.cpuNs / ordinary.wireBytes),
    memory: Math.max(0, cost.peakBytes - MEMORY_ALLOWED_BYTES) / Math.max(1, cost.wireBytes),
    outgoing: (cost.answeredBytes + cost.callbackBytes) / said,
    log: cost.logBytes / cost.wireBytes,
  };
}

/** What is too much, in words; empty when all is well. */
export function faultsOf(cost: Cost, ordinary: Cost): string[] {
  const multiples = amplificationOf(cost, ordinary);
  const faults = Object.entries(multiples)
    .filter(([, multiple]) => !(multiple < AMPLIFICATION_MAX))
    .map(([what, multiple]) => `${what}: ${multiple.toFixed(1)} times`);
  if (cost.peakBytes > MEMORY_MAX_BYTES) faults.push(`memory: ${Math.round(cost.peakBytes / 2 ** 20)} MiB`);
  return faults;
}

/** The run in the middle, by the processor time of a byte. */
export function median(costs: readonly Cost[]): Cost {
  const sorted = [...costs].sort(
    (left, right) => left.cpuNs / left.wireBytes - right.cpuNs / right.wireBytes,
  );
  return sorted[Math.floor(sorted.length / 2)] as Cost;
}
