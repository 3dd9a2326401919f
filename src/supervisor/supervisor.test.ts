/** The life of a node over fake processes and fake time: start, replacement, drain, kill. */
import { beforeEach, describe, expect, test } from 'vitest';
import { ArrokothError, failed, LIMITS, ok } from '../base/index.ts';
import { DRAIN_MS, FakeNode, settle } from './testdata/fake-node.ts';

const drained = { type: 'drained', connectionsClosed: 3, closeCallbacksGivenUp: 1 } as const;
const WITH_API = 'workers: 2\napp: { listen: "127.0.0.1:9181" }\napi: { listen: "127.0.0.1:3000" }\n';

describe('a start', () => {
  test('tells each worker what it is, and hands listeners over when all are ready', async () => {
    const node = new FakeNode(WITH_API);
    const started = node.supervisor.start();
    await settle();
    const [first, second, api] = [node.worker(0), node.worker(1), node.worker(2)];
    expect(first.init).toMatchObject({ kind: 'gateway', slot: 0, run: 1, workers: 2, bootId: 'boot' });
    expect(first.init).toMatchObject({ endpoint: '127.0.0.1:9181', dataDir: '/data' });
    expect(second.init).toMatchObject({ slot: 1, adoptJournals: ['1-of-2.journal'] });
    expect(api.init).toMatchObject({ kind: 'api', adoptJournals: [] });

    first.say({ type: 'ready' });
    second.say({ type: 'ready' });
    expect(first.listeners).toEqual([]);
    api.say({ type: 'ready' });
    expect(first.listeners).toEqual(['public', 'app']);
    expect(api.listeners).toEqual(['api']);
    expect(first.sent.at(-1)?.handle).toEqual({ address: '127.0.0.1:9181' });
    expect(first.got('grant')).toHaveLength(1);

    node.obeyListen(first);
    node.obeyListen(second);
    expect(node.lines('node ready')).toEqual([]);
    node.obeyListen(api);
    const listeners = [
      { listener: 'public', address: '127.0.0.1:40000' },
      { listener: 'app', address: '127.0.0.1:9181' },
      { listener: 'api', address: '127.0.0.1:3000' },
    ];
    expect(await started).toEqual({ listeners });
    expect(node.lines('listening')).toEqual(listeners);
    expect(node.lines('node ready')).toEqual([{ workers: 2 }]);
  });

  test('without an api listener has no api worker', async () => {
    const node = new FakeNode('workers: 1\n');
    await node.serve();
    expect(node.spawned.map(({ kind }) => kind)).toEqual(['gateway']);
    expect(node.worker(0).listeners).toEqual(['public']);
  });

  test('binds the unix socket in the place of host and port', async () => {
    const node = new FakeNode('sock: /run/a.sock\nworkers: 1\n');
    expect(await node.serve()).toEqual({ listeners: [{ listener: 'public', address: '/run/a.sock' }] });
  });

  test('that cannot bind everything binds nothing and starts nobody', async () => {
    const error = new ArrokothError('LISTEN_FAILED', 'Another program listens on 127.0.0.1:3000.');
    let count = 0;
    const closed: number[] = [];
    const node = new FakeNode(WITH_API, {
      bindTcp: async () => {
        const number = count++;
        if (number === 2) return failed(error);
        return ok({ handle: {}, address: 'a', port: 1, close: () => closed.push(number) });
      },
    });
    await expect(node.supervisor.start()).rejects.toBe(error);
    expect(await node.supervisor.ended).toBe(1);
    expect(closed).toEqual([0, 1]);
    expect(node.spawned).toEqual([]);
    expect([node.released, node.keptAlive]).toEqual([1, 0]);
  });

  test('whose worker ends again and again says why and leaves nobody behind', async () => {
    const node = new FakeNode('workers: 2\n');
    const started = node.supervisor.start();
    const failure = expect(started).rejects.toMatchObject({ code: 'WORKER_START_FAILED' });
    const reason = expect(started).rejects.toThrow('code 1: no such thing');
    await settle();
    for (let attempt = 0; attempt < 3; attempt++) {
      const worker = attempt === 0 ? node.worker(0) : node.newest;
      worker.say({ type: 'fatal', message: 'no such thing' });
      worker.end();
      node.time.advance(5_000);
    }
    await Promise.all([failure, reason]);
    node.time.endTurn();
    expect(node.alive()).toEqual([]);
    expect(await node.supervisor.ended).toBe(1);
    expect([node.released, node.keptAlive, node.time.pending]).toEqual([1, 0, 0]);
  });

  test('survives one worker that fails once', async () => {
    const node = new FakeNode('workers: 1\n');
    const started = node.supervisor.start();
    await settle();
    node.worker(0).end();
    node.time.advance(LIMITS.workerRestartMs);
    node.newest.say({ type: 'ready' });
    node.obeyListen(node.newest);
    expect((await started).listeners).toHaveLength(1);
  });

  test('kills a worker that is not ready in a minute', async () => {
    const node = new FakeNode('workers: 1\n');
    void node.supervisor.start();
    await settle();
    node.time.advance(60_000);
    expect(node.worker(0).killed).toBe(true);
    node.time.advance(LIMITS.workerRestartMs);
    expect(node.spawned).toHaveLength(2);
  });
});

describe('a node that serves', () => {
  let node: FakeNode;

  beforeEach(async () => {
    node = new FakeNode(WITH_API);
    await node.serve();
  });

  test('renews the grants of all workers', () => {
    node.time.advance(LIMITS.grantPeriodMs * 4);
    for (const worker of node.spawned) expect(worker.got('grant')).toHaveLength(5);
    expect(node.worker(0).got('grant').at(-1)).toEqual({
      type: 'grant',
      mode: 'normal',
      isolated: false,
      contactAgeMs: 0,
    });
  });

  test('replaces a dead worker, which answers for its journals and gets its listeners', () => {
    node.worker(0).report({ connections: 4, totalConnections: 10, totalMessages: 7 });
    node.worker(0).end({ code: null, signal: 'SIGKILL' });
    const gone = node.worker(1).got('peers').at(-1);
    expect(gone?.peers.map(({ kind, slot }) => [kind, slot])).toEqual([
      ['gateway', 1],
      ['api', 0],
    ]);
    expect(gone?.ended).toMatchObject({ connections: 0, totalConnections: 10, totalMessages: 7 });

    node.time.advance(LIMITS.workerRestartMs);
    const replacement = node.newest;
    expect(replacement.init).toMatchObject({ slot: 0, run: 2, adoptJournals: ['0-of-4.journal'] });
    expect(replacement.listeners).toEqual([]);
    replacement.say({ type: 'ready' });
    expect(replacement.listeners).toEqual(['public', 'app']);
    expect(replacement.got('grant')).toHaveLength(1);
    for (const worker of [node.worker(1), node.worker(2), replacement]) {
      const peers = worker.got('peers').at(-1);
      expect(peers?.peers.map(({ slot, run }) => [slot, run])).toContainEqual([0, 2]);
      expect(peers?.ended.totalConnections).toBe(10);
    }
    expect(node.open.size).toBe(3);
  });

  test('waits longer for each run of a crash loop, and never gives up', () => {
    for (let count = 0; count < 10; count++) {
      node.newest.end();
      node.time.advance(LIMITS.workerRestartMaxMs);
    }
    expect(node.spawned).toHaveLength(13);
    const pauses = node.lines('worker ended').map(({ restartAfterMs }) => restartAfterMs);
    expect(pauses.slice(0, 3)).toEqual([10, 20, 40]);
    expect(pauses.at(-1)).toBe(LIMITS.workerRestartMaxMs);
  });

  test('takes the public listener from a worker that is ahead, and from nobody else', () => {
    node.worker(0).report({ connections: 100 });
    expect(node.worker(0).listeners).toEqual(['app']);
    expect(node.worker(1).listeners).toEqual(['public', 'app']);
    node.worker(1).report({ connections: 100 });
    expect(node.worker(0).listeners).toEqual(['app', 'public']);
  });

  test('lets those accept again who are left when the others die', () => {
    node.worker(0).report({ connections: 100 });
    node.worker(1).end();
    expect(node.worker(0).listeners).toContain('public');
  });

  test('notes why a worker cannot go on', () => {
    node.worker(0).say({ type: 'fatal', message: 'the disk is gone' });
    expect(node.lines('worker cannot go on')).toMatchObject([{ slot: 0, reason: 'the disk is gone' }]);
  });
});

describe('a listener that a worker gave back', () => {
  test('is given anew when it asks, unless it was taken from it meanwhile', async () => {
    const node = new FakeNode(WITH_API);
    await node.serve();
    const [gateway, api] = [node.worker(0), node.worker(2)];
    const listens = gateway.got('listen').length;
    gateway.say({ type: 'gave_back', listener: 'public' });
    expect(gateway.got('listen')).toHaveLength(listens + 1);
    expect(gateway.got('listen').at(-1)).toEqual({ type: 'listen', listener: 'public' });
    // Never given, or taken from it since it gave it back.
    gateway.say({ type: 'gave_back', listener: 'api' });
    expect(gateway.got('listen')).toHaveLength(listens + 1);
    api.say({ type: 'gave_back', listener: 'api' });
    expect(api.got('listen')).toHaveLength(2);
  });
});

describe('a drain', () => {
  let node: FakeNode;

  beforeEach(async () => {
    node = new FakeNode(WITH_API);
    await node.serve();
    node.supervisor.stop('SIGTERM');
  });

  test('refuses new clients at once, asks the gateways, and stops the api worker last', async () => {
    expect([...node.open]).toEqual(['127.0.0.1:3000']);
    const [first, second, api] = [node.worker(0), node.worker(1), node.worker(2)];
    expect(first.got('drain')).toEqual([{ type: 'drain', timeoutMs: DRAIN_MS }]);
    expect(api.got('drain')).toEqual([]);
    first.say(drained);
    first.end({ code: 0, signal: null });
    expect(api.got('drain')).toEqual([]);
    second.say(drained);
    second.end({ code: 0, signal: null });
    expect(api.got('drain')).toHaveLength(1);
    expect(node.open.size).toBe(0);
    expect(node.released).toBe(0);
    api.say({ type: 'drained', connectionsClosed: 0, closeCallbacksGivenUp: 0 });
    api.end({ code: 0, signal: null });
    expect(await node.supervisor.ended).toBe(0);
    expect(node.lines('node stopped')).toEqual([{ connectionsClosed: 6, closeCallbacksGivenUp: 2 }]);
    expect([node.released, node.keptAlive, node.time.pending]).toEqual([1, 0, 0]);
    expect(node.spawned.some(({ killed }) => killed)).toBe(false);
  });

  test('goes on granting, so that owed callbacks go out', () => {
    const before = node.worker(0).got('grant').length;
    node.time.advance(LIMITS.grantPeriodMs);
    expect(node.worker(0).got('grant')).toHaveLength(before + 1);
  });

  test('kills gateways that take too long, then an api worker that does', async () => {
    node.worker(0).say(drained);
    node.worker(0).end({ code: 0, signal: null });
    node.time.advance(DRAIN_MS + 2_999);
    expect(node.worker(1).killed).toBe(false);
    node.time.advance(1);
    expect(node.worker(1).killed).toBe(true);
    expect(node.worker(2).got('drain')).toHaveLength(1);
    node.time.advance(4_000);
    expect(node.worker(2).killed).toBe(true);
    expect(await node.supervisor.ended).toBe(0);
    expect(node.lines('node stopped')).toEqual([{ connectionsClosed: 3, closeCallbacksGivenUp: 1 }]);
  });

  test('replaces nobody', () => {
    node.worker(0).end();
    node.time.advance(1_000);
    expect(node.spawned).toHaveLength(3);
    expect(node.worker(1).got('peers').at(-1)?.peers).toHaveLength(2);
  });

  test('is cut short by a second signal', async () => {
    node.supervisor.stop('SIGINT');
    expect(node.spawned.every(({ killed }) => killed)).toBe(true);
    expect(node.open.size).toBe(0);
    node.time.endTurn();
    expect(await node.supervisor.ended).toBe(130);
    expect([node.released, node.keptAlive]).toEqual([1, 0]);
  });

  test('ends even when killed processes do not', async () => {
    for (const worker of node.spawned) worker.kill = () => {};
    node.supervisor.stop('SIGTERM');
    node.time.advance(1_000);
    expect(await node.supervisor.ended).toBe(143);
  });
});

describe('a stop at an odd moment', () => {
  test('while a worker waits for its restart', async () => {
    const node = new FakeNode('workers: 1\n');
    await node.serve();
    node.worker(0).end();
    node.supervisor.stop('SIGTERM');
    expect(await node.supervisor.ended).toBe(0);
    node.time.advance(60_000);
    expect(node.spawned).toHaveLength(1);
  });

  test('while workers are starting kills them; they hold nobody', async () => {
    const node = new FakeNode('workers: 2\n');
    const started = node.supervisor.start();
    await settle();
    node.worker(0).say({ type: 'ready' });
    node.supervisor.stop('SIGTERM');
    expect(node.worker(0).got('drain')).toHaveLength(1);
    expect(node.worker(1).killed).toBe(true);
    node.time.endTurn();
    node.worker(0).end({ code: 0, signal: null });
    expect(await started).toEqual({ listeners: [] });
    expect(await node.supervisor.ended).toBe(0);
  });

  test('while it binds', async () => {
    const node = new FakeNode('workers: 1\n');
    const started = node.supervisor.start();
    node.supervisor.stop('SIGTERM');
    expect(await started).toEqual({ listeners: [] });
    expect(await node.supervisor.ended).toBe(0);
    expect(node.spawned).toEqual([]);
    expect([node.open.size, node.released, node.keptAlive]).toEqual([0, 1, 0]);
  });

  test('before the start', async () => {
    const node = new FakeNode('workers: 1\n');
    node.supervisor.stop('SIGTERM');
    expect(await node.supervisor.start()).toEqual({ listeners: [] });
    expect(await node.supervisor.ended).toBe(0);
    expect(node.released).toBe(1);
  });
});
