/**
 * The state that the nodes of a cluster agree on: committed changes go in, events come out.
 *
 * Every node and worker holds a copy and applies the same changes in the same order, so `apply`
 * knows nothing but the state and the change: times, names and boots are inside of the change, and
 * one that does not fit any more is without effect everywhere. Driven by the supervisor's log, and
 * in workers by what the supervisor passes on.
 */
import { decodeUtf8, encodeUtf8 } from '../base/index.ts';
import { Claims, type ClaimsImage } from './claims.ts';
import { Members, type MembersImage } from './members.ts';
import type {
  ChannelOwner,
  ClusterChange,
  ClusterEvent,
  KnownNode,
  NodeName,
  OwnedChannel,
  ReleasedChannel,
  View,
} from './types.ts';

/** Of the snapshot's bytes: what a later release writes otherwise has a higher one. */
const FORM = 1;

interface Image {
  readonly form: number;
  readonly members: MembersImage;
  readonly claims: ClaimsImage;
}

/** Nodes, epochs, the view, and the owners of channels. */
export class ClusterState {
  #members = new Members();
  #claims = this.#claimsOf();

  /** A copy of what `snapshot` wrote. */
  static restore(bytes: Uint8Array): ClusterState {
    const state = new ClusterState();
    state.install(bytes);
    return state;
  }

  /** All known nodes, by name. */
  nodes(): readonly KnownNode[] {
    return this.#members.list();
  }

  /** Null when it is not known. */
  node(name: NodeName): KnownNode | null {
    return this.#members.get(name);
  }

  view(): View {
    return this.#members.view;
  }

  /** Null when nobody has claimed the channel. */
  owner(channel: string): ChannelOwner | null {
    return this.#claims.owner(channel);
  }

  /** All claimed channels at this moment: a list of its own, so that a reader can take his time. */
  channels(): readonly OwnedChannel[] {
    return this.#claims.list();
  }

  /** Claims whose epochs are over, the oldest first: to be released when nobody claimed them for a while. */
  abandonedChannels(max: number): readonly ReleasedChannel[] {
    return this.#claims.abandoned(max);
  }

  /** Takes over one committed change of the log's entry at `index`. */
  apply(change: ClusterChange, index: number): ClusterEvent[] {
    switch (change.type) {
      case 'node_up':
        return this.#settle(this.#members.comeUp(change, index));
      case 'node_down':
        return this.#settle(this.#members.goDown(change, index));
      case 'node_purged':
        return this.#settle(this.#members.purge(change));
      case 'channels_claimed':
        return this.#claim(change, index);
      case 'channels_released':
        return this.#release(change);
    }
  }

  /** The same bytes for the same state, whatever led to it. */
  snapshot(): Uint8Array {
    const image: Image = { form: FORM, members: this.#members.image(), claims: this.#claims.image() };
    return encodeUtf8(JSON.stringify(image));
  }

  /** Replaces everything. Throws when `bytes` are not a snapshot that this release can read. */
  install(bytes: Uint8Array): void {
    const image = JSON.parse(decodeUtf8(bytes)) as Image;
    if (image.form !== FORM) throw new Error(`A snapshot of the cluster has the unknown form ${image.form}.`);
    this.#members = new Members(image.members);
    this.#claims = this.#claimsOf(image.claims);
  }

  /** The end of an epoch, and of a node's name, are known to the claims before anybody hears of them. */
  #settle(events: ClusterEvent[]): ClusterEvent[] {
    for (const event of events) {
      if (event.type === 'node_down') this.#claims.epochEnded();
      if (event.type === 'node_purged') this.#claims.forget(event.node);
    }
    return events;
  }

  #claim(change: Extract<ClusterChange, { type: 'channels_claimed' }>, index: number): ClusterEvent[] {
    const { node, epoch } = change;
    if (!this.#members.isUp(node, epoch)) return [];
    const { fencing, taken, refused } = this.#claims.claim({ node, epoch }, change.channels, index);
    const events: ClusterEvent[] = [];
    if (taken.length > 0) events.push({ type: 'channels_claimed', node, epoch, fencing, channels: taken });
    if (refused.length > 0) events.push({ type: 'channels_refused', node, epoch, channels: refused });
    return events;
  }

  #release(change: Extract<ClusterChange, { type: 'channels_released' }>): ClusterEvent[] {
    const { node, epoch } = change;
    if (!this.#members.isUp(node, epoch)) return [];
    const channels = this.#claims.release(node, change.channels);
    return channels.length > 0 ? [{ type: 'channels_released', node, epoch, channels }] : [];
  }

  #claimsOf(image?: ClaimsImage): Claims {
    return new Claims((node, epoch) => this.#members.isUp(node, epoch), image);
  }
}
