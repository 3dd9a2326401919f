/**
 * The rule of `/readyz`: whether this node should be given clients, and if not, why.
 *
 * Pure. `api.ts` collects the facts. Being alive is not the question here; `/healthz` answers that.
 */
import type { WorkerSlot } from '../base/index.ts';
import type { Mode } from '../process/index.ts';

/** What is known about the node at this moment. */
export interface NodeFacts {
  readonly draining: boolean;
  /** Null before the supervisor said anything. */
  readonly mode: Mode | null;
  /** Number of gateway workers that the node is to have. */
  readonly workers: number;
  /** Slots of the gateway workers that are up. */
  readonly slotsUp: ReadonlySet<WorkerSlot>;
  /** Slots of those that admit nobody because of their load. */
  readonly overloaded: ReadonlySet<WorkerSlot>;
}

/** Null when the node is ready, else the reason in words. */
export function unreadyReason(facts: NodeFacts): string | null {
  if (facts.draining) return 'the node is draining';
  const missing: WorkerSlot[] = [];
  for (let slot = 0; slot < facts.workers; slot++) {
    if (!facts.slotsUp.has(slot)) missing.push(slot);
  }
  if (missing.length > 0) {
    const names = missing.map((slot) => `gateway/${slot}`).join(', ');
    return `${facts.workers - missing.length} of ${facts.workers} gateway workers are up; missing: ${names}`;
  }
  // Others of the node admit whom one of them refuses, as soon as the client tries again.
  if (facts.overloaded.size >= facts.workers) return 'every gateway worker has too much to do';
  if (facts.mode !== null && facts.mode !== 'normal') return `the node's mode is ${facts.mode}`;
  return null;
}
