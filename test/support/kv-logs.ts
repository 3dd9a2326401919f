/**
 * The logs of a cluster's nodes, read from their disks and compared entry by entry.
 *
 * Nodes are stopped first, so that nobody writes meanwhile. Their ends may differ by entries that were
 * never committed; what several of them hold under one index and ballot must be the same.
 */
import { join } from 'node:path';
import { expect } from 'vitest';
import type { Entry } from '../../src/consensus/index.ts';
import { systemLogDisk } from '../../src/journal/index.ts';
import { readLog } from '../../src/journal/log/read-log.ts';
import type { KvCluster } from './kv-cluster.ts';
import type { KvNode } from './kv-node.ts';

/** One node's log: what it holds, and up to which index a snapshot stands for the rest. */
interface NodeLog {
  readonly entries: ReadonlyMap<number, Entry>;
  readonly snapshotIndex: number;
  readonly lastIndex: number;
}

/**
 * Stops all nodes, which had agreed on one state, and fails unless their logs are equal: each index up
 * to the last that a majority holds has one value.
 */
export async function stopAndCompareLogs(cluster: KvCluster): Promise<void> {
  await cluster.agreed();
  await Promise.all(cluster.nodes.map((node) => node.kill()));
  const logs = cluster.nodes.map(logOf);
  const ends = logs.map(({ lastIndex }) => lastIndex).sort((left, right) => right - left);
  const decided = ends[Math.floor(ends.length / 2)] as number;
  const differences: string[] = [];
  let compared = 0;
  for (let index = 1; index <= decided; index += 1) {
    const held = logs.flatMap(({ entries }) => entries.get(index) ?? []);
    if (held.length > 1) compared += 1;
    if (new Set(held.map(textOf)).size > 1)
      differences.push(`index ${index}: ${held.map(textOf).join(' | ')}`);
  }
  expect(differences).toEqual([]);
  expect(compared).toBeGreaterThan(0);
}

function logOf(node: KvNode): NodeLog {
  const read = readLog({ disk: systemLogDisk, folder: join(node.dataDir, 'log') });
  if (!read.ok) throw new Error(`${node.dataDir}: ${JSON.stringify(read.error)}`);
  if (read.value === null) throw new Error(`${node.dataDir} holds no log`);
  const { entries, snapshot } = read.value;
  const snapshotIndex = snapshot?.index ?? 0;
  return {
    entries: new Map(entries.map((entry) => [entry.index, entry])),
    snapshotIndex,
    lastIndex: entries.at(-1)?.index ?? snapshotIndex,
  };
}

function textOf({ ballot, payload }: Entry): string {
  const plain =
    payload.type === 'changes'
      ? { ...payload, changes: payload.changes.map((one) => Buffer.from(one).toString('base64')) }
      : payload;
  return JSON.stringify({ ballot, ...plain });
}
