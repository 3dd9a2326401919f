/**
 * Which node a new channel goes to: the one that is least full for its size.
 *
 * The contacted node asks with what it has heard of the others, which may be some seconds old; the
 * chosen one claims the channel, and the log decides. A channel that has a live owner is never placed.
 */
import type { Mode } from '../base/index.ts';
import type { NodeName } from './types.ts';

/** What the contacted node knows of a node, itself included. */
export interface Candidate {
  readonly node: NodeName;
  readonly mode: Mode;
  /** Heard of lately. */
  readonly connected: boolean;
  readonly connections: number;
  readonly connectionsMax: number;
  /** Channels that it was given since its connections were counted: each will have one soon. */
  readonly claimsUnfilled: number;
}

/** The node that is to claim a new channel; null: there is none that takes one. */
export function placeChannel(candidates: readonly Candidate[], contacted: NodeName): NodeName | null {
  const able = candidates.filter(takesChannels);
  const emptiest = able.filter((each) => able.every((other) => compareFullness(each, other) <= 0));
  // Staying where the client is already saves it a redirect.
  if (emptiest.some(({ node }) => node === contacted)) return contacted;
  const [first = null] = emptiest.map(({ node }) => node).sort();
  return first;
}

function takesChannels(candidate: Candidate): boolean {
  const { mode, connected, connectionsMax } = candidate;
  return mode === 'normal' && connected && expected(candidate) < connectionsMax;
}

/** Multiplied instead of divided: equally full nodes are exactly equal. */
function compareFullness(left: Candidate, right: Candidate): number {
  return expected(left) * right.connectionsMax - expected(right) * left.connectionsMax;
}

function expected({ connections, claimsUnfilled }: Candidate): number {
  return connections + claimsUnfilled;
}
