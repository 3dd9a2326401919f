/**
 * How a node comes to its mode: what the operator ordered, and how it stands with its cluster.
 *
 * The supervisor asks whenever one of these facts has changed, and grants the answer to its workers.
 * A mode is of one node and is not kept over its restart; nothing of it is in the log.
 */
import { failed, type Mode, ok, type Result } from '../base/index.ts';

/** A mode that an operator can order; `initial` is none. */
export type OrderedMode = Exclude<Mode, 'initial'>;

/** What the mode of a node follows from. */
export interface NodeStanding {
  /** The newest order since the node started; null: none yet. */
  readonly ordered: OrderedMode | null;
  /** Part of a cluster, or meant to be; a lone node always counts as joined. */
  readonly clustered: boolean;
  /** The log says that it is up, in its present boot. */
  readonly joined: boolean;
  /** Its last contact with a majority is longer ago than the isolation timeout. */
  readonly isolated: boolean;
  /** Its disk refused something that it has to keep. */
  readonly impaired: boolean;
}

/**
 * What the node admits. A block that was ordered outlasts isolation and return, so that nobody comes
 * in by a broken cable; a disk that fails blocks as strictly as an operator can.
 */
export function modeOf(standing: NodeStanding): Mode {
  if (standing.impaired || standing.ordered === 'block_new_connection') return 'block_new_connection';
  if (standing.ordered === 'block_new_session') return 'block_new_session';
  return isInContact(standing) ? 'normal' : 'initial';
}

/**
 * Whether an order can be taken. Before a node has joined it cannot be told to be normal, because it
 * would not know who owns which channel; it may be told to stay closed afterwards. One that is cut
 * off takes the order, and follows it as soon as it is back.
 */
export function acceptOrder(
  mode: OrderedMode,
  { clustered, joined }: Pick<NodeStanding, 'clustered' | 'joined'>,
): Result<OrderedMode, 'not_joined'> {
  return mode === 'normal' && clustered && !joined ? failed('not_joined') : ok(mode);
}

function isInContact({ clustered, joined, isolated }: NodeStanding): boolean {
  return !clustered || (joined && !isolated);
}
