/** How an owner tells whether a channel has a session, through replacements and broken links. */
import { describe, expect, it } from 'vitest';
import { FakeGateways } from '../../../test/fakes/fake-gateways.ts';
import { nodeWithRoom, outcomeOf, tryOut } from '../testdata/mode-node.ts';

const BLOCK = 'block_new_session';

describe('an owner', () => {
  it('that was replaced says that there is no session only when it has heard from everybody', () => {
    const { node, room, fresh } = nodeWithRoom({ owner: 1 });
    node.changeMode(BLOCK);
    node.kill(1);
    node.tellPeers();
    node.network.hold(0, 1);
    node.replace(1);
    node.tellPeers();
    const [live, none] = [node.ask(`key=bob&channel=${room}`, 1), node.ask(`key=carol&channel=${fresh}`, 1)];
    node.settle();
    expect([outcomeOf(live), outcomeOf(none)]).toEqual(['waiting', 'waiting']);
    node.network.release(0, 1);
    node.settle();
    expect([outcomeOf(live), outcomeOf(none)]).toEqual(['in', 503]);
    expect(none.refused?.body).toContain(BLOCK);
  });

  it('that cannot tell in time refuses for now, and leaves nothing behind', () => {
    const { node, fresh } = nodeWithRoom({ owner: 1 });
    node.changeMode(BLOCK);
    node.kill(1);
    node.tellPeers();
    node.network.hold(0, 1);
    node.replace(1);
    node.tellPeers();
    const upgrade = node.ask(`key=bob&channel=${fresh}`, 1);
    node.advance(6_000);
    expect(outcomeOf(upgrade)).toBe(503);
    node.network.release(0, 1);
    node.settle();
    const reasons = node.app.closeEvents().map(({ reason }) => reason);
    expect(reasons).toEqual(['not_established']);
    expect(outcomeOf(tryOut(node, `key=carol&channel=${fresh}`, 1))).toBe(503);
  });

  it('does not take a member for there whose leaving was lost with a link', () => {
    const { node, room, alice } = nodeWithRoom({ owner: 1 });
    node.changeMode(BLOCK);
    // What it says of the end is under way when the link breaks.
    node.network.hold(0, 1);
    alice.leave();
    node.settle();
    node.network.cut(0, 1);
    const early = node.ask(`key=bob&channel=${room}`, 1);
    for (let steps = 0; steps < 20; steps++) node.app.step();
    expect(outcomeOf(early)).toBe('waiting');
    node.network.release(0, 1);
    node.settle();
    expect(outcomeOf(early)).toBe(503);
    expect(outcomeOf(tryOut(node, `key=carol&channel=${room}`, 0))).toBe(503);
  });

  it('keeps members through a broken link, and the sessions that they are', () => {
    const { node, room, alice } = nodeWithRoom({ owner: 1 });
    node.changeMode(BLOCK);
    node.network.cut(0, 1);
    const early = node.ask(`key=bob&channel=${room}`, 1);
    node.settle();
    expect(outcomeOf(early)).toBe('in');
    node.call('/send', { channels: [room] }, 'x');
    expect(alice.received).toEqual(['x']);
  });
});

describe('a join that came to nothing', () => {
  it('is no member for those who come while the rest of it is still asked', () => {
    const { node, fresh } = nodeWithRoom({ owner: 1 });
    node.connect('key=bob', 1);
    node.changeMode(BLOCK);
    node.network.hold(1, 0);
    const channels = [fresh, node.nameAt(0, 'other')];
    const subscribed = node.post('/subscribe', { sessions: ['bob'], channels }, '', 1);
    node.settle();
    expect(subscribed.answer).toBeNull();
    const carol = tryOut(node, `key=${node.nameAt(1, 'carol')}&channel=${fresh}`);
    expect(outcomeOf(carol)).toBe(503);
  });

  it('is in none of the channels that its answer named after the one that kept it out', () => {
    const { node, room, fresh, alice } = nodeWithRoom({ owner: 1 });
    node.changeMode(BLOCK);
    expect(outcomeOf(tryOut(node, `key=bob&channel=${fresh}&channel=${room}`))).toBe(503);
    alice.leave();
    node.settle();
    expect(outcomeOf(tryOut(node, `key=carol&channel=${room}`))).toBe(503);
  });

  it('is not told to a new owner as if it had been answered', () => {
    const { node, fresh } = nodeWithRoom({ owner: 1 });
    node.changeMode(BLOCK);
    node.kill(1);
    node.tellPeers();
    const upgrade = tryOut(node, `key=${node.nameAt(0, 'bob')}&channel=${fresh}`, 0);
    expect(outcomeOf(upgrade)).toBe('waiting');
    node.replace(1);
    node.tellPeers();
    node.settle();
    expect(outcomeOf(upgrade)).toBe(503);
  });

  it('is taken back while the owner cannot tell yet', () => {
    const node = new FakeGateways({ workers: 3 });
    const room = node.nameAt(1, 'room');
    const alice = node.connect(`key=alice&channel=${room}`, 2);
    const bob = node.connect(`key=${node.nameAt(0, 'bob')}`, 0);
    node.changeMode(BLOCK);
    node.kill(1);
    node.tellPeers();
    node.network.hold(2, 1);
    node.replace(1);
    node.tellPeers();
    const session = node.nameAt(0, 'bob');
    const subscribed = node.post('/subscribe', { sessions: [session], channels: [room] }, '', 0);
    node.settle();
    expect(subscribed.answer).toBeNull();
    bob.leave();
    node.settle();
    node.network.release(2, 1);
    node.settle();
    expect(JSON.parse(subscribed.answer?.body ?? '')).toMatchObject({ errors: [{ session }] });
    alice.leave();
    node.settle();
    expect(outcomeOf(tryOut(node, `key=carol&channel=${room}`, 0))).toBe(503);
  });
});
