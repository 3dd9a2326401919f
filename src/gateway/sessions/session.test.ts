import { describe, expect, it } from 'vitest';
import { FakeGateways, type FakeGatewaysOptions } from '../../../test/fakes/fake-gateways.ts';
import type { FakeConnection } from '../../../test/fakes/fake-net.ts';

/** A node whose application lets `alice` in and does not answer the establish callback. */
function establishing(options: FakeGatewaysOptions = {}): { node: FakeGateways; alice: FakeConnection } {
  const node = new FakeGateways({ callbacks: ['establish'], ...options });
  const { answers } = node.app;
  node.app.answers = (call) => (call.path === '/establish' ? null : answers(call));
  return { node, alice: node.connect('key=alice&hello=hello&channel=lobby') };
}

const OK = { result: 'OK' };
const CLOSED = {
  errors: [{ error: 'kuiperbelt: session is not found', session: 'alice' }],
  result: 'OK',
};
const DEADLINE = { errors: [{ error: 'context deadline exceeded', session: 'alice' }], result: 'OK' };

describe('between registration and hello', () => {
  it('keeps messages behind the hello, in order, from wherever they came', () => {
    const { node, alice } = establishing();
    expect(node.call('/send', { sessions: ['alice'] }, '1')).toEqual(OK);
    node.call('/send', { channels: ['lobby'] }, '2');
    node.call('/send', { sessions: ['alice'] }, '3');
    expect(alice.received).toEqual([]);
    node.app.open('/establish').answer(200);
    node.settle();
    expect(alice.received).toEqual(['hello', '1', '2', '3']);
    node.call('/send', { sessions: ['alice'] }, '4');
    expect(alice.received.at(-1)).toBe('4');
  });

  it('holds messages that come before the 101 as well', () => {
    const node = new FakeGateways({ workers: 2 });
    const key = node.nameAt(0, 'key');
    const upgrade = node.ask(`key=${key}&hello=hello&channel=${node.nameAt(1, 'c')}`);
    node.network.hold(1, 0);
    node.settle();
    expect(upgrade.waiting).toBe(true);
    expect(node.call('/send', { sessions: [key] }, '1')).toEqual(OK);
    node.network.release(1, 0);
    node.settle();
    expect(upgrade.connection?.received).toEqual(['hello', '1']);
  });

  it('sends hello, what waited and farewell to a client that the application closes', () => {
    const { node, alice } = establishing();
    node.call('/send', { sessions: ['alice'] }, '1');
    expect(node.call('/close', { sessions: ['alice'] }, 'bye')).toEqual(OK);
    expect(alice.received).toEqual(['hello', '1', 'bye']);
    expect(alice.closed).toEqual({ code: 1000, reason: '' });
    expect(node.worker().gateway.stats()).toMatchObject({ connections: 0, totalMessages: 3 });
    node.app.open('/establish').answer(200);
    node.settle();
    expect(alice.received).toHaveLength(3);
    expect(node.call('/send', { sessions: ['alice'] })).toEqual(CLOSED);
    expect(node.app.closeEvents()).toEqual([]);
    expect(node.worker().journal.owed()).toEqual([]);
  });

  it('refuses a client whose session the application closes before its 101', () => {
    const node = new FakeGateways({ workers: 2 });
    const key = node.nameAt(0, 'key');
    const upgrade = node.ask(`key=${key}&channel=${node.nameAt(1, 'c')}`);
    node.network.hold(1, 0);
    node.settle();
    expect(node.call('/close', { sessions: [key] }, 'bye')).toEqual(OK);
    node.network.release(1, 0);
    node.settle();
    expect(upgrade.refused?.status).toBe(503);
    expect(node.app.closeEvents()).toEqual([]);
    expect(node.worker().gateway.stats()).toMatchObject({ connections: 0, connectErrors: 0 });
  });

  it('shows nothing of what waited to a client that is not established', () => {
    const { node, alice } = establishing();
    node.call('/send', { sessions: ['alice'] }, 'secret');
    node.app.open('/establish').answer(403);
    node.settle();
    expect(alice.received).toEqual([]);
    expect(alice.closed).toEqual({ code: 1008, reason: 'not established' });
    expect(node.app.closeEvents()).toMatchObject([{ key: 'alice', reason: 'not_established' }]);
  });

  it('ends once when the client leaves first and the establish callback fails later', () => {
    const { node, alice } = establishing();
    alice.leave();
    node.app.open('/establish').fail('timeout');
    node.settle();
    expect(node.app.closeEvents()).toMatchObject([{ reason: 'client_close' }]);
  });

  it('bounds what waits by number, and by bytes where more than one message waits', () => {
    const bounds = 'slow_client: { queue_bytes: 100, queue_messages: 3, policy: drop_newest }';
    const { node, alice } = establishing({ keys: bounds });
    const long = 'x'.repeat(200);
    expect(node.call('/send', { sessions: ['alice'] }, long)).toEqual(OK);
    expect(node.call('/send', { sessions: ['alice'] }, '2')).toEqual(DEADLINE);
    node.app.open('/establish').answer(200);
    node.settle();
    expect(alice.received).toEqual(['hello', long]);
    expect(node.worker().gateway.stats()).toMatchObject({ totalMessages: 3, messageErrors: 1 });

    const other = establishing({ keys: bounds });
    const answers = ['1', '2', '3', '4'].map((text) =>
      other.node.call('/send', { sessions: ['alice'] }, text),
    );
    expect(answers).toEqual([OK, OK, OK, DEADLINE]);
  });

  it('drops the oldest of what waits when that is the policy', () => {
    const { node, alice } = establishing({ keys: 'slow_client: { queue_messages: 2, policy: drop_oldest }' });
    for (const text of ['1', '2', '3']) {
      expect(node.call('/send', { sessions: ['alice'] }, text)).toEqual(OK);
    }
    node.app.open('/establish').answer(200);
    node.settle();
    expect(alice.received).toEqual(['hello', '2', '3']);
  });
});

describe('a message that a connection does not take', () => {
  it('is told as a deadline when it was dropped', () => {
    const node = new FakeGateways();
    node.connect('key=alice').takes = 'nothing';
    expect(node.call('/send', { sessions: ['alice'] })).toEqual(DEADLINE);
    expect(node.worker().gateway.stats()).toMatchObject({ totalMessages: 1, messageErrors: 1 });
  });

  it('ends a slow client with one event, in the middle of a broadcast', () => {
    const node = new FakeGateways();
    const slow = node.connect('key=alice&channel=lobby');
    const quick = node.connect('key=bob&channel=lobby');
    slow.takes = 'ends as slow';
    expect(node.call('/send', { channels: ['lobby'] }, 'x')).toMatchObject({ channels: [{ delivered: 1 }] });
    expect(quick.received).toEqual(['x']);
    expect(node.app.closeEvents()).toMatchObject([{ key: 'alice', reason: 'slow' }]);
    expect(node.call('/send', { sessions: ['alice'] })).toEqual(CLOSED);
  });
});
