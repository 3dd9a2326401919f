/**
 * What the supervisor of a simulated node does with the cluster's state: comes up, looks out, owns channels.
 *
 * A model of the real one with its rules of time: it orders nothing while its contact is older than
 * `isolationMs`, and as a master it ends the epoch of whoever has been silent for `downAfterMs`.
 * Claims and releases are foolish at times, because any of them has to be harmless.
 */
import type { ClusterChange, ClusterState, KnownNode } from '../../src/cluster/index.ts';
import type { Index, MemberName } from '../../src/consensus/index.ts';
import type { Fleet } from '../fleet.ts';
import type { Views } from '../judge.ts';
import { REGISTER_KIND, REGISTER_VERSION } from '../register-state.ts';
import type { Rng } from '../rng.ts';
import type { SimulatedNode } from '../simulated-node.ts';
import { type ClusterJudge, encodeChange } from './cluster-judge.ts';
import type { ClusterTotals } from './cluster-totals.ts';

const CHANNELS = ['sora', 'lemon', 'hisui', 'zakuro'];
/** How soon something is proposed again that did not come about. */
const RETRY_MS = 400;
/** How often, in turns, a node wants something of a channel. */
const WISH_CHANCE = 0.05;
const RELEASE_CHANCE = 0.1;

/** The rules of time, and what a planted bug does to them. */
export interface ClusterRules {
  readonly isolationMs: number;
  readonly downAfterMs: number;
  /** Orders whatever the copy says, also under an epoch of an earlier life. */
  readonly ignoresBoot: boolean;
}

/** What a supervisor is given. */
export interface SupervisorParts {
  readonly node: SimulatedNode;
  readonly fleet: Fleet;
  readonly judge: ClusterJudge;
  readonly totals: ClusterTotals;
  readonly rules: ClusterRules;
  readonly rng: Rng;
}

/** One life of a node's supervisor. */
export class SimulatedSupervisor {
  readonly #parts: SupervisorParts;
  readonly #heardMs = new Map<MemberName, number>();
  readonly #triedMs = new Map<string, number>();
  /** Fencing numbers of claims that this node proposed to release. */
  readonly #givenUp = new Set<number>();
  /** Where the log has the `node_up` of a boot. */
  readonly #cameUpAt = new Map<string, Index>();
  #boot: string;
  #masterSinceMs: number | null = null;

  constructor(parts: SupervisorParts) {
    this.#parts = parts;
    this.#boot = this.#drawBoot();
  }

  /** As peers, and everybody else, call the node. */
  static nameOf({ short }: { readonly short: string }): string {
    return `${short}@${short}`;
  }

  heard(from: MemberName): void {
    this.#heardMs.set(from, this.#nowMs);
  }

  /** True once the node is up in its present life. */
  get isUp(): boolean {
    return this.#own?.up === true && this.#own.boot === this.#boot;
  }

  turned(views: Views): void {
    const { totals, rules, rng } = this.#parts;
    this.#reviewPresence();
    if (!views.isMaster) this.#masterSinceMs = null;
    else this.#lookOut();
    if (views.contactAgeMs > rules.isolationMs) totals.isolatedTurns++;
    else this.#publish();
    if (this.isUp && rng.chance(WISH_CHANCE)) this.#wish();
  }

  get #nowMs(): number {
    return this.#parts.node.clock.monotonicMs();
  }

  get #state(): ClusterState {
    return this.#parts.judge.copyOf(this.#parts.node.name);
  }

  get #own(): KnownNode | null {
    return this.#state.node(SimulatedSupervisor.nameOf(this.#parts.node));
  }

  /** Comes up, and again under a new boot when its epoch was ended. */
  #reviewPresence(): void {
    if (this.isUp) return;
    if (this.#isOver()) this.#boot = this.#drawBoot();
    const facts = {
      ...{ version: '1', workers: 1, meshPorts: [1], maxConnections: 1, maxNodes: 1 },
      ...{ externalApiUrl: '', externalSignalingUrl: '' },
    };
    const change = { type: 'node_up', node: this.#name, boot: this.#boot, facts, atMs: 0 } as const;
    this.#propose(change, this.#boot);
  }

  /** The present life came up and is over, also if it was purged before this node saw it up. */
  #isOver(): boolean {
    if (this.#own?.boot === this.#boot) return true;
    const cameUpAt = this.#cameUpAt.get(this.#boot);
    return cameUpAt !== undefined && this.#parts.node.appliedIndex >= cameUpAt;
  }

  /** Ends the epochs of nodes that this master has not heard of for long. */
  #lookOut(): void {
    this.#masterSinceMs ??= this.#nowMs;
    const { fleet, node, rules } = this.#parts;
    for (const other of fleet.nodes) {
      const known = this.#state.node(SimulatedSupervisor.nameOf(other));
      if (other === node || known?.up !== true) continue;
      const heardMs = Math.max(this.#masterSinceMs, this.#heardMs.get(other.name) ?? 0);
      if (this.#nowMs - heardMs <= rules.downAfterMs) continue;
      this.#propose({ type: 'node_down', node: known.node, epoch: known.epoch, reason: 'silent', atMs: 0 });
    }
  }

  /** Gives messages their place in every channel that this node takes for its own. */
  #publish(): void {
    const { judge, node, rules, totals } = this.#parts;
    if (!this.isUp && !rules.ignoresBoot) return;
    for (const channel of CHANNELS) {
      const owner = this.#state.owner(channel);
      if (owner?.node !== this.#name || !owner.live || this.#givenUp.has(owner.fencing)) continue;
      judge.publishes.published(node.short, channel, owner.fencing);
      totals.publishes++;
    }
  }

  #wish(): void {
    const { rng, fleet } = this.#parts;
    const channel = rng.pick(CHANNELS);
    const epoch = this.#own?.epoch ?? 1;
    const owner = this.#state.owner(channel);
    const node = this.#name;
    if (rng.chance(RELEASE_CHANCE) && owner !== null) {
      // Whoever gives a channel up orders nothing more of it, whatever becomes of the proposal.
      this.#givenUp.add(owner.fencing);
      const channels = [{ name: channel, fencing: owner.fencing }];
      return this.#propose({ type: 'channels_released', node, epoch, channels });
    }
    const lost = rng.pick(fleet.nodes);
    const known = this.#state.node(SimulatedSupervisor.nameOf(lost));
    if (known?.up === false && rng.chance(RELEASE_CHANCE))
      return this.#propose({ type: 'node_purged', node: known.node, atMs: 0 });
    this.#propose({ type: 'channels_claimed', node, epoch, channels: [channel] });
  }

  /** By way of whoever is the master; lost where there is none. The same again only after a while. */
  #propose(change: ClusterChange, requestId: string | null = null): void {
    const { fleet, totals } = this.#parts;
    const key = `${change.type} ${change.node}`;
    const nowMs = this.#nowMs;
    if (nowMs - (this.#triedMs.get(key) ?? Number.NEGATIVE_INFINITY) < RETRY_MS) return;
    this.#triedMs.set(key, nowMs);
    totals.proposals++;
    const kind = { kind: REGISTER_KIND, version: REGISTER_VERSION };
    const submission = { type: 'changes', ...kind, requestId, changes: [encodeChange(change)] } as const;
    fleet.master()?.submit(submission, (outcome) => {
      if (requestId !== null && outcome.type === 'committed') this.#cameUpAt.set(requestId, outcome.index);
    });
  }

  get #name(): string {
    return SimulatedSupervisor.nameOf(this.#parts.node);
  }

  #drawBoot(): string {
    return `${this.#parts.node.short}-${this.#parts.totals.boots++}`;
  }
}
