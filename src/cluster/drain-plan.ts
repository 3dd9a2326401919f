/**
 * What draining a node would mean: what has to move, whether the others have room, and the quorum.
 *
 * Arithmetic over what a node knows of the cluster at the moment; nothing is drained here. A node
 * that was drained is stopped next, so it counts as gone already, and so do those being drained.
 */
import type { NodeName } from './types.ts';

/** A node of the cluster as the plan sees it. */
export interface DrainCandidate {
  readonly node: NodeName;
  /** Heard of lately. */
  readonly connected: boolean;
  /** Its word counts in the log. */
  readonly voter: boolean;
  readonly draining: boolean;
  readonly connections: number;
  readonly connectionsMax: number;
}

/** How a drain goes about. */
export interface DrainPace {
  /** How long connections are waited for to leave by themselves. */
  readonly waitMs: number;
  /** How many of those that stayed are closed in a second. */
  readonly closesPerSecond: number;
}

/** The voters before and after. */
export interface QuorumEffect {
  readonly voters: number;
  /** The smallest majority of them. */
  readonly needed: number;
  /** Heard of, and not about to go. */
  readonly present: number;
  /** The same without the drained node. */
  readonly left: number;
  /** False: the cluster could decide nothing any more, and the drain is refused. */
  readonly holds: boolean;
}

/** The answer to: what if this node were drained? */
export interface DrainPlan {
  readonly node: NodeName;
  readonly connections: number;
  /** Channels that it owns. */
  readonly channels: number;
  /** How many connections the others can still take. */
  readonly room: number;
  readonly quorum: QuorumEffect;
  /** When all who have not left by then are closed, at the latest. */
  readonly longestMs: number;
}

/** Plans the drain of `node`, of which the others are `nodes` too; null: it is not among them. */
export function planDrain(
  node: NodeName,
  situation: {
    readonly nodes: readonly DrainCandidate[];
    readonly channels: number;
    readonly pace: DrainPace;
  },
): DrainPlan | null {
  const { nodes, channels, pace } = situation;
  const drained = nodes.find((each) => each.node === node);
  if (drained === undefined) return null;
  const { connections } = drained;
  const room = nodes
    .filter((each) => each !== drained && staysThere(each))
    .reduce((sum, each) => sum + Math.max(0, each.connectionsMax - each.connections), 0);
  const closingMs = Math.ceil((connections * 1_000) / pace.closesPerSecond);
  const longestMs = connections === 0 ? 0 : pace.waitMs + closingMs;
  return { node, connections, channels, room, quorum: quorumWithout(drained, nodes), longestMs };
}

function quorumWithout(drained: DrainCandidate, nodes: readonly DrainCandidate[]): QuorumEffect {
  const voters = nodes.filter(({ voter }) => voter);
  const needed = Math.floor(voters.length / 2) + 1;
  const present = voters.filter((each) => staysThere(each) || (each === drained && each.connected)).length;
  const left = voters.filter((each) => each !== drained && staysThere(each)).length;
  // Who is drained as the only node leaves nobody behind who could miss its vote.
  const holds = !drained.voter || left >= needed || nodes.length === 1;
  return { voters: voters.length, needed, present, left, holds };
}

function staysThere({ connected, draining }: DrainCandidate): boolean {
  return connected && !draining;
}
