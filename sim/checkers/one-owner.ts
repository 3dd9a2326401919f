/** The promise: epochs end once and never go back, a channel has one live owner, its fencing numbers grow. */
import type { ClusterEvent, Epoch } from '../../src/cluster/index.ts';
import { Violation } from '../violation.ts';

interface Holding {
  readonly node: string;
  readonly epoch: Epoch;
}

/** Follows the events of one copy: those of whoever applies an entry first. */
export class OneOwner {
  readonly #newestEpochs = new Map<string, Epoch>();
  readonly #live = new Map<string, Epoch>();
  readonly #owners = new Map<string, Holding>();
  readonly #fencings = new Map<string, number>();
  /** Channels that changed hands because an epoch had ended. */
  takeovers = 0;

  happened(event: ClusterEvent): void {
    switch (event.type) {
      case 'node_up':
        if (this.#live.has(event.node)) this.#fail(`${event.node} is up twice`);
        if (event.epoch !== (this.#newestEpochs.get(event.node) ?? 0) + 1)
          this.#fail(`${event.node} begins epoch ${event.epoch}`);
        this.#newestEpochs.set(event.node, event.epoch);
        this.#live.set(event.node, event.epoch);
        return;
      case 'node_down':
        if (!this.#isLive(event)) this.#fail(`${event.node} ends epoch ${event.epoch}, which does not last`);
        this.#live.delete(event.node);
        return;
      case 'channels_claimed':
        for (const channel of event.channels) this.#claimed(channel, event, event.fencing);
        return;
      case 'channels_released':
        for (const { name } of event.channels) this.#owners.delete(name);
    }
  }

  #claimed(channel: string, by: Holding, fencing: number): void {
    const before = this.#owners.get(channel);
    if (!this.#isLive(by))
      this.#fail(`${by.node} claims ${channel} in epoch ${by.epoch}, which does not last`);
    if (before !== undefined && this.#isLive(before))
      this.#fail(`${by.node} claims ${channel}, which ${before.node} owns`);
    if (fencing <= (this.#fencings.get(channel) ?? 0))
      this.#fail(`the fencing of ${channel} goes to ${fencing}`);
    if (before !== undefined) this.takeovers++;
    this.#owners.set(channel, { node: by.node, epoch: by.epoch });
    this.#fencings.set(channel, fencing);
  }

  #isLive({ node, epoch }: Holding): boolean {
    return this.#live.get(node) === epoch;
  }

  #fail(text: string): never {
    throw new Violation('one-owner', text);
  }
}
