/** Clients that are sent away by one worker: when they are told to come back, and what a probe learns. */
import { describe, expect, it } from 'vitest';
import { FakeGateways } from '../../test/fakes/fake-gateways.ts';
import { FakeUpgrade } from '../../test/fakes/fake-net.ts';

const CROWDED = 'Service Unavailable: too many clients are connecting\n';
/** With the built-in guess of 100 ms a callback: 100 a second. */
const callbackKeys = 'max_in_flight: 10';

type Refused = { readonly status: number; readonly headers: readonly string[] } | null | undefined;

function node(keys = ''): FakeGateways {
  return new FakeGateways({ keys, callbackKeys });
}

function retryAfter(answer: Refused): number {
  const { headers = [] } = answer ?? {};
  return Number(headers[headers.indexOf('Retry-After') + 1]);
}

function probe(gateways: FakeGateways) {
  return gateways.worker().servers[0].request({ path: '/connect' }).answer;
}

function busy(gateways: FakeGateways, upgrade: FakeUpgrade): FakeUpgrade {
  gateways.app.open('/connect').fail('busy');
  gateways.settle();
  return upgrade;
}

/** What a crowd is told that the client of callbacks has no room for. */
function sendAway(gateways: FakeGateways, clients: number): number[] {
  gateways.app.answers = () => null;
  return Array.from({ length: clients }, (_, number) => {
    const { refused } = busy(gateways, gateways.ask(`key=k${number}`));
    expect(refused).toMatchObject({ status: 503, body: CROWDED });
    return retryAfter(refused);
  });
}

describe('a crowd that is sent away', () => {
  it('is spread over the time that the application takes for it', () => {
    const gateways = node();
    const seconds = sendAway(gateways, 1_000);
    expect(Math.max(...seconds)).toBeGreaterThan(8);
    expect(Math.max(...seconds)).toBeLessThanOrEqual(11);
    const counts = new Map<number, number>();
    for (const second of seconds) counts.set(second, (counts.get(second) ?? 0) + 1);
    expect(counts.size).toBeGreaterThan(5);
    expect(Math.max(...counts.values())).toBeLessThan(300);
  });

  it('is told a second where it is none', () => {
    expect(sendAway(node(), 3)).toEqual([1, 1, 1]);
  });

  it('is not waited for any more when its time has come', () => {
    const gateways = node();
    sendAway(gateways, 500);
    expect(retryAfter(probe(gateways))).toBeGreaterThan(1);
    gateways.advance(5_000);
    expect(probe(gateways)?.status).toBe(400);
  });

  it('is spread whatever it is sent away for', () => {
    const gateways = node('limits: { connections: 1 }');
    gateways.connect('key=alice');
    const upgrades = Array.from({ length: 600 }, () => gateways.ask('key=more').refused);
    expect(upgrades.at(0)).toMatchObject({ status: 503, body: 'Service Unavailable: the node is full\n' });
    expect(retryAfter(upgrades[0])).toBe(1);
    expect(Math.max(...upgrades.map(retryAfter))).toBeGreaterThan(3);
  });
});

describe('a probe on the connect path', () => {
  it('learns that a crowd is on the way in', () => {
    const gateways = node();
    gateways.app.answers = () => null;
    for (let client = 0; client < 50; client++) gateways.ask(`key=k${client}`);
    expect(probe(gateways)?.status).toBe(400);
    for (let client = 0; client < 250; client++) gateways.ask(`key=m${client}`);
    const answer = probe(gateways);
    expect(answer).toMatchObject({ status: 503, body: CROWDED });
    expect(retryAfter(answer)).toBeGreaterThanOrEqual(2);
    expect(retryAfter(answer)).toBeLessThanOrEqual(3);
  });

  it('is no client that is expected back', () => {
    const gateways = node('limits: { connections: 1 }');
    gateways.connect('key=alice');
    for (let time = 0; time < 1_000; time++) probe(gateways);
    expect(retryAfter(probe(gateways))).toBe(1);
  });

  it('learns of the limits of its address, and takes nothing of them', () => {
    const gateways = node('limits: { connects_per_address: 1, connects_per_address_burst: 2 }');
    for (let time = 0; time < 9; time++) expect(probe(gateways)?.status).toBe(400);
    for (const key of ['a', 'b']) gateways.connect(`key=${key}`);
    const answer = probe(gateways);
    expect(answer).toMatchObject({ status: 429, body: 'Too Many Requests: connects of this address\n' });
    expect(retryAfter(answer)).toBe(1);
    for (let time = 0; time < 9; time++) probe(gateways);
    gateways.advance(1_000);
    expect(probe(gateways)?.status).toBe(400);
    gateways.connect('key=c');
  });

  it('learns of a full address, and then of a free one', () => {
    const gateways = node('limits: { connections_per_address: 1 }');
    const alice = gateways.connect('key=alice');
    const answer = probe(gateways);
    expect(answer).toMatchObject({ status: 429, body: 'Too Many Requests: connections of this address\n' });
    expect(retryAfter(answer)).toBeGreaterThanOrEqual(5);
    expect(retryAfter(answer)).toBeLessThanOrEqual(10);
    alice.leave();
    gateways.settle();
    expect(probe(gateways)?.status).toBe(400);
  });
});

it('spreads those who share an address that is limited', () => {
  const gateways = node('limits: { connects_per_address: 10, connects_per_address_burst: 1 }');
  gateways.connect('key=first');
  const seconds = Array.from({ length: 200 }, () => {
    const upgrade = gateways.worker().servers[0].upgrade(new FakeUpgrade({ query: 'key=more' }));
    expect(upgrade.refused?.status).toBe(429);
    return retryAfter(upgrade.refused);
  });
  expect(seconds[0]).toBe(1);
  expect(new Set(seconds).size).toBeGreaterThan(10);
  expect(Math.max(...seconds)).toBeLessThanOrEqual(21);
});
