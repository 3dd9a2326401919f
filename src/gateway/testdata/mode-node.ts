/**
 * A node with one channel that has somebody and one that has nobody, and clients who try to come in.
 *
 * For tests of modes; what has to come of it is theirs to say.
 */
import { FakeGateways } from '../../../test/fakes/fake-gateways.ts';
import type { FakeUpgrade } from '../../../test/fakes/fake-net.ts';

/** What became of somebody who asked. */
export function outcomeOf(upgrade: FakeUpgrade): 'in' | number | 'waiting' {
  if (upgrade.connection !== null) return 'in';
  return upgrade.refused?.status ?? 'waiting';
}

/** A node of two workers where `room` has somebody at worker 0; worker `owner` orders both channels. */
export function nodeWithRoom({ owner = 1 } = {}) {
  const node = new FakeGateways({ workers: 2 });
  const room = node.nameAt(owner, 'room');
  const fresh = node.nameAt(owner, 'fresh');
  const alice = node.connect(`key=alice&channel=${room}`, 0);
  return { node, room, fresh, alice };
}

/** Somebody asks, and everything settles. */
export function tryOut(node: FakeGateways, query: string, slot = 1): FakeUpgrade {
  const upgrade = node.ask(query, slot);
  node.settle();
  return upgrade;
}
