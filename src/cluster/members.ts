/**
 * The nodes of a cluster: which are known, which are up, in which epoch, and the view of the live ones.
 *
 * An epoch is one life of a node as the others see it. It ends once, by a `node_down` or because the
 * node came up anew, and its number never comes again: whatever was promised in it is settled by
 * that. Driven by `state.ts`; every step is a pure function of what is here and of the change.
 */
import { CLUSTER_LIMITS } from '../base/index.ts';
import type { ClusterChange, ClusterEvent, Epoch, KnownNode, LiveNode, NodeName, View } from './types.ts';

type Change<Type extends ClusterChange['type']> = Extract<ClusterChange, { readonly type: Type }>;

/** The members as a snapshot holds them. */
export interface MembersImage {
  readonly nodes: readonly KnownNode[];
  /** Last epochs of purged names, the longest purged first. */
  readonly purged: readonly (readonly [node: NodeName, epoch: Epoch])[];
  readonly viewNumber: number;
}

const NOBODY: MembersImage = { nodes: [], purged: [], viewNumber: 0 };

/** The known nodes. */
export class Members {
  readonly #nodes: Map<NodeName, KnownNode>;
  readonly #purged: Map<NodeName, Epoch>;
  #view: View;

  constructor({ nodes, purged, viewNumber }: MembersImage = NOBODY) {
    this.#nodes = new Map(nodes.map((known) => [known.node, known]));
    this.#purged = new Map(purged);
    this.#view = { number: viewNumber, nodes: this.#liveNodes() };
  }

  /** All known nodes, by name. */
  list(): readonly KnownNode[] {
    return [...this.#nodes.values()].sort((left, right) => (left.node < right.node ? -1 : 1));
  }

  get(node: NodeName): KnownNode | null {
    return this.#nodes.get(node) ?? null;
  }

  get view(): View {
    return this.#view;
  }

  /** True while that epoch lasts. */
  isUp(node: NodeName, epoch: Epoch): boolean {
    const known = this.#nodes.get(node);
    return known?.up === true && known.epoch === epoch;
  }

  /** A node begins its next epoch, or says something new of itself within the present one. */
  comeUp({ node, boot, facts, atMs }: Change<'node_up'>, index: number): ClusterEvent[] {
    const known = this.#nodes.get(node);
    if (known?.boot === boot) return known.up ? this.#replaceFacts({ ...known, facts }, index) : [];
    if (known === undefined && this.#nodes.size >= CLUSTER_LIMITS.nodesMax) {
      return [{ type: 'node_refused', node }];
    }
    const epoch = (known?.epoch ?? this.#purged.get(node) ?? 0) + 1;
    const since = { memberSinceMs: known?.memberSinceMs ?? atMs, upSinceMs: atMs };
    const life = { up: true, downSinceMs: null, downReason: null };
    this.#purged.delete(node);
    this.#nodes.set(node, { node, epoch, boot, facts, ...since, ...life });
    return [
      ...(known?.up ? [ended(known, 'restarted')] : []),
      { type: 'node_up', node, epoch },
      ...this.#renewView(index),
    ];
  }

  /** An epoch ends, if it is the present one and has not ended yet. */
  goDown({ node, epoch, reason, atMs }: Change<'node_down'>, index: number): ClusterEvent[] {
    const known = this.#nodes.get(node);
    if (known === undefined || !known.up || known.epoch !== epoch) return [];
    this.#nodes.set(node, { ...known, up: false, downSinceMs: atMs, downReason: reason });
    return [ended(known, reason), ...this.#renewView(index)];
  }

  /** A node is forgotten, if it is down; its name and last epoch are not. */
  purge({ node }: Change<'node_purged'>): ClusterEvent[] {
    const known = this.#nodes.get(node);
    if (known === undefined || known.up) return [];
    this.#nodes.delete(node);
    this.#purged.set(node, known.epoch);
    const [longestPurged] = this.#purged.keys();
    if (this.#purged.size > CLUSTER_LIMITS.purgedNodesMax) this.#purged.delete(longestPurged as NodeName);
    return [{ type: 'node_purged', node }];
  }

  /** What a snapshot holds: the same for the same members, whatever led to them. */
  image(): MembersImage {
    return { nodes: this.list(), purged: [...this.#purged], viewNumber: this.#view.number };
  }

  #replaceFacts(known: KnownNode, index: number): ClusterEvent[] {
    const before = this.#nodes.get(known.node);
    if (JSON.stringify(before?.facts) === JSON.stringify(known.facts)) return [];
    this.#nodes.set(known.node, known);
    return [{ type: 'facts_changed', node: known.node, epoch: known.epoch }, ...this.#renewView(index)];
  }

  /** A view has a new number only with a new content: whoever compares numbers compares views. */
  #renewView(index: number): ClusterEvent[] {
    const nodes = this.#liveNodes();
    if (JSON.stringify(nodes) === JSON.stringify(this.#view.nodes)) return [];
    this.#view = { number: index, nodes };
    return [{ type: 'view_changed', view: this.#view }];
  }

  #liveNodes(): readonly LiveNode[] {
    return this.list()
      .filter(({ up }) => up)
      .map(({ node, epoch, facts: { workers, meshPorts } }) => ({ node, epoch, workers, meshPorts }));
  }
}

function ended({ node, epoch }: KnownNode, reason: 'stopped' | 'silent' | 'restarted'): ClusterEvent {
  return { type: 'node_down', node, epoch, reason };
}
