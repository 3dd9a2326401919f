import { describe, expect, it } from 'vitest';
import { FakeGateways } from '../../../test/fakes/fake-gateways.ts';
import type { FakeConnection } from '../../../test/fakes/fake-net.ts';

function listening(keys = ''): { node: FakeGateways; alice: FakeConnection } {
  const node = new FakeGateways({ callbacks: ['receive'], keys });
  const { answers } = node.app;
  node.app.answers = (call) => (call.path === '/receive' ? null : answers(call));
  return { node, alice: node.connect('key=alice') };
}

function said(node: FakeGateways): string[] {
  return node.app.to('/receive').map(({ body }) => body);
}

describe('receive callbacks', () => {
  it('carry one message at a time, in order, whatever the answers are', () => {
    const { node, alice } = listening();
    for (const text of ['1', '2', '3']) alice.say(text);
    expect(said(node)).toEqual(['1']);
    node.app.open('/receive').answer(200);
    node.settle();
    expect(said(node)).toEqual(['1', '2']);
    node.app.open('/receive').fail('timeout');
    node.settle();
    expect(said(node)).toEqual(['1', '2', '3']);
    expect(node.log.messages('error')).toEqual(['the receive callback failed; the message is lost']);
    node.app.open('/receive').answer(200, [], 'ignored');
    node.settle();
    expect(alice.received).toEqual([]);
    alice.say('4');
    expect(said(node)).toEqual(['1', '2', '3', '4']);
  });

  it('of different clients do not wait for each other', () => {
    const { node, alice } = listening();
    const bob = node.connect('key=bob');
    alice.say('a');
    bob.say('b');
    expect(said(node)).toEqual(['a', 'b']);
  });

  it('say text or binary, chunked, with key and connection', () => {
    const { node, alice } = listening();
    alice.say('\x00\x01', true);
    const { call } = node.app.open('/receive');
    expect(call).toMatchObject({ method: 'POST', chunked: true });
    expect(node.app.open('/receive').header('Content-Type')).toBe('application/octet-stream');
    expect(node.app.open('/receive').header('X-Kuiperbelt-Session')).toBe('alice');
  });

  it('are not made without a URL', () => {
    const node = new FakeGateways();
    node.connect('key=alice').say('x');
    node.settle();
    expect(node.app.calls.map(({ path }) => path)).toEqual(['/connect']);
  });

  it('stop the reading of a client whose inbox is full, until half of it is answered', () => {
    const { node, alice } = listening('limits: { receive_queue: 4 }');
    for (let number = 0; number < 5; number++) {
      expect(alice.readingPaused).toBe(false);
      alice.say(`${number}`);
    }
    expect(alice.readingPaused).toBe(true);
    const answerOne = () => {
      node.app.open('/receive').answer(200);
      node.settle();
    };
    answerOne();
    expect(alice.readingPaused).toBe(true);
    answerOne();
    expect(alice.readingPaused).toBe(false);
    for (let left = 0; left < 3; left++) answerOne();
    expect(said(node)).toEqual(['0', '1', '2', '3', '4']);
  });

  it('bound an inbox by bytes as well', () => {
    const { node, alice } = listening('limits: { message: 1KiB }');
    alice.say('x'.repeat(1_024));
    expect(alice.readingPaused).toBe(false);
    alice.say('x'.repeat(1_024));
    expect(alice.readingPaused).toBe(true);
    node.app.open('/receive').answer(200);
    node.settle();
    expect(alice.readingPaused).toBe(false);
  });
});
