/** Sessions of several nodes, reached from any of them, and what happens when homes are silent or gone. */
import { beforeEach, describe, expect, it } from 'vitest';
import { FakeCluster } from '../../../test/fakes/fake-cluster.ts';
import type { FakeGateways } from '../../../test/fakes/fake-gateways.ts';

const OK = { result: 'OK' };
const failed = (error: string, ...sessions: string[]): object => {
  return { errors: sessions.map((session) => ({ error, session })), result: 'OK' };
};
const NOT_FOUND = 'kuiperbelt: session is not found';
const UNREACHABLE = 'node is unreachable';

let cluster: FakeCluster;
let one: FakeGateways;
let two: FakeGateways;
let three: FakeGateways;

beforeEach(() => {
  cluster = new FakeCluster({ nodes: 3, workers: 2 });
  [one, two, three] = cluster.nodes as [FakeGateways, FakeGateways, FakeGateways];
});

describe('a cluster of three nodes', () => {
  it('reaches a session from every worker of every node, wherever its homes are', () => {
    for (const first of cluster.nodes) {
      for (const second of cluster.nodes) {
        if (first === second) continue;
        const key = cluster.keyAt(first, second);
        const client = two.connect(`key=${key}`, 1);
        const expected: string[] = [];
        for (const asked of cluster.nodes) {
          for (const slot of [0, 1]) {
            const text = `${asked.node} ${slot}`;
            expect(asked.call('/send', { sessions: [key] }, text, slot)).toEqual(OK);
            expected.push(text);
          }
        }
        expect(client.received).toEqual(expected);
        client.leave();
        one.settle();
      }
    }
  });

  it('says not found of a key that nobody holds, at once and from everywhere', () => {
    for (const asked of cluster.nodes) {
      expect(asked.call('/send', { sessions: ['nope'] }, 'x')).toEqual(failed(NOT_FOUND, 'nope'));
    }
  });

  it('names the unknown first and in their order, and serves the others', () => {
    const alice = one.connect('key=alice', 0);
    const bob = three.connect('key=bob', 1);
    const sessions = ['nope1', 'alice', 'nope2', 'bob'];
    expect(two.call('/send', { sessions }, 'x')).toEqual(failed(NOT_FOUND, 'nope1', 'nope2'));
    expect([alice.received, bob.received]).toEqual([['x'], ['x']]);
  });

  it('closes a session of another node without telling the application', () => {
    const alice = one.connect('key=alice');
    expect(three.call('/close', { sessions: ['alice'] }, 'bye')).toEqual(OK);
    expect([alice.received, alice.closed?.code]).toEqual([['bye'], 1000]);
    expect(two.call('/send', { sessions: ['alice'] }, 'x')).toEqual(failed(NOT_FOUND, 'alice'));
    expect(one.app.closeEvents()).toEqual([]);
  });

  it('forgets a session that has ended', () => {
    const alice = one.connect('key=alice');
    alice.leave();
    one.settle();
    expect(three.call('/send', { sessions: ['alice'] }, 'x')).toEqual(failed(NOT_FOUND, 'alice'));
  });
});

describe('a key that connects again on another node', () => {
  it('is the newer connection’s alone; the older one is closed with 4409', () => {
    const older = one.connect('key=alice');
    const newer = two.connect('key=alice');
    expect([older.closed?.code, newer.open]).toEqual([4409, true]);
    expect(three.call('/send', { sessions: ['alice'] }, 'x')).toEqual(OK);
    expect([older.received, newer.received]).toEqual([[], ['x']]);
    expect(one.app.closeEvents().map(({ reason }) => reason)).toEqual(['replaced']);
  });

  it('leaves one of many that come at once', () => {
    const asked = [one, two, three, one, two, three].map((node, index) => node.ask('key=alice', index % 2));
    one.settle();
    const open = asked.filter(({ connection }) => connection?.open);
    expect(open).toHaveLength(1);
    expect(three.call('/send', { sessions: ['alice'] }, 'x')).toEqual(OK);
    expect(open[0]?.connection?.received).toEqual(['x']);
  });
});

describe('a home that is silent', () => {
  it('is stood in for by the next node, and the session is found', () => {
    const key = cluster.keyAt(two, three);
    cluster.hold(two);
    const upgrade = one.ask(`key=${key}`);
    one.settle();
    expect(upgrade.connection).toBe(null);
    cluster.advance(250);
    expect(upgrade.connection?.open).toBe(true);
    const sent = three.post('/send', { sessions: [key] }, 'x');
    cluster.advance(250);
    expect(sent.answer?.body).toBe('{"result":"OK"}');
    cluster.release(two);
    one.settle();
    expect(two.call('/send', { sessions: [key] }, 'y')).toEqual(OK);
    expect(upgrade.connection?.received).toEqual(['x', 'y']);
  });

  it('lets nobody in when no other node answers', () => {
    cluster.hold(two);
    cluster.hold(three);
    const upgrade = one.ask(`key=${cluster.keyAt(one, two)}`);
    cluster.advance(1_100);
    expect(upgrade.refused?.status).toBe(503);
    expect(upgrade.refused?.headers.join(' ')).toContain('Retry-After');
    expect(one.app.closeEvents().map(({ reason }) => reason)).toEqual(['not_established']);
  });

  it('does not keep the attempt of a client that the application closes meanwhile', () => {
    const key = cluster.keyAt(one, two);
    cluster.hold(one);
    const upgrade = one.ask(`key=${key}`);
    one.settle();
    expect(upgrade.refused).toBe(null);
    expect(one.call('/close', { sessions: [key] }, 'bye')).toEqual(OK);
    expect(upgrade.refused?.status).toBe(503);
    expect(one.app.closeEvents()).toEqual([]);
  });

  it('makes a key that nobody is known to hold unreachable, never not found', () => {
    const key = cluster.keyAt(two, three);
    cluster.hold(two);
    const sent = one.post('/send', { sessions: [key] }, 'x');
    cluster.advance(11_000);
    const { errors } = JSON.parse(sent.answer?.body ?? '{}');
    expect([UNREACHABLE, 'context deadline exceeded']).toContain(errors[0].error);
  });
});

describe('a home that missed something', () => {
  it('is not believed over the other one once its word turned out wrong', () => {
    const key = cluster.keyAt(two, one);
    const older = three.connect(`key=${key}`, 0);
    cluster.holdBetween(three, two);
    const newer = three.ask(`key=${key}`, 1);
    three.settle();
    cluster.advance(250);
    expect([older.closed?.code, newer.connection?.open]).toEqual([4409, true]);
    expect(one.call('/send', { sessions: [key] }, 'x')).toEqual(OK);
    expect(newer.connection?.received).toEqual(['x']);
  });
});

describe('a node that goes', () => {
  it('keeps nobody waiting whose registration it has not acknowledged', () => {
    cluster.lose(two);
    const upgrade = one.ask(`key=${cluster.keyAt(two, three)}`);
    one.settle();
    expect(upgrade.connection).toBe(null);
    cluster.agree([one, three]);
    expect(upgrade.connection?.open).toBe(true);
  });

  it('takes its sessions along, and the others stay reachable through new homes', () => {
    const kept = cluster.keyAt(two, three);
    const client = one.connect(`key=${kept}`);
    two.connect('key=lost');
    cluster.lose(two);
    cluster.agree([one, three]);
    expect(three.call('/send', { sessions: [kept, 'lost'] }, 'x')).toEqual(failed(NOT_FOUND, 'lost'));
    expect(client.received).toEqual(['x']);
  });

  it('leaves a node alone that needs nobody to let clients in', () => {
    cluster.lose(two);
    cluster.lose(three);
    cluster.agree([one]);
    const alice = one.connect('key=alice', 1);
    expect(one.call('/send', { sessions: ['alice', 'nope'] }, 'x', 0)).toEqual(failed(NOT_FOUND, 'nope'));
    expect(alice.received).toEqual(['x']);
  });
});

describe('a view', () => {
  it('that only some know makes nobody say not found of a session that is there', () => {
    const clients = Array.from({ length: 30 }, (_, number) => {
      return { key: `k${number}`, client: one.connect(`key=k${number}`, number % 2) };
    });
    // With two more nodes, some keys have no home left that they had before.
    const [four, five] = [cluster.add(), cluster.add()];
    cluster.agree([four, five, two]);
    const send = (node: FakeGateways, text: string) => {
      for (const { key } of clients) {
        expect([key, node.call('/send', { sessions: [key] }, text)]).toEqual([key, OK]);
      }
    };
    for (const node of cluster.nodes) send(node, node.node);
    cluster.tell(one);
    cluster.tell(three);
    one.settle();
    for (const node of cluster.nodes) send(node, `again ${node.node}`);
    for (const { client } of clients) expect(client.received).toHaveLength(10);
  });

  it('of which all know lets every home be sure again', () => {
    const four = cluster.add();
    cluster.agree();
    for (const node of [one, four]) {
      expect(node.call('/send', { sessions: ['nope'] }, 'x')).toEqual(failed(NOT_FOUND, 'nope'));
    }
  });
});

describe('a worker that is replaced', () => {
  it('is told again as a home what others hold, and what it held is gone', () => {
    const key = cluster.keyAt(two, three);
    const client = one.connect(`key=${key}`);
    two.connect('key=lost', 0);
    for (const node of [two, three]) {
      for (const slot of [0, 1]) {
        node.restart(slot);
        cluster.tell(node);
        one.settle();
      }
    }
    expect(three.call('/send', { sessions: [key, 'lost'] }, 'x')).toEqual(failed(NOT_FOUND, 'lost'));
    expect(client.received).toEqual(['x']);
    const newer = three.connect(`key=${key}`);
    expect([client.closed?.code, newer.open]).toEqual([4409, true]);
  });
});
