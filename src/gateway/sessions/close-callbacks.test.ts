import { describe, expect, it } from 'vitest';
import type { AppAnswer } from '../../../test/fakes/fake-application.ts';
import { FakeGateways } from '../../../test/fakes/fake-gateways.ts';

/** A node on which alice has just left and the application answers close callbacks by `answer`. */
function afterTheEnd(answer: () => AppAnswer): FakeGateways {
  const node = new FakeGateways();
  const alice = node.connect('key=alice');
  const { answers } = node.app;
  node.app.answers = (call) => (call.path === '/close' ? answer() : answers(call));
  alice.leave();
  node.settle();
  return node;
}

describe('a close callback', () => {
  it('is one request when the application answers at once', () => {
    const node = afterTheEnd(() => ({ status: 200 }));
    node.advance(120_000);
    expect(node.app.to('/close')).toHaveLength(1);
    expect(node.worker().journal.owed()).toEqual([]);
  });

  it('has its reason in the journal before the application hears it', () => {
    const node = new FakeGateways();
    const alice = node.connect('key=alice');
    const { answers } = node.app;
    let noted: unknown = null;
    node.app.answers = (call) => {
      if (call.path === '/close') noted = node.worker().journal.owed();
      return answers(call);
    };
    alice.leave(4001);
    node.settle();
    expect(noted).toMatchObject([{ reason: 'client_close', code: 4001 }]);
  });

  it.each([400, 404, 204])('is not repeated after a %i, which is an answer', (status) => {
    const node = afterTheEnd(() => ({ status }));
    node.advance(120_000);
    expect(node.app.to('/close')).toHaveLength(1);
    expect(node.worker().journal.owed()).toEqual([]);
    expect(node.log.messages('warn')).toContain('the close callback was answered, but not with 200');
  });

  it('is repeated with growing delays under the same event id until it is answered', () => {
    let failures = 4;
    const node = new FakeGateways();
    const alice = node.connect('key=alice');
    const times: number[] = [];
    node.app.answers = () => {
      times.push(node.time.monotonicMs());
      return { status: failures-- > 0 ? 503 : 200 };
    };
    alice.leave();
    node.advance(30_000);
    expect(node.app.to('/close')).toHaveLength(5);
    expect(new Set(node.app.closeEvents().map(({ id }) => id)).size).toBe(1);
    const delays = times.slice(1).map((time, index) => time - (times[index] as number));
    delays.forEach((delay, index) => {
      const { closeBackoffMs } = node.config.callback;
      expect(delay).toBeGreaterThanOrEqual((closeBackoffMs / 2) * 2 ** index);
      expect(delay).toBeLessThanOrEqual(closeBackoffMs * 2 ** index + 100);
    });
    expect(node.worker().journal.owed()).toEqual([]);
    expect(node.worker().gateway.stats().closingConnections).toBe(0);
  });

  it('is given up after the configured attempts, loudly and for good', () => {
    const node = afterTheEnd(() => ({ status: 500 }));
    node.advance(600_000);
    expect(node.app.to('/close')).toHaveLength(node.config.callback.closeAttemptsMax);
    expect(node.worker().journal.owed()).toEqual([]);
    expect(node.log.messages('error')).toEqual([
      'the close callback failed for the last time; the event is given up',
    ]);
  });

  it('is owed and not sent when no URL is configured', () => {
    const node = new FakeGateways({ closeCallback: false });
    node.connect('key=alice').leave();
    node.settle();
    expect(node.worker().journal.owed()).toEqual([]);
    expect(node.worker().gateway.stats().closingConnections).toBe(0);
  });

  it('leaves room for others: a bounded number is under way', () => {
    const node = new FakeGateways();
    const clients = Array.from({ length: 200 }, (_, index) => node.connect(`key=k${index}`));
    node.app.answers = () => null;
    for (const client of clients) client.leave();
    node.settle();
    const underWay = node.app.to('/close').filter((call) => call.open);
    expect(underWay).toHaveLength(64);
    expect(node.worker().gateway.stats().closingConnections).toBe(200);
    for (let answered = 0; answered < 200; answered++) {
      node.app.to('/close')[answered]?.answer(200);
      node.settle();
    }
    expect(new Set(node.app.closeEvents().map(({ id }) => id)).size).toBe(200);
    expect(node.worker().journal.liveCount).toBe(0);
  });

  it('comes after the words of its client', () => {
    const node = new FakeGateways({ callbacks: ['receive'] });
    const alice = node.connect('key=alice');
    node.app.answers = (call) => (call.path === '/receive' ? null : { status: 200 });
    alice.say('one');
    alice.say('two');
    alice.leave();
    node.settle();
    expect(node.worker().gateway.stats().closingConnections).toBe(1);
    node.app.open('/receive').answer(500);
    node.settle();
    expect(node.app.closeEvents()).toEqual([]);
    node.app.open('/receive').answer(200);
    node.settle();
    expect(node.app.calls.slice(1).map(({ path, body }) => path + body)).toEqual([
      '/receiveone',
      '/receivetwo',
      '/close',
    ]);
  });
});

describe('every kind of end', () => {
  it.each([
    ['client_close', 4000],
    ['client_gone', 1006],
    ['protocol_error', 1002],
    ['invalid_utf8', 1007],
    ['message_too_large', 1009],
    ['idle', 1001],
    ['ping_timeout', 1001],
    ['slow', 1013],
  ] as const)('%s is told with its reason and code, once', (cause, code) => {
    const node = new FakeGateways();
    node.connect('key=alice').end(cause, code);
    node.settle();
    const [call, ...others] = node.app.to('/close');
    expect(others).toEqual([]);
    expect(call?.header('X-Arrokoth-Reason')).toBe(cause);
    expect(call?.header('X-Arrokoth-Close-Code')).toBe(`${code}`);
    expect(call?.header('X-Arrokoth-Event-Id')).toBe(`${call?.header('X-Arrokoth-Connection')}.closed`);
  });
});
