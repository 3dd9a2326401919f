import { describe, expect, it } from 'vitest';
import { FakeGateways } from '../../../test/fakes/fake-gateways.ts';
import type { FakeResponse } from '../../../test/fakes/fake-net.ts';
import { LIMITS, type WorkerSlot } from '../../base/index.ts';

interface Keyed {
  readonly key: string;
  readonly session?: string;
  readonly path?: string;
  readonly body?: string;
  readonly slot?: WorkerSlot;
  readonly headers?: readonly string[];
}

function ask(node: FakeGateways, keyed: Keyed): FakeResponse {
  const { key, session = 'alice', path = '/send', body = 'hi', slot = 0, headers = [] } = keyed;
  const lines = ['X-Kuiperbelt-Session', session, 'Idempotency-Key', key, ...headers];
  return node.worker(slot).servers[0].request({ method: 'POST', path, headers: lines, body });
}

function call(node: FakeGateways, keyed: Keyed) {
  const response = ask(node, keyed);
  node.settle();
  return told(response);
}

function told({ answer }: FakeResponse) {
  if (answer === null) return null;
  return {
    status: answer.status,
    body: answer.body,
    replayed: answer.headers.includes('Idempotency-Replayed'),
  };
}

const SENT = { status: 200, body: '{"result":"OK"}', replayed: false };

describe.each([1, 2, 3])('a key on %i worker(s)', (workers) => {
  const last = workers - 1;

  it('sends once and answers twice, whichever workers are met', () => {
    for (let home = 0; home < workers; home++) {
      const node = new FakeGateways({ workers });
      const alice = node.connect('key=alice');
      const key = node.nameAt(home, 'key');
      expect(call(node, { key })).toEqual(SENT);
      expect(call(node, { key, slot: last })).toEqual({ ...SENT, replayed: true });
      expect(call(node, { key: `"${key}"` })).toEqual({ ...SENT, replayed: true });
      expect(alice.received).toEqual(['hi']);
    }
  });

  it('gives back what the first was told, failures included', () => {
    const node = new FakeGateways({ workers });
    const first = call(node, { key: 'k', session: 'nobody' });
    expect(first?.body).toContain('session is not found');
    node.connect('key=nobody');
    expect(call(node, { key: 'k', session: 'nobody', slot: last })).toEqual({ ...first, replayed: true });
  });

  it('refuses another request: other targets, body, type or path', () => {
    const node = new FakeGateways({ workers });
    const alice = node.connect('key=alice');
    call(node, { key: 'k' });
    const others: Partial<Keyed>[] = [
      { session: 'bob' },
      { body: 'other' },
      { path: '/close' },
      { headers: ['Content-Type', 'application/octet-stream'] },
      { headers: ['X-Kuiperbelt-Session', 'alice'] },
    ];
    for (const other of others) expect(call(node, { key: 'k', slot: last, ...other })?.status).toBe(422);
    expect(alice.received).toEqual(['hi']);
    expect(alice.open).toBe(true);
  });

  it('closes once', () => {
    const node = new FakeGateways({ workers });
    node.connect('key=alice');
    expect(call(node, { key: 'k', path: '/close', slot: last })).toEqual(SENT);
    node.connect('key=alice');
    expect(call(node, { key: 'k', path: '/close' })).toEqual({ ...SENT, replayed: true });
    expect(node.call('/send', { sessions: ['alice'] })).toEqual({ result: 'OK' });
  });

  it('is free again after the window', () => {
    const node = new FakeGateways({ workers, keys: 'idempotency: { window: 2s }' });
    const alice = node.connect('key=alice');
    call(node, { key: 'k' });
    node.advance(1_950);
    expect(call(node, { key: 'k' })?.replayed).toBe(true);
    node.advance(50);
    expect(call(node, { key: 'k' })).toEqual(SENT);
    expect(alice.received).toEqual(['hi', 'hi']);
  });
});

describe('a repetition while the first is under way', () => {
  it('waits for its answer', () => {
    const node = new FakeGateways({ workers: 2 });
    const key = node.nameAt(0, 'key');
    const session = node.nameAt(1, 'alice');
    const alice = node.connect(`key=${session}`, 1);
    const first = ask(node, { key, session });
    const second = ask(node, { key, session, slot: 1 });
    node.settle();
    expect([first, second].map(told)).toEqual(expect.arrayContaining([SENT, { ...SENT, replayed: true }]));
    expect(alice.received).toEqual(['hi']);
  });

  it('is told to come later when that takes too long', () => {
    const node = new FakeGateways({ workers: 2, keys: 'send_timeout: 1m' });
    const key = node.nameAt(0, 'key');
    const session = node.nameAt(1, 'alice');
    node.kill(1);
    const first = ask(node, { key, session });
    node.settle();
    const second = ask(node, { key, session });
    node.advance(LIMITS.idempotencyWaitMs - 25);
    expect(told(second)).toBeNull();
    node.advance(50);
    expect(told(second)?.status).toBe(409);
    expect(second.answer?.headers).toContain('Retry-After');
    expect(told(first)).toBeNull();
  });
});

describe('when a worker dies', () => {
  it('nothing is sent twice that it may have sent', () => {
    const node = new FakeGateways({ workers: 3, keys: 'send_timeout: 1m' });
    const key = node.nameAt(0, 'key');
    const session = node.nameAt(2, 'alice');
    node.kill(2);
    const waiting = ask(node, { key, session, slot: 1 });
    node.settle();
    node.restart(1);
    node.settle();
    expect(told(waiting)).toBeNull();
    const again = call(node, { key, session });
    expect(again).toMatchObject({ status: 409, body: expect.stringContaining('not known') });
  });

  it('nothing is sent while the home of the key is silent, and once when it is back', () => {
    const node = new FakeGateways({ workers: 2 });
    const alice = node.connect('key=alice');
    const key = node.nameAt(1, 'key');
    node.kill(1);
    const refused = ask(node, { key });
    node.advance(LIMITS.sisterWaitMs + 50);
    expect(told(refused)?.status).toBe(503);
    expect(refused.answer?.headers).toContain('Retry-After');
    expect(alice.received).toEqual([]);
    node.tellPeers();
    node.replace(1);
    node.tellPeers();
    node.settle();
    expect(call(node, { key })).toEqual(SENT);
    expect(alice.received).toEqual(['hi']);
  });
});

describe('at the bounds', () => {
  it('a request with a new key is refused rather than left unprotected', () => {
    const node = new FakeGateways({ keys: 'idempotency: { keys: 1 }' });
    const alice = node.connect('key=alice');
    expect(call(node, { key: 'a' })).toEqual(SENT);
    expect(call(node, { key: 'b' })?.status).toBe(503);
    expect(call(node, { key: 'a' })?.replayed).toBe(true);
    node.advance(60_000);
    expect(call(node, { key: 'b' })).toEqual(SENT);
    expect(alice.received).toEqual(['hi', 'hi']);
  });

  it('an answer that is too large is not repeated, nor is the request carried out again', () => {
    const node = new FakeGateways();
    const sessions = Array.from({ length: 1_200 }, (_, index) => `nobody-${index}`);
    const headers = sessions.flatMap((session) => ['X-Kuiperbelt-Session', session]);
    expect(call(node, { key: 'k', headers })?.body.length).toBeGreaterThan(LIMITS.idempotencyAnswerBytesMax);
    expect(call(node, { key: 'k', headers })).toMatchObject({ status: 409 });
  });

  it('keys that are none are refused before anything is sent', () => {
    const node = new FakeGateways();
    const alice = node.connect('key=alice');
    expect(call(node, { key: '' })?.status).toBe(400);
    expect(call(node, { key: 'a', headers: ['idempotency-key', 'b'] })?.status).toBe(400);
    expect(alice.received).toEqual([]);
  });

  it('requests that are refused before anything is sent leave no record', () => {
    const node = new FakeGateways({ keys: 'limits: { body: 4 }' });
    node.connect('key=alice');
    expect(call(node, { key: 'k', body: 'too long' })?.status).toBe(413);
    expect(call(node, { key: 'k', body: 'fits' })).toEqual(SENT);
  });

  it('a window of 0s ignores keys', () => {
    const node = new FakeGateways({ keys: 'idempotency: { window: 0s }' });
    const alice = node.connect('key=alice');
    for (let time = 0; time < 2; time++) expect(call(node, { key: 'k' })).toEqual(SENT);
    expect(alice.received).toEqual(['hi', 'hi']);
  });
});
