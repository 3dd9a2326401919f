import { describe, expect, it } from 'vitest';
import { FakeGateways } from '../../../test/fakes/fake-gateways.ts';

const OK = { result: 'OK' };
const NOT_FOUND = 'kuiperbelt: session is not found';
const UNREACHABLE = 'node is unreachable';
const DEADLINE = 'context deadline exceeded';

function failed(error: string, ...sessions: string[]): object {
  return { errors: sessions.map((session) => ({ error, session })), result: 'OK' };
}

describe.each([2, 4])('a node of %i workers', (workers) => {
  it('reaches a session from every worker, wherever its home is', () => {
    const node = new FakeGateways({ workers });
    for (let home = 0; home < workers; home++) {
      const key = node.nameAt(home, 'key');
      const client = node.connect(`key=${key}`, 1);
      for (let asked = 0; asked < workers; asked++) {
        expect(node.call('/send', { sessions: [key] }, `${asked}`, asked)).toEqual(OK);
      }
      expect(client.received).toEqual(Array.from({ length: workers }, (_, asked) => `${asked}`));
    }
  });

  it('names the unknown first and in their order, and serves the others', () => {
    const node = new FakeGateways({ workers });
    const alice = node.connect('key=alice', 0);
    const bob = node.connect('key=bob', 1);
    const sessions = ['nope1', 'alice', 'nope2', 'bob', 'nope1'];
    const answer = node.call('/send', { sessions }, 'x', workers - 1);
    expect(answer).toEqual(failed(NOT_FOUND, 'nope1', 'nope2', 'nope1'));
    expect([alice.received, bob.received]).toEqual([['x'], ['x']]);
  });

  it('delivers twice to a session that is named twice', () => {
    const node = new FakeGateways({ workers });
    const alice = node.connect('key=alice', 1);
    expect(node.call('/send', { sessions: ['alice', 'alice'] }, 'x', 0)).toEqual(OK);
    expect(alice.received).toEqual(['x', 'x']);
  });

  it('closes a session of another worker without telling the application', () => {
    const node = new FakeGateways({ workers });
    const alice = node.connect('key=alice', 1);
    expect(node.call('/close', { sessions: ['alice'] }, 'bye', 0)).toEqual(OK);
    expect(alice.received).toEqual(['bye']);
    expect(alice.closed?.code).toBe(1000);
    expect(node.call('/send', { sessions: ['alice'] }, 'x', 0)).toEqual(failed(NOT_FOUND, 'alice'));
    expect(node.app.closeEvents()).toEqual([]);
  });

  it('serves nobody under strict_broadcast when one is unknown, and reads no body', () => {
    const node = new FakeGateways({ workers, keys: 'strict_broadcast: true' });
    const alice = node.connect('key=alice', 1);
    const response = node.post('/send', { sessions: ['alice', 'nope'] }, 'x', 0);
    node.settle();
    expect(response.answer?.status).toBe(400);
    expect(JSON.parse(response.answer?.body ?? '')).toEqual({ ...failed(NOT_FOUND, 'nope'), result: 'NG' });
    expect(alice.received).toEqual([]);
    expect(node.call('/send', { sessions: ['alice'] }, 'y', 0)).toEqual(OK);
    expect(alice.received).toEqual(['y']);
  });

  it('subscribes and unsubscribes sessions of other workers', () => {
    const node = new FakeGateways({ workers });
    const alice = node.connect('key=alice', 1);
    const targets = { sessions: ['alice', 'nope'], channels: ['lobby'] };
    expect(node.call('/subscribe', targets, '', 0)).toEqual(failed(NOT_FOUND, 'nope'));
    expect(node.call('/send', { channels: ['lobby'] }, 'x', 0)).toMatchObject({
      channels: [{ delivered: 1 }],
    });
    expect(node.call('/unsubscribe', { sessions: ['alice'], channels: ['lobby'] }, '', 0)).toEqual(OK);
    expect(node.call('/send', { channels: ['lobby'] }, 'y', 0)).toMatchObject({
      channels: [{ delivered: 0 }],
    });
    expect(alice.received).toEqual(['x']);
  });
});

describe('an application that asks wrongly', () => {
  it.each([
    ['/send', {}, 'session header is missing'],
    ['/subscribe', { channels: ['c'] }, 'session header is missing'],
    ['/subscribe', { sessions: ['alice'] }, 'channel header is missing'],
    ['/send', { channels: ['c'.repeat(1_000)] }, 'channel name is empty or too long'],
  ])('%s %o', (path, targets, error) => {
    const node = new FakeGateways();
    expect(node.call(path, targets)).toEqual({ errors: [{ error }], result: 'NG' });
  });

  it('is told which sessions would be in too many channels', () => {
    const node = new FakeGateways({ workers: 2, keys: 'limits: { channels_per_connection: 2 }' });
    node.connect('key=alice&channel=a', 1);
    const subscribe = (...channels: string[]) =>
      node.call('/subscribe', { sessions: ['alice'], channels }, '', 0);
    expect(subscribe('b', 'c')).toEqual(failed('session is in too many channels', 'alice'));
    expect(subscribe('a', 'b', 'b')).toEqual(OK);
  });
});

describe('a sister that does not answer', () => {
  it('is a deadline for its sessions, and never "not found"', () => {
    const node = new FakeGateways({ workers: 3, keys: 'send_timeout: 1s' });
    const key = node.nameAt(0, 'key');
    node.connect(`key=${key}`, 1);
    node.network.hold(1, 0);
    const response = node.post('/send', { sessions: [key] }, 'x', 0);
    node.advance(900);
    expect(response.answer).toBeNull();
    node.advance(200);
    expect(JSON.parse(response.answer?.body ?? '')).toEqual(failed(DEADLINE, key));
  });

  it('is gone round when it is the home: everybody is asked', () => {
    const node = new FakeGateways({ workers: 3, keys: 'send_timeout: 1s' });
    const key = node.nameAt(2, 'key');
    const client = node.connect(`key=${key}`, 1);
    node.network.hold(2, 0);
    const response = node.post('/send', { sessions: [key, 'nope'] }, 'x', 0);
    node.advance(1_100);
    expect(client.received).toEqual(['x']);
    const { errors } = JSON.parse(response.answer?.body ?? '');
    expect(errors.map(({ session }: { session: string }) => session)).toEqual(['nope']);
  });
});

describe('a silent home', () => {
  it('leaves the holders half of the time', () => {
    const node = new FakeGateways({ workers: 3, keys: 'send_timeout: 1s' });
    const key = node.nameAt(2, 'key');
    node.connect(`key=${key}`, 1);
    node.network.hold(2, 0);
    node.network.hold(1, 0);
    const response = node.post('/send', { sessions: [key] }, 'x', 0);
    node.advance(900);
    node.network.release(1, 0);
    node.settle();
    expect(JSON.parse(response.answer?.body ?? '')).toEqual(OK);
  });

  it('keeps nothing of a session that it registered too late', () => {
    const node = new FakeGateways({ workers: 2 });
    const key = node.nameAt(1, 'key');
    node.network.hold(1, 0);
    const upgrade = node.ask(`key=${key}`, 0);
    node.advance(6_000);
    expect(upgrade.refused?.status).toBe(503);
    node.network.release(1, 0);
    node.settle();
    node.post('/send', { sessions: [key] }, 'x', 1);
    expect(node.network.runAll()).toBe(0);
  });
});

describe('an ended session', () => {
  it('is known nowhere: its home denies it without asking anybody', () => {
    const node = new FakeGateways({ workers: 3 });
    const key = node.nameAt(2, 'key');
    node.connect(`key=${key}`, 1).leave();
    node.settle();
    const response = node.post('/send', { sessions: [key] }, 'x', 2);
    expect(node.network.runAll()).toBe(0);
    expect(JSON.parse(response.answer?.body ?? '')).toEqual(failed(NOT_FOUND, key));
  });
});

describe('a holder that does not know the key any more', () => {
  it('is believed once its home names the same connection again', () => {
    const node = new FakeGateways({ workers: 3 });
    const key = node.nameAt(2, 'key');
    const client = node.connect(`key=${key}`, 1);
    node.network.hold(1, 2);
    client.leave();
    expect(node.call('/send', { sessions: [key] }, 'x', 0)).toEqual(failed(NOT_FOUND, key));
  });

  it('is not believed when a newer connection has the key by now', () => {
    const node = new FakeGateways({ workers: 4 });
    const key = node.nameAt(3, 'key');
    const old = node.connect(`key=${key}`, 1);
    // The question for the old holder is under way while the newer connection takes the key.
    node.network.hold(0, 1);
    const response = node.post('/send', { sessions: [key] }, 'x', 0);
    node.settle();
    const newer = node.connect(`key=${key}`, 2);
    expect(old.closed?.code).toBe(4409);
    node.network.release(0, 1);
    node.settle();
    expect(JSON.parse(response.answer?.body ?? '')).toEqual(OK);
    expect(newer.received).toEqual(['x']);
    expect(old.received).toEqual([]);
  });

  it('knows a session whose registration it has not heard the answer of', () => {
    const node = new FakeGateways({ workers: 3 });
    const key = node.nameAt(2, 'key');
    const upgrade = node.ask(`key=${key}`, 1);
    node.network.hold(2, 1);
    node.settle();
    expect(upgrade.waiting).toBe(true);
    expect(node.call('/send', { sessions: [key] }, 'far', 0)).toEqual(OK);
    const near = node.post('/send', { sessions: [key] }, 'near', 1);
    node.network.release(2, 1);
    node.settle();
    expect(JSON.parse(near.answer?.body ?? '')).toEqual(OK);
    expect(upgrade.connection?.received).toEqual(['far', 'near']);
  });
});

describe('a link that breaks', () => {
  it('makes a question that was under way unreachable, and the next one works', () => {
    const node = new FakeGateways({ workers: 3 });
    const key = node.nameAt(0, 'key');
    const client = node.connect(`key=${key}`, 1);
    node.network.hold(1, 0);
    const response = node.post('/send', { sessions: [key] }, 'x', 0);
    node.settle();
    node.network.cut(0, 1);
    node.network.release(1, 0);
    node.settle();
    expect(JSON.parse(response.answer?.body ?? '')).toEqual(failed(UNREACHABLE, key));
    expect(node.call('/send', { sessions: [key] }, 'y', 0)).toEqual(OK);
    expect(client.received.at(-1)).toBe('y');
  });
});
