import { describe, expect, it } from 'vitest';
import type { AppCall } from '../../../test/fakes/fake-application.ts';
import { FakeGateways, granted } from '../../../test/fakes/fake-gateways.ts';
import { FakeUpgrade } from '../../../test/fakes/fake-net.ts';
import type { StatsCounters } from '../../process/index.ts';

/** What kuiperbelt would show after one attempt that led to nothing. */
const ONE_FAILED: StatsCounters = {
  connections: 0,
  totalConnections: 1,
  totalMessages: 0,
  connectErrors: 1,
  messageErrors: 0,
  closingConnections: 0,
};

function stats(node: FakeGateways): StatsCounters {
  return node.worker().gateway.stats();
}

describe('before the application is asked', () => {
  it('refuses what cannot become a WebSocket', () => {
    const node = new FakeGateways();
    const upgrade = new FakeUpgrade({ query: 'key=alice' });
    Object.assign(upgrade, { method: 'POST' });
    node.worker().servers[0].upgrade(upgrade);
    expect(upgrade.refused).toMatchObject({ status: 405, body: 'Method Not Allowed\n' });
    expect(node.app.calls).toEqual([]);
    expect(stats(node)).toEqual(ONE_FAILED);
  });

  it('looks at the origin first of all', () => {
    const node = new FakeGateways({ keys: 'origin_policy: same_origin' });
    const upgrade = node.ask('key=alice', 0, ['Origin', 'https://evil.test']);
    expect(upgrade.refused?.status).toBe(403);
    expect(node.app.calls).toEqual([]);
  });

  it('cuts a client that spoke too early', () => {
    const node = new FakeGateways();
    const upgrade = new FakeUpgrade({ query: 'key=alice' });
    upgrade.earlyData = true;
    node.worker().servers[0].upgrade(upgrade);
    expect(upgrade.abandoned).toBe(true);
    expect(node.app.calls).toEqual([]);
    expect(stats(node)).toEqual(ONE_FAILED);
  });

  it('counts and refuses a plain request on the connect path', () => {
    const node = new FakeGateways();
    const response = node.worker().servers[0].request({ path: '/connect' });
    expect(response.answer).toMatchObject({ status: 400, body: 'Bad Request\n' });
    expect(node.app.calls).toEqual([]);
    expect(stats(node)).toEqual(ONE_FAILED);
  });

  it('admits nobody before the first grant, nor when grants have stopped coming', () => {
    const node = new FakeGateways({ silent: true });
    expect(node.ask('key=alice').refused).toMatchObject({ status: 503 });
    node.worker().gateway.grant(granted('normal'));
    expect(node.ask('key=alice').refused).toBeNull();
    node.granting = false;
    node.advance(node.config.isolationTimeoutMs + 100);
    expect(node.ask('key=bob').refused?.body).toContain('the node is in mode initial');
    node.worker().gateway.grant(granted('block_new_connection'));
    expect(node.ask('key=bob').refused?.body).toContain('block_new_connection');
    expect(node.app.to('/connect')).toHaveLength(1);
  });

  it('holds as many connections as it may, attempts included, and one less when one leaves', () => {
    const node = new FakeGateways({ keys: 'limits: { connections: 2 }' });
    const alice = node.connect('key=alice');
    node.app.answers = () => null;
    node.ask('key=bob');
    const third = node.ask('key=carol');
    expect(third.refused).toMatchObject({ status: 503, headers: expect.arrayContaining(['Retry-After']) });
    expect(node.app.to('/connect')).toHaveLength(2);
    expect(stats(node)).toMatchObject({ connections: 2, totalConnections: 3, connectErrors: 1 });
    alice.leave();
    node.settle();
    expect(node.ask('key=dave').refused).toBeNull();
  });
});

describe("the application's answer", () => {
  it('relays a refusal; 403 alone is no connect error', () => {
    const node = new FakeGateways();
    const unauthorized = node.ask('status=401');
    const forbidden = node.ask('status=403');
    node.settle();
    expect([unauthorized.refused?.status, forbidden.refused?.status]).toEqual([401, 403]);
    expect(stats(node)).toMatchObject({ connections: 0, totalConnections: 2, connectErrors: 1 });
    expect(node.app.closeEvents()).toEqual([]);
  });

  it.each([
    ['unreachable', 502],
    ['timeout', 502],
    ['busy', 503],
  ] as const)('turns %s into %i, and nothing was admitted', (kind, status) => {
    const node = new FakeGateways();
    node.app.answers = () => null;
    const upgrade = node.ask('key=alice');
    node.app.open('/connect').fail(kind);
    node.settle();
    expect(upgrade.refused?.status).toBe(status);
    expect(stats(node)).toEqual(ONE_FAILED);
    expect(node.worker().journal.liveCount).toBe(0);
  });

  it('is not asked for when the journal cannot note the question', () => {
    const node = new FakeGateways();
    node.worker().journal.failure = new Error('disk full');
    const upgrade = node.ask('key=alice');
    node.settle();
    expect(upgrade.refused).toMatchObject({ status: 503, headers: expect.arrayContaining(['Retry-After']) });
    expect(node.app.calls).toEqual([]);
    expect(stats(node)).toEqual(ONE_FAILED);
  });

  it('is owed an end when its yes meets a worker that was just killed', () => {
    const node = new FakeGateways();
    node.app.answers = () => null;
    node.ask('key=alice');
    const connection = node.app.open('/connect').header('X-Arrokoth-Connection');
    expect(node.worker().journal.owed()).toMatchObject([{ connection, key: null, reason: 'worker_lost' }]);
  });

  it('owes an end for a yes that comes after it gave up', () => {
    const node = new FakeGateways();
    node.app.answers = () => null;
    node.ask('key=alice');
    const call = node.app.open('/connect');
    call.fail('timeout');
    node.settle();
    call.answerLate(200, ['X-Kuiperbelt-Session', 'alice', 'X-Kuiperbelt-Channel', 'lobby']);
    node.settle();
    expect(node.app.closeEvents()).toMatchObject([{ key: 'alice', reason: 'not_established' }]);
    node.app.open('/close').answer(200);
    node.settle();
    expect(stats(node)).toMatchObject({ connections: 0, totalConnections: 1, closingConnections: 0 });
    expect(node.worker().journal.owed()).toEqual([]);
  });

  it('owes an end for a yes that cannot be carried out', () => {
    for (const unusable of [
      (call: AppCall) => call.failAfterHead(200, ['X-Kuiperbelt-Session', 'alice']),
      (call: AppCall) => call.answer(200, ['X-Kuiperbelt-Session', 'alice', 'X-Kuiperbelt-Channel', '']),
    ]) {
      const node = new FakeGateways();
      node.app.answers = () => null;
      const upgrade = node.ask('key=alice');
      unusable(node.app.open('/connect'));
      node.settle();
      expect(upgrade.refused).toMatchObject({ status: 502 });
      expect(node.app.closeEvents()).toMatchObject([{ key: 'alice', reason: 'not_established' }]);
      node.app.open('/close').answer(200);
      node.settle();
      expect(stats(node)).toMatchObject({ connections: 0, connectErrors: 1, closingConnections: 0 });
      expect(node.worker().journal.owed()).toEqual([]);
    }
  });

  it('owes nothing when the answer that broke off was a no, or gave no key', () => {
    const node = new FakeGateways();
    node.app.answers = () => null;
    for (const [status, headers] of [
      [403, ['X-Kuiperbelt-Session', 'alice']],
      [200, []],
    ] as const) {
      node.ask('key=alice');
      node.app.open('/connect').failAfterHead(status, headers);
      node.settle();
    }
    expect(node.app.closeEvents()).toEqual([]);
    expect(node.worker().journal.owed()).toEqual([]);
  });

  it('owes nothing for a late no', () => {
    const node = new FakeGateways();
    node.app.answers = () => null;
    node.ask('key=alice');
    const call = node.app.open('/connect');
    call.fail('timeout');
    call.answerLate(403);
    node.settle();
    expect(node.app.closeEvents()).toEqual([]);
    expect(stats(node)).toEqual(ONE_FAILED);
  });
});

describe('the order of an admission', () => {
  it('writes the journal before the 101', () => {
    const node = new FakeGateways();
    const upgrade = node.ask('key=alice');
    let owedAtAccept: unknown = null;
    upgrade.onAccept = () => {
      owedAtAccept = node.worker().journal.owed();
    };
    while (node.app.step());
    expect(upgrade.waiting).toBe(true);
    node.settle();
    expect(owedAtAccept).toMatchObject([{ key: 'alice', reason: 'worker_lost' }]);
  });

  it("waits for the key's home", () => {
    const node = new FakeGateways({ workers: 3 });
    node.network.hold(2, 0);
    const upgrade = node.ask(`key=${node.nameAt(2, 'key')}`);
    node.settle();
    expect(upgrade.waiting).toBe(true);
    node.network.release(2, 0);
    node.settle();
    expect(upgrade.connection).not.toBeNull();
  });

  it("waits for each channel's owner", () => {
    const node = new FakeGateways({ workers: 3 });
    node.network.hold(0, 1);
    node.network.hold(2, 0);
    const channels = `channel=${node.nameAt(1, 'c')}&channel=${node.nameAt(2, 'c')}`;
    const upgrade = node.ask(`key=${node.nameAt(0, 'key')}&${channels}`);
    node.settle();
    node.network.release(0, 1);
    node.settle();
    expect(upgrade.waiting).toBe(true);
    node.network.release(2, 0);
    node.settle();
    expect(upgrade.connection).not.toBeNull();
  });

  it('asks to establish behind the 101, and greets behind the yes', () => {
    const node = new FakeGateways({ callbacks: ['establish'] });
    const { answers } = node.app;
    node.app.answers = (call) => (call.path === '/establish' ? null : answers(call));
    const upgrade = node.ask('key=alice&hello=hi');
    upgrade.onAccept = () => expect(node.app.to('/establish')).toEqual([]);
    node.settle();
    expect(upgrade.connection?.received).toEqual([]);
    const establish = node.app.open('/establish');
    expect(establish.header('X-Kuiperbelt-Session')).toBe('alice');
    establish.answer(200);
    node.settle();
    expect(upgrade.connection?.received).toEqual(['hi']);
    expect(stats(node)).toMatchObject({ connections: 1, totalMessages: 1 });
  });
});

/** Each way out after the application's 200; the node has two workers, and bob's home is the other. */
const WAYS_OUT: readonly {
  readonly name: string;
  readonly reason: string;
  readonly status: number | null;
  readonly act: (node: FakeGateways, upgrade: FakeUpgrade) => void;
}[] = [
  {
    name: 'the client has gone',
    reason: 'not_established',
    status: null,
    act: (_node, upgrade) => upgrade.leave(),
  },
  {
    name: 'the journal cannot be written',
    reason: 'not_established',
    status: 503,
    act: (node) => {
      node.worker().journal.failure = new Error('the disk is full');
    },
  },
  {
    name: "the key's home is silent",
    reason: 'not_established',
    status: 503,
    act: (node) => node.network.hold(1, 0),
  },
  {
    name: 'the mode closes the node',
    reason: 'blocked',
    status: 503,
    act: (node) => node.changeMode('initial'),
  },
  {
    name: 'the node is stopped',
    reason: 'not_established',
    status: 503,
    act: (node) => void node.worker().gateway.drain(60_000),
  },
  {
    name: 'the application does not establish it',
    reason: 'not_established',
    status: null,
    act: (node) => {
      const { answers } = node.app;
      node.app.answers = (call) => (call.path === '/establish' ? { status: 500 } : answers(call));
    },
  },
];

describe("ends in exactly one close event when after the application's yes", () => {
  it.each(WAYS_OUT)('$name', ({ act, reason, status }) => {
    const node = new FakeGateways({ workers: 2, callbacks: ['establish'] });
    const { answers } = node.app;
    node.app.answers = (call) => (call.path === '/connect' ? null : answers(call));
    const key = node.nameAt(1, 'bob');
    const channels = `${node.nameAt(0, 'c')},${node.nameAt(1, 'c')}`.split(',');
    const upgrade = node.ask(`key=${key}`);
    node.settle();
    const connect = node.app.open('/connect');
    act(node, upgrade);
    node.settle();
    expect(node.app.closeEvents()).toEqual([]);

    const names = channels.flatMap((channel) => ['X-Kuiperbelt-Channel', channel]);
    connect.answer(200, ['X-Kuiperbelt-Session', key, ...names], 'hi');
    node.settle();
    node.advance(6_000);
    node.network.release(1, 0);
    node.advance(1_000);
    expect(node.app.closeEvents()).toMatchObject([{ key, reason }]);
    expect(upgrade.refused?.status ?? null).toBe(status);
    expect(upgrade.connection?.received ?? []).toEqual([]);
    expect(node.worker().gateway.stats()).toMatchObject({
      connections: 0,
      connectErrors: 1,
      closingConnections: 0,
    });
    expect(node.worker().journal.owed()).toEqual([]);
    node.changeMode('normal');
    // Nothing of it is left anywhere: the next one finds the key free and the channels empty.
    expect(node.call('/send', { sessions: [key], channels }, 'x', 1)).toEqual({
      channels: channels.map((channel) => ({ channel, delivered: 0 })),
      errors: [{ error: 'kuiperbelt: session is not found', session: key }],
      result: 'OK',
    });
  });
});

describe('an ordinary life', () => {
  it('is counted, told once and forgotten', () => {
    const node = new FakeGateways();
    const alice = node.connect('key=alice&hello=hi');
    expect(stats(node)).toEqual({
      connections: 1,
      totalConnections: 1,
      totalMessages: 1,
      connectErrors: 0,
      messageErrors: 0,
      closingConnections: 0,
    });
    const { answers } = node.app;
    node.app.answers = (call) => (call.path === '/close' ? null : answers(call));
    alice.leave(4000);
    expect(stats(node)).toMatchObject({ connections: 0, closingConnections: 1 });
    node.settle();
    const close = node.app.open('/close');
    expect(close.header('X-Arrokoth-Reason')).toBe('client_close');
    expect(close.header('X-Arrokoth-Close-Code')).toBe('4000');
    close.answer(200);
    node.settle();
    expect(stats(node).closingConnections).toBe(0);
    expect(node.worker().journal.liveCount).toBe(0);
  });
});
