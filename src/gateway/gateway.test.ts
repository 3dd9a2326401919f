import { describe, expect, it } from 'vitest';
import { FakeGateways } from '../../test/fakes/fake-gateways.ts';

/** Whether a drain is over by the time nothing more happens by itself. */
async function isOver(drained: Promise<unknown>): Promise<boolean> {
  let over = false;
  void drained.then(() => {
    over = true;
  });
  await new Promise((resolve) => setImmediate(resolve));
  return over;
}

describe('a drain', () => {
  it('closes everybody with 1001, waits for the answers and says how it went', async () => {
    const node = new FakeGateways();
    const clients = ['a', 'b'].map((key) => node.connect(`key=${key}`));
    node.app.answers = () => null;
    const drained = node.worker().gateway.drain(10_000);
    for (const { closed } of clients) expect(closed).toEqual({ code: 1001, reason: 'going away' });
    node.settle();
    expect(node.app.closeEvents()).toMatchObject([{ reason: 'drain' }, { reason: 'drain' }]);
    for (const call of node.app.to('/close')) call.answer(200);
    node.settle();
    expect(await drained).toEqual({ connectionsClosed: 2, closeCallbacksGivenUp: 0 });
    expect(node.worker().journal.closedDown).toBe(true);
    expect(node.worker().journal.owed()).toEqual([]);
  });

  it('gives up in time, counts what is left, and leaves exactly that to the journal', async () => {
    const node = new FakeGateways({ callbacks: ['receive'] });
    const [first, second] = ['a', 'b', 'c'].map((key) => node.connect(`key=${key}`));
    node.app.answers = () => null;
    second?.say('a last word that is never answered');
    const drained = node.worker().gateway.drain(2_000);
    node.settle();
    node.app.to('/close')[0]?.answer(200);
    node.settle();
    expect(first?.closed?.code).toBe(1001);
    node.advance(2_100);
    expect(await drained).toEqual({ connectionsClosed: 3, closeCallbacksGivenUp: 2 });
    expect(node.worker().journal.owed()).toMatchObject([
      { key: 'b', reason: 'drain' },
      { key: 'c', reason: 'drain' },
    ]);
    expect(node.worker().servers[0].closedWithinMs).toBe(0);
  });

  it('begins no attempt after it has counted, for nobody would note the answer', async () => {
    const node = new FakeGateways();
    node.connect('key=alice');
    node.app.answers = () => ({ status: 503 });
    const drained = node.worker().gateway.drain(500);
    node.advance(525);
    const attempts = node.app.to('/close').length;
    expect(await drained).toMatchObject({ closeCallbacksGivenUp: 1 });
    node.advance(60_000);
    expect(node.app.to('/close')).toHaveLength(attempts);
    expect(node.worker().journal.owed()).toMatchObject([{ key: 'alice', reason: 'drain' }]);
  });

  it('waits for an end that is told only after the last words of its client', async () => {
    const node = new FakeGateways({ callbacks: ['receive'] });
    const alice = node.connect('key=alice');
    const { answers } = node.app;
    node.app.answers = (call) => (call.path === '/receive' ? null : answers(call));
    alice.say('last words');
    const drained = node.worker().gateway.drain(10_000);
    node.settle();
    expect(await isOver(drained)).toBe(false);
    node.app.open('/receive').answer(200);
    node.settle();
    expect(await drained).toEqual({ connectionsClosed: 1, closeCallbacksGivenUp: 0 });
    expect(node.app.closeEvents()).toMatchObject([{ key: 'alice', reason: 'drain' }]);
  });

  it('waits for an application that is deciding about a client', async () => {
    const node = new FakeGateways();
    node.app.answers = (call) => (call.path === '/connect' ? null : { status: 200 });
    const upgrade = node.ask('key=alice');
    const drained = node.worker().gateway.drain(10_000);
    node.settle();
    expect(await isOver(drained)).toBe(false);
    node.app.open('/connect').answer(200, ['X-Kuiperbelt-Session', 'alice']);
    node.settle();
    expect(await drained).toEqual({ connectionsClosed: 0, closeCallbacksGivenUp: 0 });
    expect(upgrade.refused?.status).toBe(503);
    expect(node.app.closeEvents()).toMatchObject([{ key: 'alice', reason: 'not_established' }]);
  });

  it('admits nobody any more and takes no listener', () => {
    const node = new FakeGateways();
    const { gateway, servers } = node.worker();
    gateway.listen('public', {});
    expect(servers[0].listening).toBe(true);
    void gateway.drain(1_000);
    expect(servers[0].listening).toBe(false);
    gateway.listen('public', {});
    expect(servers[0].listening).toBe(false);
    expect(node.ask('key=alice').refused?.body).toContain('the node is stopping');
  });
});

describe('a lost supervisor', () => {
  it('closes everybody with 1012, sends nothing and leaves every end to the next start', async () => {
    const node = new FakeGateways({ callbacks: ['receive', 'establish'] });
    const alice = node.connect('key=alice');
    const bob = node.connect('key=bob');
    node.app.answers = () => null;
    bob.say('one');
    bob.say('two');
    bob.leave();
    const entering = node.ask('key=carol');
    await node.worker().gateway.supervisorLost();
    expect(alice.closed).toEqual({ code: 1012, reason: 'service restart' });
    const asked = node.app.calls.length;
    node.app.open('/receive').answer(200);
    node.app.open('/connect').answer(200, ['X-Kuiperbelt-Session', 'carol']);
    node.settle();
    node.advance(60_000);
    expect(node.app.calls).toHaveLength(asked);
    expect(entering.refused?.status).toBe(503);
    expect(node.worker().journal.owed('node_restarted')).toMatchObject([
      { key: 'alice', reason: 'node_restarted' },
      { key: 'bob', reason: 'client_close' },
      { key: 'carol', reason: 'not_established' },
    ]);
  });
});

describe('an epoch that the others ended', () => {
  it('closes everybody with 1012, tells the application of each once, and serves who comes back', () => {
    const node = new FakeGateways();
    const alice = node.connect('key=alice');
    node.worker().gateway.epochEnded();
    node.settle();
    expect(alice.closed).toEqual({ code: 1012, reason: 'service restart' });
    expect(node.app.closeEvents()).toMatchObject([{ reason: 'node_lost' }]);
    expect(node.connect('key=alice').closed).toBeNull();
    expect(node.app.closeEvents()).toHaveLength(1);
  });
});

describe('counters', () => {
  it('are the sum of the node, ended runs included, from any worker', () => {
    const node = new FakeGateways({ workers: 3 });
    for (const [index, slot] of [0, 1, 1, 2].entries()) node.connect(`key=k${index}`, slot);
    node.restart(1);
    node.settle();
    for (const slot of [0, 1, 2]) {
      const response = node.worker(slot).servers[0].request({ path: '/stats' });
      node.settle();
      expect(JSON.parse(response.answer?.body ?? '')).toMatchObject({
        connections: 2,
        total_connections: 4,
      });
    }
  });

  it('are announced when they change', () => {
    const node = new FakeGateways();
    let changes = 0;
    node.worker().gateway.onStats(() => changes++);
    node.connect('key=alice');
    expect(changes).toBeGreaterThan(0);
    const before = changes;
    node.call('/send', { sessions: ['alice'] });
    expect(changes).toBeGreaterThan(before);
  });
});
