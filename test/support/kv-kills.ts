/**
 * Kills of a real master, one after the other, each right after it acknowledged a write.
 *
 * Shared by the short and the long proof. Other writers go on all the while, so that every kill also
 * hits writes that nobody was told about. Every fifth time a follower is dead while the write is
 * acknowledged and comes back when the master is gone: it lacks what the other one has, and must not
 * become master before it has caught up.
 */
import { randomUUID } from 'node:crypto';
import type { KvCluster } from './kv-cluster.ts';
import type { KvNode } from './kv-node.ts';
import { KvWriters } from './kv-writers.ts';

/** What a run of kills did. */
export interface KillReport {
  readonly kills: number;
  /** Writes that were acknowledged, those of the background included. */
  readonly acknowledged: number;
  /** Acknowledged writes that a node did not have, at any look; none, if all is well. */
  readonly lost: readonly string[];
}

/** Kills the master `kills` times; each time it comes back before the next is killed. */
export async function killMasters(cluster: KvCluster, kills: number): Promise<KillReport> {
  const lost: string[] = [];
  const writers = new KvWriters(cluster, { count: 4, name: 'background' });
  for (let kill = 1; kill <= kills; kill += 1) {
    const master = await cluster.master();
    const late = kill % 5 === 0 ? await cluster.follower() : null;
    await late?.kill();
    await killAfterAcknowledgement(cluster, master, `kill-${kill}`);
    late?.start();
    // Whoever answers a linearizable read now must know all that was acknowledged before it was asked.
    const wanted = new Map(cluster.acknowledged);
    const survivor = cluster.nodes.find((node) => node.running) as KvNode;
    const state = await cluster.until('a read after a kill', () => survivor.read(1_000));
    for (const [key, value] of wanted) if (state[key] !== value) lost.push(`${key} after kill ${kill}`);
    master.start();
    await cluster.current(master);
  }
  await writers.stop();
  const state = await cluster.agreed();
  lost.push(...cluster.missingIn(state));
  return { kills, acknowledged: cluster.acknowledged.size, lost };
}

/** The signal goes out in the same turn in which the answer came in. */
async function killAfterAcknowledgement(cluster: KvCluster, master: KvNode, key: string): Promise<void> {
  const change = `ADD\u00d7${key}\u00d7acknowledged`;
  const outcome = await master.submit([change], randomUUID());
  const gone = master.kill();
  // It may have lost its mastership since it was asked; then the kill hits a follower, which is as well.
  if (outcome === 'accepted') cluster.acknowledged.set(key, 'acknowledged');
  await gone;
}
