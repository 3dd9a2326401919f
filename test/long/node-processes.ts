/**
 * The processes of a node, as its log and the system name them.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RunningNode } from '../support/index.ts';

/** One run of one gateway worker. */
export interface GatewayRun {
  readonly slot: number;
  readonly run: number;
  readonly pid: number;
}

/** The newest run of the gateway in `slot` that was ready. */
export function gatewayRun(node: RunningNode, slot: number): GatewayRun {
  const line = node.log.items.findLast(
    (item) => item.msg === 'worker ready' && item.kind === 'gateway' && item.slot === slot,
  );
  if (line === undefined) throw new Error(`no gateway ${slot} was ever ready`);
  return { slot, run: Number(line.run), pid: Number(line.workerPid) };
}

/** Resolves when a later run of that slot is ready. */
export async function replacementOf(node: RunningNode, dead: GatewayRun): Promise<GatewayRun> {
  await node.waitForLog(
    (line) =>
      line.msg === 'worker ready' &&
      line.kind === 'gateway' &&
      line.slot === dead.slot &&
      Number(line.run) > dead.run,
    30_000,
  );
  return gatewayRun(node, dead.slot);
}

/** Names of the session journals in a node's data folder; none when nothing is owed. */
export function journalsLeft(folder: string): string[] {
  const sessions = join(folder, 'data', 'sessions');
  return existsSync(sessions) ? readdirSync(sessions) : [];
}

/** Whether a process runs; one that has ended and waits for its parent does not. */
export function isRunning(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3) !== 'Z';
  } catch {
    return false;
  }
}
