/**
 * The promises of the cluster's state, watched from outside: a plain ledger that events are entered in.
 *
 * It knows nothing of how the state works. An event that contradicts what was told before throws,
 * and at any time the state has to say the same as the ledger.
 */
import { expect } from 'vitest';
import type { ClusterEvent, ClusterState, View } from '../index.ts';

interface Holding {
  readonly node: string;
  readonly epoch: number;
  readonly fencing: number;
}

/** What the events of one copy have told so far. */
export class Ledger {
  readonly #newestEpochs = new Map<string, number>();
  /** Known nodes, and whether they are up. */
  readonly #nodes = new Map<string, { readonly epoch: number; readonly up: boolean }>();
  readonly #channels = new Map<string, Holding>();
  #newestFencing = 0;
  #view: View = { number: 0, nodes: [] };

  /** Enters what one change did. */
  enter(events: readonly ClusterEvent[], index: number): void {
    for (const event of events) this.#enter(event, index);
  }

  /** The state says what its events have told, and nothing else. */
  compare(state: ClusterState): void {
    const known = [...this.#nodes].map(([node, { epoch, up }]) => ({ node, epoch, up }));
    const byName = known.sort((left, right) => (left.node < right.node ? -1 : 1));
    expect(state.nodes().map(({ node, epoch, up }) => ({ node, epoch, up }))).toEqual(byName);
    const live = byName.filter(({ up }) => up).map(({ node, epoch }) => ({ node, epoch }));
    expect(state.view().nodes.map(({ node, epoch }) => ({ node, epoch }))).toEqual(live);
    expect(state.view()).toEqual(this.#view);
    const held = new Map([...this.#channels].map(([channel, holding]) => [channel, this.#owner(holding)]));
    expect(new Map(state.channels().map(({ channel, ...owner }) => [channel, owner]))).toEqual(held);
    for (const [channel, owner] of held) expect(state.owner(channel)).toEqual(owner);
    const ended = [...held].filter(([, { live }]) => !live).map(([name, { fencing }]) => ({ name, fencing }));
    expect(new Set(state.abandonedChannels(100))).toEqual(new Set(ended));
  }

  #enter(event: ClusterEvent, index: number): void {
    switch (event.type) {
      case 'node_up':
        expect(this.#nodes.get(event.node)?.up ?? false, 'an epoch ends before the next').toBe(false);
        expect(event.epoch, 'epochs never go back').toBe((this.#newestEpochs.get(event.node) ?? 0) + 1);
        this.#newestEpochs.set(event.node, event.epoch);
        this.#nodes.set(event.node, { epoch: event.epoch, up: true });
        return;
      case 'node_down':
        expect(this.#isUp(event), 'an epoch ends once').toBe(true);
        this.#nodes.set(event.node, { epoch: event.epoch, up: false });
        return;
      case 'node_purged':
        expect(this.#nodes.get(event.node)?.up, 'only nodes that are down are purged').toBe(false);
        this.#nodes.delete(event.node);
        for (const [channel, { node }] of this.#channels)
          if (node === event.node) this.#channels.delete(channel);
        return;
      case 'view_changed':
        expect(event.view.number, 'a view is of the newest entry').toBe(index);
        expect(event.view.nodes, 'a new number is of a new view').not.toEqual(this.#view.nodes);
        this.#view = event.view;
        return;
      case 'channels_claimed':
        for (const channel of event.channels) this.#claim(channel, event);
        this.#newestFencing = event.fencing;
        return;
      case 'channels_released':
        for (const { name, fencing } of event.channels) this.#release(name, { ...event, fencing });
        return;
      case 'facts_changed':
        expect(this.#isUp(event), 'facts are of an epoch that lasts').toBe(true);
    }
  }

  #claim(channel: string, claimed: Holding): void {
    const { node, epoch, fencing } = claimed;
    const before = this.#channels.get(channel);
    expect(this.#isUp(claimed), 'who owns a channel is up').toBe(true);
    expect(before !== undefined && this.#isUp(before), 'a channel has one owner at a time').toBe(false);
    expect(fencing, 'fencing numbers grow').toBeGreaterThan(this.#newestFencing);
    this.#channels.set(channel, { node, epoch, fencing });
  }

  #release(channel: string, { node, epoch, fencing }: Holding): void {
    const before = this.#channels.get(channel) as Holding;
    expect(before.fencing, 'the claim that is meant is released').toBe(fencing);
    const isOwn = before.node === node && before.epoch === epoch;
    expect(isOwn || !this.#isUp(before), 'nobody takes from an owner that lives').toBe(true);
    this.#channels.delete(channel);
  }

  #owner(holding: Holding) {
    return { ...holding, live: this.#isUp(holding) };
  }

  #isUp({ node, epoch }: { readonly node: string; readonly epoch: number }): boolean {
    const known = this.#nodes.get(node);
    return known?.up === true && known.epoch === epoch;
  }
}
