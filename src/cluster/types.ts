/**
 * The words of the cluster's state: what nodes agree on, the changes of it, and what changes tell.
 *
 * Data only, as it is written into the log and sent to workers. What each change does is `state.ts`;
 * messages, counters and sessions are no part of it, because no two nodes have to agree on them.
 */

/** `name@host`; peers reach the node at that host. */
export type NodeName = string;
/** How often a node has come up, counted from 1: no two lives of a name have the same epoch. */
export type Epoch = number;

/** What a node says of itself when it comes up. */
export interface NodeFacts {
  readonly version: string;
  /** Gateway workers. */
  readonly workers: number;
  /** The mesh port of each worker, by slot. */
  readonly meshPorts: readonly number[];
  readonly externalSignalingUrl: string;
  readonly externalApiUrl: string;
  readonly maxConnections: number;
  readonly maxNodes: number;
}

/** A channel that its owner gives up, named by the claim that it is owned by. */
export interface ReleasedChannel {
  readonly name: string;
  readonly fencing: number;
}

/** What is proposed to the log. A change that does not fit the state is without effect, on all copies. */
export type ClusterChange =
  /**
   * A node comes up. `boot` is drawn at each start, and anew when the node learns that its epoch was
   * ended: a new one begins the next epoch. The same one, while up, replaces the facts.
   */
  | {
      readonly type: 'node_up';
      readonly node: NodeName;
      readonly boot: string;
      readonly facts: NodeFacts;
      readonly atMs: number;
    }
  /** That epoch is over. */
  | {
      readonly type: 'node_down';
      readonly node: NodeName;
      readonly epoch: Epoch;
      readonly reason: 'stopped' | 'silent';
      readonly atMs: number;
    }
  /** Forgets a node that is down. */
  | { readonly type: 'node_purged'; readonly node: NodeName; readonly atMs: number }
  /** The first claim in the log wins. */
  | {
      readonly type: 'channels_claimed';
      readonly node: NodeName;
      readonly epoch: Epoch;
      readonly channels: readonly string[];
    }
  /** By the owner itself; once the owner's epoch is over, by any node that is up. */
  | {
      readonly type: 'channels_released';
      readonly node: NodeName;
      readonly epoch: Epoch;
      readonly channels: readonly ReleasedChannel[];
    };

/** Why an epoch ended: it said so, it was not heard of any more, or the node came up again. */
export type DownReason = 'stopped' | 'silent' | 'restarted';

/** A node that was up at some time and was not purged since. */
export interface KnownNode {
  readonly node: NodeName;
  /** The present one, or the last one of a node that is down. */
  readonly epoch: Epoch;
  readonly up: boolean;
  /** The life of the node that the epoch belongs to. */
  readonly boot: string;
  readonly facts: NodeFacts;
  readonly memberSinceMs: number;
  readonly upSinceMs: number;
  /** Null while it is up. */
  readonly downSinceMs: number | null;
  readonly downReason: DownReason | null;
}

/** A node of the view. */
export interface LiveNode {
  readonly node: NodeName;
  readonly epoch: Epoch;
  readonly workers: number;
  readonly meshPorts: readonly number[];
}

/** The nodes that are up, by name. */
export interface View {
  /** Log index of the newest change of anything in it; 0 before the first. */
  readonly number: number;
  readonly nodes: readonly LiveNode[];
}

/** Who puts the messages of a channel in order, and since when. */
export interface ChannelOwner {
  readonly node: NodeName;
  readonly epoch: Epoch;
  /** Log index of the claim. A later owner of the channel has a higher one. */
  readonly fencing: number;
  /** False when that epoch is over: the next claim takes the channel. */
  readonly live: boolean;
}

/** A channel with its owner, as a list of all shows it. */
export interface OwnedChannel extends ChannelOwner {
  readonly channel: string;
}

/** What an applied change did; nothing where it was without effect. */
export type ClusterEvent =
  | { readonly type: 'node_up'; readonly node: NodeName; readonly epoch: Epoch }
  /** The same epoch, other facts. */
  | { readonly type: 'facts_changed'; readonly node: NodeName; readonly epoch: Epoch }
  /** The epoch is over: its channels may be claimed, and its close callbacks are owed by the others. */
  | {
      readonly type: 'node_down';
      readonly node: NodeName;
      readonly epoch: Epoch;
      readonly reason: DownReason;
    }
  | { readonly type: 'node_purged'; readonly node: NodeName }
  /** There are as many known nodes as there may be; the new one has to wait for a purge. */
  | { readonly type: 'node_refused'; readonly node: NodeName }
  /** After `node_up`, `facts_changed` and `node_down`, where it changed the view. */
  | { readonly type: 'view_changed'; readonly view: View }
  /** Those of the claimed channels that the node owns by this claim. */
  | {
      readonly type: 'channels_claimed';
      readonly node: NodeName;
      readonly epoch: Epoch;
      readonly fencing: number;
      readonly channels: readonly string[];
    }
  /** Free, and refused all the same: their names are too long, or there are too many channels. */
  | {
      readonly type: 'channels_refused';
      readonly node: NodeName;
      readonly epoch: Epoch;
      readonly channels: readonly string[];
    }
  | {
      readonly type: 'channels_released';
      readonly node: NodeName;
      readonly epoch: Epoch;
      readonly channels: readonly ReleasedChannel[];
    };
