/**
 * What this node knows of its cluster: a copy of the agreed state, and what nodes tell of themselves.
 *
 * Fed by the supervisor; lists are read here, so that no list ever costs the supervisor anything. The
 * copy may be a moment behind, like that of any other node.
 */
import { encodeUtf8 } from '../../base/index.ts';
import { type ClusterChange, ClusterState, type NodeFacts } from '../../cluster/index.ts';
import type { Bulletin } from '../../process/index.ts';

/** The copy of one api worker. */
export class ClusterCopy {
  #state = new ClusterState();
  #index = 0;
  #self = '';
  #bulletins: ReadonlyMap<string, Bulletin> = new Map();

  /** Replaces the state. */
  install(index: number, snapshot: string): void {
    this.#state = ClusterState.restore(encodeUtf8(snapshot));
    this.#index = index;
  }

  /** Takes over what was committed; what the state holds already changes nothing. */
  apply(index: number, changes: readonly unknown[]): void {
    if (index <= this.#index) return;
    for (const change of changes) this.#state.apply(change as ClusterChange, index);
    this.#index = index;
  }

  /** What nodes told last. */
  hear(self: string, nodes: readonly Bulletin[]): void {
    this.#self = self;
    this.#bulletins = new Map(nodes.map((bulletin) => [bulletin.node, bulletin]));
  }

  get state(): ClusterState {
    return this.#state;
  }

  /** What this node tells of itself; null before the supervisor has said anything. */
  get own(): Bulletin | null {
    return this.#bulletins.get(this.#self) ?? null;
  }

  /** What this node said when it came up; null before it has. */
  get ownFacts(): NodeFacts | null {
    return this.#state.node(this.#self)?.facts ?? null;
  }

  /** What `node` told last, when it was heard of lately. */
  heardFrom(node: string): Bulletin | null {
    const bulletin = this.#bulletins.get(node);
    return bulletin?.connected === true ? bulletin : null;
  }

  /** The nodes that are up as far as the cluster knows, and of which this one hears nothing. */
  silentNodes(): string[] {
    const { nodes } = this.#state.view();
    return nodes.map(({ node }) => node).filter((node) => this.heardFrom(node) === null);
  }

  /** Where the operator's API of the channel's owner is, when that is another node; else null. */
  ownerElsewhere(channel: string): string | null {
    const owner = this.#state.owner(channel);
    if (owner === null || !owner.live || owner.node === this.#self) return null;
    return this.#state.node(owner.node)?.facts.externalApiUrl || null;
  }
}
