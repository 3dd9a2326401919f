import { describe, expect, it } from 'vitest';
import { FakeGateways } from '../../test/fakes/fake-gateways.ts';
import type { FakeResponse } from '../../test/fakes/fake-net.ts';

const OK = { result: 'OK' };
const NOT_FOUND = 'kuiperbelt: session is not found';

function answer(response: FakeResponse): Record<string, unknown> | null {
  return response.answer === null ? null : JSON.parse(response.answer.body);
}

describe('a killed home', () => {
  it('never makes a living session "not found", at any moment of its replacement', () => {
    const node = new FakeGateways({ workers: 3 });
    const key = node.nameAt(2, 'key');
    const client = node.connect(`key=${key}`, 1);
    const responses: FakeResponse[] = [];
    const ask = () => {
      for (const { slot } of node.living) {
        responses.push(node.post('/send', { sessions: [key] }, 'x', slot));
      }
    };
    // Every step of the network is a moment, and so is each message of the supervisor.
    const stepAndAsk = () => {
      for (let steps = 0; steps < 40 && node.network.step(); steps++) ask();
    };
    node.kill(2);
    ask();
    stepAndAsk();
    node.tellPeers();
    ask();
    node.settle();
    node.replace(2);
    ask();
    stepAndAsk();
    for (const { slot } of node.living) {
      node.tellPeers([slot]);
      ask();
      stepAndAsk();
    }
    node.settle();
    node.advance(6_000);
    expect(responses.length).toBeGreaterThan(100);
    const failures = responses.map(answer).filter((body) => JSON.stringify(body) !== JSON.stringify(OK));
    expect(failures).toEqual([]);
    expect(client.received).toHaveLength(responses.length);
  });

  it('is asked for nothing that it cannot know before it has heard who lives', () => {
    const node = new FakeGateways({ workers: 3 });
    const key = node.nameAt(2, 'key');
    node.connect(`key=${key}`, 1);
    node.kill(2);
    node.tellPeers();
    node.settle();
    node.network.hold(1, 2);
    node.replace(2);
    node.settle();
    // The replacement has heard neither of the supervisor nor of the holder.
    expect(node.call('/send', { sessions: [key] }, 'x', 0)).toEqual(OK);
    node.tellPeers();
    node.settle();
    expect(node.call('/send', { sessions: [key] }, 'x', 0)).toEqual(OK);
  });

  it('knows again what holders repeat, in portions, and says "not found" only then', () => {
    const node = new FakeGateways({ workers: 2 });
    const keys = Array.from({ length: 1_100 }, (_, index) => `key${index}`);
    for (const key of keys) node.ask(`key=${key}`, 0);
    node.settle();
    node.restart(1);
    node.settle();
    expect(node.call('/send', { sessions: keys }, 'x', 1)).toEqual(OK);
    expect(node.call('/send', { sessions: ['nope'] }, 'x', 1)).toMatchObject({
      errors: [{ error: NOT_FOUND }],
    });
  });

  it('does not forget who was newer: the older connection of a key is closed', () => {
    const node = new FakeGateways({ workers: 3 });
    const key = node.nameAt(2, 'key');
    const older = node.connect(`key=${key}`, 0);
    node.network.hold(2, 0);
    const newer = node.ask(`key=${key}`, 1);
    node.advance(1_100);
    expect([older.open, newer.connection?.open]).toEqual([true, true]);
    node.network.release(2, 0);
    node.restart(2);
    node.settle();
    expect(older.closed?.code).toBe(4409);
    expect(node.call('/send', { sessions: [key] }, 'x', 0)).toEqual(OK);
  });

  it('delays a connect, and refuses it only when nobody comes', () => {
    const node = new FakeGateways({ workers: 2 });
    const key = node.nameAt(1, 'key');
    node.kill(1);
    const upgrade = node.ask(`key=${key}`, 0);
    node.tellPeers();
    node.advance(2_000);
    expect(upgrade.waiting).toBe(true);
    node.replace(1);
    node.tellPeers();
    node.settle();
    expect(upgrade.connection).not.toBeNull();

    node.kill(1);
    const unlucky = node.ask(`key=${node.nameAt(1, 'other')}`, 0);
    node.advance(6_000);
    expect(unlucky.refused?.status).toBe(503);
    expect(node.app.closeEvents()).toMatchObject([{ reason: 'not_established' }]);
  });
});

describe('a killed holder', () => {
  it('leaves sessions that are not found, and events that its replacement tells once', () => {
    const node = new FakeGateways({ workers: 3 });
    const keys = [0, 1, 2].map((home) => node.nameAt(home, 'key'));
    for (const key of keys) node.connect(`key=${key}`, 1);
    const answers = node.app.answers;
    node.app.answers = (call) => (call.path === '/close' ? null : answers(call));
    node.worker(1).servers[0].upgrades[0]?.leave();
    node.time.endTurn();
    node.kill(1);
    node.app.answers = answers;
    node.tellPeers();
    node.settle();
    node.replace(1);
    node.tellPeers();
    node.settle();
    expect(node.call('/send', { sessions: keys }, 'x', 0)).toEqual({
      errors: keys.map((session) => ({ error: NOT_FOUND, session })),
      result: 'OK',
    });
    const events = node.app.closeEvents().filter((_, index) => node.app.to('/close')[index]?.asker === '1.2');
    expect(events.map(({ reason }) => reason)).toEqual(['client_gone', 'worker_lost', 'worker_lost']);
    expect(new Set(events.map(({ id }) => id)).size).toBe(3);
    expect(node.worker(1).journal.owed()).toEqual([]);

    node.restart(1);
    node.settle();
    expect(node.app.to('/close').filter(({ asker }) => asker === '1.3')).toEqual([]);
  });

  it('leaves a key free for the client that comes back', () => {
    const node = new FakeGateways({ workers: 3 });
    const key = node.nameAt(0, 'key');
    node.connect(`key=${key}`, 1);
    node.restart(1);
    node.settle();
    const again = node.connect(`key=${key}`, 1);
    expect(node.call('/send', { sessions: [key] }, 'x', 2)).toEqual(OK);
    expect(again.received).toEqual(['x']);
    expect(node.app.closeEvents()).toMatchObject([{ reason: 'worker_lost' }]);
  });
});
