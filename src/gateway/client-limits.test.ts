import { describe, expect, it } from 'vitest';
import { FakeGateways } from '../../test/fakes/fake-gateways.ts';
import { FakeUpgrade } from '../../test/fakes/fake-net.ts';

function askFrom(node: FakeGateways, remoteAddress: string): FakeUpgrade {
  const upgrade = new FakeUpgrade({ query: `key=${Math.random()}` });
  Object.assign(upgrade, { remoteAddress });
  node.worker().servers[0].upgrade(upgrade);
  node.settle();
  return upgrade;
}

const ofConnections = (bound: number): FakeGateways =>
  new FakeGateways({ keys: `limits: { connections_per_address: ${bound} }`, callbacks: ['receive'] });

describe('limits.connects_per_address', () => {
  const keys = 'limits: { connects_per_address: 2, connects_per_address_burst: 3 }';

  it('answers 429 before the application is asked', () => {
    const node = new FakeGateways({ keys });
    for (let time = 0; time < 3; time++) node.connect(`key=k${time}`);
    const asked = node.app.calls.length;
    expect(node.ask('key=more').refused).toEqual({
      status: 429,
      headers: expect.arrayContaining(['Retry-After', '1']),
      body: 'Too Many Requests: connects of this address\n',
    });
    expect(node.app.calls).toHaveLength(asked);
    expect(node.worker().gateway.stats()).toMatchObject({
      connections: 3,
      totalConnections: 4,
      connectErrors: 1,
    });
    node.advance(500);
    node.connect('key=later');
  });

  it('counts each address apart, and a network of IPv6 as one', () => {
    const node = new FakeGateways({ keys });
    const statuses = ['2001:db8::1', '2001:db8::2', '2001:db8::3', '2001:db8::4', '192.0.2.1'].map(
      (address) => askFrom(node, address).refused?.status ?? 101,
    );
    expect(statuses).toEqual([101, 101, 101, 429, 101]);
  });

  it('limits nobody who has no address', () => {
    const node = new FakeGateways({ keys });
    for (let time = 0; time < 9; time++) expect(askFrom(node, '').refused).toBeNull();
  });
});

describe('limits.connections_per_address', () => {
  it('is free again however a connection ends', () => {
    const node = ofConnections(1);
    const isFull = (): boolean => node.ask('key=more').refused?.status === 429;
    const ways: ((connection: ReturnType<FakeGateways['connect']>) => void)[] = [
      (connection) => connection.leave(),
      (connection) => connection.vanish(),
      (connection) => connection.end('idle', 1001),
      () => node.call('/close', { sessions: ['alice'] }),
    ];
    for (const end of ways) {
      const connection = node.connect('key=alice');
      expect(isFull()).toBe(true);
      end(connection);
      node.settle();
    }
    node.connect('key=alice');
  });

  it('is free again when an attempt comes to nothing', () => {
    const node = ofConnections(1);
    for (const query of ['status=403', 'status=500', 'key=']) {
      const upgrade = node.ask(query);
      expect(node.ask('key=meanwhile').refused?.status).toBe(429);
      node.settle();
      expect(upgrade.refused).not.toBeNull();
    }
    const left = node.ask('key=gone');
    left.leave();
    node.settle();
    node.connect('key=alice');
  });

  it('counts a session that is replaced until its connection is closed', () => {
    const node = ofConnections(2);
    node.connect('key=alice');
    node.connect('key=alice');
    node.connect('key=bob');
    expect(node.ask('key=carol').refused?.status).toBe(429);
  });
});

describe('limits.messages_per_connection', () => {
  const keys = 'limits: { messages_per_connection: 10, messages_per_connection_burst: 5, receive_queue: 2 }';
  const start = (): FakeGateways => new FakeGateways({ keys, callbacks: ['receive'] });
  const received = (node: FakeGateways): number =>
    node.app.calls.filter(({ path }) => path === '/receive').length;

  it('reads a fast client no further until its time has come, and loses nothing', () => {
    const node = start();
    const client = node.connect('key=alice');
    for (let message = 0; message < 7; message++) {
      client.say(`m${message}`);
      node.settle();
    }
    expect(client.readingPaused).toBe(true);
    expect(received(node)).toBe(7);
    node.advance(150);
    expect(client.readingPaused).toBe(true);
    node.advance(100);
    expect(client.readingPaused).toBe(false);
    expect(client.open).toBe(true);
  });

  it('does not read on while the inbox is full', () => {
    const node = start();
    const client = node.connect('key=alice');
    node.app.answers = () => null;
    for (let message = 0; message < 6; message++) client.say(`m${message}`);
    node.advance(1_000);
    expect(client.readingPaused).toBe(true);
    while (node.app.to('/receive').length < 6) {
      node.app.open('/receive').answer(200);
      node.settle();
    }
    expect(client.readingPaused).toBe(false);
  });

  it('does not read on as the inbox empties while the client is too fast', () => {
    const node = start();
    const client = node.connect('key=alice');
    for (let message = 0; message < 9; message++) client.say(`m${message}`);
    node.settle();
    expect(received(node)).toBe(9);
    expect(client.readingPaused).toBe(true);
    node.advance(450);
    expect(client.readingPaused).toBe(false);
  });

  it('closes a client that goes on regardless, and tells the application why', () => {
    const node = start();
    const client = node.connect('key=alice');
    for (let message = 0; message < 200; message++) client.say('x');
    expect(client.closed).toEqual({ code: 1008, reason: 'too many messages' });
    node.settle();
    expect(received(node)).toBe(105);
    const end = node.app.calls.find(({ path }) => path === '/close');
    expect(end?.header('X-Arrokoth-Reason')).toBe('message_flood');
    expect(end?.header('X-Arrokoth-Close-Code')).toBe('1008');
  });

  it('leaves other clients alone', () => {
    const node = start();
    const [fast, slow] = [node.connect('key=fast'), node.connect('key=slow')];
    for (let message = 0; message < 9; message++) fast.say('x');
    slow.say('y');
    expect([fast.readingPaused, slow.readingPaused]).toEqual([true, false]);
  });
});
