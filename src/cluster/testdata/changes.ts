/** Changes as tests write them: only what a test is about has to be said. */
import type { ClusterChange, NodeFacts, ReleasedChannel } from '../index.ts';

/** What a node says of itself where it does not matter. */
export function factsOf(given: Partial<NodeFacts> = {}): NodeFacts {
  return {
    ...{ version: '0.1.0', workers: 1, meshPorts: [7401], maxConnections: 500, maxNodes: 10 },
    externalSignalingUrl: 'ws://127.0.0.1:5000/signaling',
    externalApiUrl: 'http://127.0.0.1:3000/',
    ...given,
  };
}

/** A node comes up. */
export function up(node: string, boot: string, facts: Partial<NodeFacts> = {}, atMs = 0): ClusterChange {
  return { type: 'node_up', node, boot, facts: factsOf(facts), atMs };
}

/** An epoch ends. */
export function down(node: string, epoch: number, reason: 'stopped' | 'silent' = 'silent'): ClusterChange {
  return { type: 'node_down', node, epoch, reason, atMs: 0 };
}

/** A node is forgotten. */
export function purge(node: string): ClusterChange {
  return { type: 'node_purged', node, atMs: 0 };
}

/** A node wants channels. */
export function claim(node: string, epoch: number, ...channels: string[]): ClusterChange {
  return { type: 'channels_claimed', node, epoch, channels };
}

/** A node gives channels back. */
export function release(node: string, epoch: number, ...channels: ReleasedChannel[]): ClusterChange {
  return { type: 'channels_released', node, epoch, channels };
}
