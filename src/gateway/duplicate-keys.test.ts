import { describe, expect, it } from 'vitest';
import { answerByQuery, FakeGateways } from '../../test/fakes/fake-gateways.ts';

const OK = { result: 'OK' };

describe.each([
  { workers: 1, first: 0, second: 0, home: 0 },
  { workers: 3, first: 0, second: 1, home: 0 },
  { workers: 3, first: 0, second: 1, home: 1 },
  { workers: 3, first: 0, second: 1, home: 2 },
  { workers: 3, first: 1, second: 1, home: 2 },
])('two connections with one key: $first, then $second of $workers workers, home $home', (places) => {
  const { workers, first, second, home } = places;
  const start = () => {
    const node = new FakeGateways({ workers });
    const key = node.nameAt(home, 'key');
    return { node, key, older: node.connect(`key=${key}`, first) };
  };

  it('lets the newest win, and tells the end of the older as replaced', () => {
    const { node, key, older } = start();
    const newer = node.connect(`key=${key}`, second);
    expect(older.closed).toEqual({ code: 4409, reason: 'replaced' });
    expect(node.app.closeEvents()).toMatchObject([{ key, reason: 'replaced' }]);
    for (let slot = 0; slot < workers; slot++) {
      expect(node.call('/send', { sessions: [key] }, `${slot}`, slot)).toEqual(OK);
    }
    expect(newer.received).toHaveLength(workers);
    expect(older.received).toEqual([]);
    newer.leave();
    node.settle();
    expect(new Set(node.app.closeEvents().map(({ id }) => id)).size).toBe(2);
    expect(node.app.closeEvents()).toHaveLength(2);
  });

  it('closes the older before the 101 of the newer', () => {
    const { node, key, older } = start();
    const upgrade = node.ask(`key=${key}`, second);
    let closedBefore = false;
    upgrade.onAccept = () => {
      closedBefore = older.closed !== null;
    };
    node.settle();
    expect(closedBefore).toBe(true);
  });

  it('does not unregister the newer when the older ends of itself', () => {
    const { node, key, older } = start();
    const upgrade = node.ask(`key=${key}`, second);
    for (let steps = 0; upgrade.connection === null && steps < 3; steps++) {
      node.time.endTurn();
      if (!node.app.step()) node.network.step();
    }
    older.vanish();
    node.settle();
    expect(node.call('/send', { sessions: [key] }, 'x', first)).toEqual(OK);
    expect(upgrade.connection?.received).toEqual(['x']);
    expect(node.app.closeEvents()).toHaveLength(1);
  });
});

describe('a worker that does not let go of a replaced connection', () => {
  it('delays the newer connection for a moment only', () => {
    const node = new FakeGateways({ workers: 3 });
    const key = node.nameAt(2, 'key');
    const older = node.connect(`key=${key}`, 0);
    node.network.hold(2, 0);
    const upgrade = node.ask(`key=${key}`, 1);
    node.settle();
    expect(upgrade.waiting).toBe(true);
    node.advance(1_000);
    expect(upgrade.connection).not.toBeNull();
    node.network.release(2, 0);
    node.settle();
    expect(older.closed?.code).toBe(4409);
  });

  it('delays nobody once the supervisor says that it is dead', () => {
    const node = new FakeGateways({ workers: 3 });
    const key = node.nameAt(2, 'key');
    node.connect(`key=${key}`, 0);
    node.kill(0);
    const upgrade = node.ask(`key=${key}`, 1);
    node.settle();
    expect(upgrade.waiting).toBe(true);
    node.tellPeers();
    node.settle();
    expect(upgrade.connection).not.toBeNull();
  });

  it('is told again when the link breaks', () => {
    const node = new FakeGateways({ workers: 3 });
    const key = node.nameAt(2, 'key');
    const older = node.connect(`key=${key}`, 0);
    node.network.hold(2, 0);
    node.ask(`key=${key}`, 1);
    node.settle();
    node.network.cut(2, 0);
    node.network.release(2, 0);
    node.settle();
    expect(older.closed?.code).toBe(4409);
    expect(node.app.closeEvents()).toMatchObject([{ reason: 'replaced' }]);
  });
});

it('leaves a session with its client, whoever left before it was admitted', () => {
  const node = new FakeGateways();
  node.app.answers = () => null;
  const left = node.ask('key=alice');
  left.leave();
  node.app.answers = answerByQuery;
  const back = node.connect('key=alice');
  node.app.open('/connect').answer(200, ['X-Kuiperbelt-Session', 'alice']);
  node.settle();
  expect(back.closed).toBeNull();
  expect(node.call('/send', { sessions: ['alice'] }, 'still here')).toEqual(OK);
  expect(back.received).toEqual(['still here']);
  expect(node.app.closeEvents()).toMatchObject([{ key: 'alice', reason: 'not_established' }]);
  expect(node.worker().gateway.stats()).toMatchObject({ connections: 1, connectErrors: 1 });
});

describe('a connection that is replaced before its 101', () => {
  it('is refused, and its end is told as replaced', () => {
    const node = new FakeGateways({ workers: 3 });
    const key = node.nameAt(2, 'key');
    node.network.hold(1, 0);
    const older = node.ask(`key=${key}&channel=${node.nameAt(1, 'c')}`, 0);
    node.settle();
    const newer = node.connect(`key=${key}`, 2);
    node.network.release(1, 0);
    node.settle();
    expect(older.refused).toMatchObject({
      status: 409,
      body: 'Conflict: a newer connection has the same session key\n',
    });
    expect(older.refused?.headers).not.toContain('Retry-After');
    expect(newer.open).toBe(true);
    expect(node.app.closeEvents()).toMatchObject([{ key, reason: 'replaced' }]);
  });
});
