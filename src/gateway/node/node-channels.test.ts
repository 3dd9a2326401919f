import { describe, expect, it } from 'vitest';
import { FakeGateways } from '../../../test/fakes/fake-gateways.ts';
import type { FakeResponse } from '../../../test/fakes/fake-net.ts';

const OK = { result: 'OK' };

function delivered(response: FakeResponse): number | null {
  if (response.answer === null) return null;
  const { channels } = JSON.parse(response.answer.body) as { channels?: { delivered: number }[] };
  return channels?.[0]?.delivered ?? -1;
}

describe('one order', () => {
  it('is what all members see, whoever publishes', () => {
    const node = new FakeGateways({ workers: 3 });
    const members = [0, 1, 2, 0, 1, 2].map((slot, index) =>
      node.connect(`key=k${index}&channel=lobby`, slot),
    );
    const responses: FakeResponse[] = [];
    for (let number = 0; number < 60; number++) {
      responses.push(node.post('/send', { channels: ['lobby'] }, `${number}`, number % 3));
      for (let steps = number % 4; steps > 0; steps--) node.network.step();
    }
    node.settle();
    expect(responses.map(delivered)).toEqual(new Array(60).fill(6));
    const [first, ...others] = members.map(({ received }) => received);
    expect(new Set(first).size).toBe(60);
    for (const other of others) expect(other).toEqual(first);
    for (const publisher of [0, 1, 2]) {
      const own = first?.map(Number).filter((number) => number % 3 === publisher);
      expect(own).toEqual([...(own ?? [])].sort((left, right) => left - right));
    }
  });

  it('survives a link that breaks, without a gap or a repetition', () => {
    const node = new FakeGateways({ workers: 3 });
    const channel = node.nameAt(0, 'c');
    const far = node.connect(`key=a&channel=${channel}`, 1);
    const near = node.connect(`key=b&channel=${channel}`, 0);
    const responses: FakeResponse[] = [];
    for (let number = 0; number < 12; number++) {
      responses.push(node.post('/send', { channels: [channel] }, `${number}`, 0));
      node.network.step();
      if (number % 4 === 2) node.network.cut(0, 1);
    }
    node.settle();
    const all = Array.from({ length: 12 }, (_, number) => `${number}`);
    expect(near.received).toEqual(all);
    expect(far.received).toEqual(all);
    expect(responses.every(({ answer }) => answer !== null)).toBe(true);
  });
});

describe('membership', () => {
  it('counts from the 101 on and from the answer to /subscribe on', () => {
    const node = new FakeGateways({ workers: 3 });
    const channel = node.nameAt(2, 'c');
    node.connect(`key=alice&channel=${channel}`, 0);
    expect(delivered(node.post('/send', { channels: [channel] }, 'x', 1))).toBeNull();
    node.connect('key=bob', 1);
    node.network.hold(2, 1);
    const subscribed = node.post('/subscribe', { sessions: ['bob'], channels: [channel] }, '', 1);
    node.settle();
    expect(subscribed.answer).toBeNull();
    node.network.release(2, 1);
    node.settle();
    expect(node.call('/send', { channels: [channel] }, 'x', 0)).toMatchObject({
      channels: [{ delivered: 2 }],
    });
  });

  it("waits for the owner's word even when an earlier subscription does so already", () => {
    const node = new FakeGateways({ workers: 3 });
    const channel = node.nameAt(2, 'c');
    node.connect('key=alice', 1);
    node.network.hold(1, 2);
    const subscribe = () => node.post('/subscribe', { sessions: ['alice'], channels: [channel] }, '', 1);
    const [one, two] = [subscribe(), subscribe()];
    node.settle();
    expect([one.answer, two.answer]).toEqual([null, null]);
    node.network.release(1, 2);
    node.settle();
    expect([one.answer?.status, two.answer?.status]).toEqual([200, 200]);
  });

  it('survives that the last member leaves while the first is still announced', () => {
    const node = new FakeGateways({ workers: 3 });
    const channel = node.nameAt(2, 'c');
    node.connect('key=alice', 1);
    const bob = node.connect('key=bob', 1);
    node.network.hold(2, 1);
    const change = (path: string, session: string) =>
      node.post(path, { sessions: [session], channels: [channel] }, '', 1);
    change('/subscribe', 'alice');
    change('/unsubscribe', 'alice');
    const subscribed = change('/subscribe', 'bob');
    node.settle();
    node.network.release(2, 1);
    node.settle();
    expect(subscribed.answer?.status).toBe(200);
    expect(node.call('/send', { channels: [channel] }, 'x', 0)).toMatchObject({
      channels: [{ delivered: 1 }],
    });
    expect(bob.received).toEqual(['x']);
  });

  it('ends with the connection, and a channel that empties and fills again goes on', () => {
    const node = new FakeGateways({ workers: 3 });
    const channel = node.nameAt(2, 'c');
    const publish = (text: string) => node.call('/send', { channels: [channel] }, text, 0);
    for (let round = 0; round < 3; round++) {
      const alice = node.connect(`key=alice&channel=${channel}`, 1);
      expect(publish(`${round}`)).toMatchObject({ channels: [{ delivered: 1 }] });
      expect(alice.received).toEqual([`${round}`]);
      alice.leave();
      node.settle();
      expect(publish('nobody')).toMatchObject({ channels: [{ delivered: 0 }] });
    }
    expect(node.worker(1).gateway.stats()).toMatchObject({ totalMessages: 3, messageErrors: 0 });
  });

  it('is refused when the owner is silent, and leaves nothing behind', () => {
    const node = new FakeGateways({ workers: 2 });
    const channel = node.nameAt(1, 'c');
    const alice = node.connect('key=alice', 0);
    node.network.hold(0, 1);
    const response = node.post('/subscribe', { sessions: ['alice'], channels: [channel] }, '', 0);
    node.advance(6_000);
    node.network.release(0, 1);
    node.settle();
    expect(JSON.parse(response.answer?.body ?? '')).toMatchObject({ errors: [{ session: 'alice' }] });
    expect(node.call('/send', { channels: [channel] }, 'x', 1)).toMatchObject({
      channels: [{ delivered: 0 }],
    });
    expect(alice.received).toEqual([]);
  });

  it('closes everybody in a channel, silently', () => {
    const node = new FakeGateways({ workers: 3 });
    const members = [0, 1, 2].map((slot) => node.connect(`key=k${slot}&channel=lobby`, slot));
    const outsider = node.connect('key=other', 1);
    expect(node.call('/close', { channels: ['lobby'] }, 'bye')).toMatchObject(OK);
    for (const member of members) {
      expect(member.received).toEqual(['bye']);
      expect(member.closed?.code).toBe(1000);
    }
    expect(outsider.open).toBe(true);
    expect(node.app.closeEvents()).toEqual([]);
  });
});

describe('a killed owner', () => {
  it('holds publishes until its sisters have repeated their members', () => {
    const node = new FakeGateways({ workers: 3 });
    const channel = node.nameAt(2, 'c');
    const members = [0, 1].map((slot) => node.connect(`key=k${slot}&channel=${channel}`, slot));
    node.call('/send', { channels: [channel] }, 'before', 0);
    node.kill(2);
    node.tellPeers();
    node.settle();
    const early = node.post('/send', { channels: [channel] }, 'early', 0);
    node.settle();
    node.network.hold(1, 2);
    node.replace(2);
    node.settle();
    node.tellPeers();
    const late = node.post('/send', { channels: [channel] }, 'late', 2);
    node.settle();
    expect([early.answer, late.answer]).toEqual([null, null]);
    node.network.release(1, 2);
    node.settle();
    expect([delivered(early), delivered(late)]).toEqual([2, 2]);
    for (const { received } of members) expect(received).toEqual(['before', 'early', 'late']);
  });

  it('makes a publish that was under way an error, not a silence', () => {
    const node = new FakeGateways({ workers: 3 });
    const channel = node.nameAt(2, 'c');
    node.connect(`key=a&channel=${channel}`, 1);
    node.network.hold(2, 0);
    const response = node.post('/send', { channels: [channel] }, 'x', 0);
    node.settle();
    node.kill(2);
    node.settle();
    expect(JSON.parse(response.answer?.body ?? '')).toEqual({
      errors: [{ channel, error: 'node is unreachable' }],
      result: 'OK',
    });
  });

  it('gives up a waiting publish in time when a sister repeats nothing', () => {
    const node = new FakeGateways({ workers: 3 });
    const channel = node.nameAt(2, 'c');
    node.kill(2);
    node.tellPeers();
    node.network.hold(1, 2);
    node.replace(2);
    node.tellPeers();
    const response = node.post('/send', { channels: [channel] }, 'x', 2);
    node.advance(5_200);
    expect(JSON.parse(response.answer?.body ?? '')).toMatchObject({ errors: [{ channel }] });
  });
});

describe('a killed worker with members', () => {
  it('counts as not reached as soon as the supervisor says so', () => {
    const node = new FakeGateways({ workers: 3 });
    const channel = node.nameAt(2, 'c');
    node.connect(`key=a&channel=${channel}`, 0);
    node.connect(`key=b&channel=${channel}`, 1);
    node.kill(1);
    const response = node.post('/send', { channels: [channel] }, 'x', 0);
    node.settle();
    expect(response.answer).toBeNull();
    node.tellPeers();
    node.settle();
    expect(delivered(response)).toBe(1);
  });

  it('keeps the members that its replacement has by the time the owner hears of the death', () => {
    const node = new FakeGateways({ workers: 3 });
    const channel = node.nameAt(2, 'c');
    node.connect(`key=a&channel=${channel}`, 1);
    node.kill(1);
    const replacement = node.replace(1);
    node.settle();
    node.tellPeers([1]);
    node.settle();
    const again = node.connect(`key=b&channel=${channel}`, replacement.slot);
    node.tellPeers();
    node.settle();
    expect(node.call('/send', { channels: [channel] }, 'x', 0)).toMatchObject({
      channels: [{ delivered: 1 }],
    });
    expect(again.received).toEqual(['x']);
  });
});
