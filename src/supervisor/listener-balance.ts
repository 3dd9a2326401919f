/**
 * Which gateways should accept, so that all hold about as many connections (law 5).
 *
 * Pure arithmetic over what the workers reported. The kernel gives a new connection to whichever
 * worker wakes first, which can be the same one for a long time; whoever got ahead steps back until
 * the others have caught up. Connections are never moved.
 */
import type { WorkerSlot } from '../base/index.ts';

/** One gateway's part of the node's connections. */
export interface Share {
  readonly slot: WorkerSlot;
  readonly connections: number;
  /** Whether it accepts at present. */
  readonly accepting: boolean;
}

/** What has to change. */
export interface BalanceVerdict {
  readonly stopAccepting: readonly WorkerSlot[];
  readonly startAccepting: readonly WorkerSlot[];
}

/** A worker this much above the mean steps back; one this much below it makes those above step back. */
const TOLERANCE = 0.1;

/** In small numbers a tenth is less than one connection; without slack every connect would be a change. */
const SLACK_CONNECTIONS = 8;

/**
 * Compares each worker with the mean. At least one worker accepts afterwards: the smallest is never
 * above the mean, and whoever is not above it accepts.
 */
export function balanceListeners(shares: readonly Share[]): BalanceVerdict {
  const stopAccepting: WorkerSlot[] = [];
  const startAccepting: WorkerSlot[] = [];
  const total = shares.reduce((sum, share) => sum + share.connections, 0);
  const mean = total / shares.length;
  const tolerated = Math.max(mean * TOLERANCE, SLACK_CONNECTIONS);
  // Three workers a little ahead can leave a fourth far behind, though none of them is far ahead.
  const someoneLags = shares.some((share) => share.connections < mean - tolerated);
  const ceiling = mean + (someoneLags ? SLACK_CONNECTIONS : tolerated);
  for (const { slot, connections, accepting } of shares) {
    if (accepting && connections > ceiling) stopAccepting.push(slot);
    if (!accepting && connections <= mean) startAccepting.push(slot);
  }
  return { stopAccepting, startAccepting };
}
