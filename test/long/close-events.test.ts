/**
 * No ghosts: in whatever way 1,000 connections end, the application is told of each exactly once.
 *
 * Half of the connections are in channels, from their connect on or by `/subscribe`. When the ends
 * have come the node is drained, so that nothing more can be told, and the ends are compared with
 * the connects. Ends by dying processes are in `kills.test.ts`.
 */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { LightClient, OPCODE, post, type RunningNode, temporaryFolder } from '../support/index.ts';
import { CountingApplication } from './counting-application.ts';
import { connectPath, openCrowd } from './crowd.ts';
import { type ExpectedEnd, endFaults } from './end-faults.ts';
import { endsTold, startWatchedNode, stopAndCheck } from './watched-node.ts';

const COUNT = 1_000;
const keyOf = (index: number): string => `client-${index}`;

interface Scene {
  readonly node: RunningNode;
  readonly clients: readonly LightClient[];
}

/** One way to end. */
interface Way {
  readonly name: string;
  readonly config?: Readonly<Record<string, unknown>>;
  readonly answersPings?: boolean;
  readonly end: (scene: Scene) => unknown;
  /** What the application is told; null: nothing. */
  readonly told: ExpectedEnd | null;
  /** Close code that clients see; null: none. */
  readonly seen: number | null;
}

const each = (act: (client: LightClient) => void) => (scene: Scene) => scene.clients.forEach(act);

const ways: readonly Way[] = [
  {
    name: 'the client sends a close frame',
    end: each((client) => client.close(4001, 'enough')),
    told: { reason: 'client_close', code: 4001 },
    seen: 4001,
  },
  {
    name: 'the client sends a close frame without a code',
    end: each((client) => client.sendFrame({ opcode: OPCODE.close })),
    told: { reason: 'client_close', code: 1005 },
    seen: 1005,
  },
  {
    name: 'the client ends its stream',
    end: each((client) => client.end()),
    told: { reason: 'client_gone', code: 1006 },
    seen: null,
  },
  {
    name: 'the client resets the connection',
    end: each((client) => client.reset()),
    told: { reason: 'client_gone', code: 1006 },
    seen: null,
  },
  {
    name: 'the client breaks the protocol',
    end: each((client) => client.sendFrame({ payload: 'x', masked: false })),
    told: { reason: 'protocol_error', code: 1002 },
    seen: 1002,
  },
  {
    name: 'the client sends text that is not UTF-8',
    end: each((client) => client.sendFrame({ payload: Buffer.from([0xc3, 0x28]) })),
    told: { reason: 'invalid_utf8', code: 1007 },
    seen: 1007,
  },
  {
    name: 'the client sends too large a message',
    config: { limits: { message: 1_024 } },
    end: each((client) => client.sendFrame({ claimedLength: 1_025, payload: 'x' })),
    told: { reason: 'message_too_large', code: 1009 },
    seen: 1009,
  },
  {
    name: 'the client is idle',
    config: { idle_timeout: '2s' },
    end: () => undefined,
    told: { reason: 'idle', code: 1001 },
    seen: 1001,
  },
  {
    name: 'the client does not answer pings',
    config: { ping: { interval: '1s', timeout: '1s' } },
    answersPings: false,
    end: () => undefined,
    told: { reason: 'ping_timeout', code: 1001 },
    seen: 1001,
  },
  {
    name: 'the application closes sessions',
    config: { workers: 2 },
    end: (scene) => closeSessions(scene),
    told: null,
    seen: 1000,
  },
  {
    name: 'the application closes a channel',
    config: { workers: 2 },
    end: ({ node }) => post(`${node.addresses.public.url}/close`, ['X-Kuiperbelt-Channel', 'all'], 'bye'),
    told: null,
    seen: 1000,
  },
  {
    name: 'the node is drained',
    config: { workers: 2 },
    end: ({ node }) => node.stop(),
    told: { reason: 'drain', code: 1001 },
    seen: 1001,
  },
];

/** Every second client is in channels: from the start, by `/subscribe`, or both. */
function channelsOf(index: number): string[] {
  return index % 4 === 1 || index % 4 === 3 ? ['all', `room-${index % 10}`] : [];
}

async function subscribeSome(node: RunningNode): Promise<void> {
  const headers = ['X-Kuiperbelt-Channel', 'all', 'X-Kuiperbelt-Channel', 'late'];
  for (let index = 0; index < COUNT; index += 2) headers.push('X-Kuiperbelt-Session', keyOf(index));
  const answer = await post(`${node.addresses.public.url}/subscribe`, headers);
  // With an idle timeout a client may be gone before it could be subscribed.
  expect(answer.status).toBe(200);
}

async function closeSessions({ node }: Scene): Promise<void> {
  const headers = Array.from({ length: COUNT }, (_, index) => ['X-Kuiperbelt-Session', keyOf(index)]).flat();
  const answer = await post(`${node.addresses.public.url}/close`, headers, 'bye');
  expect(answer.json()).toEqual({ result: 'OK' });
}

describe(`the end of ${COUNT} connections is told once each`, () => {
  it.each(ways.map((way) => [way.name, way] as const))('when %s', async (_, way) => {
    const application = await CountingApplication.start();
    const node = await startWatchedNode(application, way.config);
    const target = { port: node.addresses.public.port, answersPings: way.answersPings ?? true };
    const clients = await openCrowd({ target, count: COUNT, key: keyOf, channels: channelsOf });
    await subscribeSome(node);
    await way.end({ node, clients });
    await Promise.all(clients.map((client) => client.closed));
    if (way.told !== null) await endsTold(application, COUNT);
    expect(await stopAndCheck(node, application, { expected: () => way.told })).toEqual([]);
    expect(application.admitted.size).toBe(COUNT);
    expect([...new Set(clients.map((client) => client.closeCode))]).toEqual([way.seen]);
  });

  it('when a newer connection with the same key takes its place', async () => {
    const application = await CountingApplication.start();
    const node = await startWatchedNode(application, { workers: 2 });
    const target = { port: node.addresses.public.port };
    const older = await openCrowd({ target, count: COUNT, key: keyOf, channels: channelsOf });
    const olderIds = new Set(application.admitted.keys());
    const newer = await openCrowd({ target, count: COUNT, key: keyOf });
    await Promise.all(older.map((client) => client.closed));
    expect([...new Set(older.map((client) => client.closeCode))]).toEqual([4409]);
    await endsTold(application, COUNT);
    expect(newer.filter((client) => client.open)).toHaveLength(COUNT);
    for (const client of newer) client.close();
    const expected = ({ connection }: { readonly connection: string }) =>
      olderIds.has(connection) ? { reason: 'replaced', code: 4409 } : { reason: 'client_close', code: 1000 };
    await endsTold(application, 2 * COUNT);
    expect(await stopAndCheck(node, application, { expected })).toEqual([]);
  });

  it('when the client is too slow', async () => {
    const application = await CountingApplication.start();
    // A unix socket holds much less than the kernel gives to TCP, so that 1,000 can be stalled.
    const socketPath = join(temporaryFolder(), 'node.sock');
    const node = await startWatchedNode(application, {
      sock: socketPath,
      app: { listen: '127.0.0.1:0' },
      slow_client: { policy: 'close', queue_bytes: 65_536 },
    });
    const clients = await openCrowd({
      target: { socketPath },
      count: COUNT,
      key: keyOf,
      channels: () => ['all'],
    });
    for (const client of clients) client.socket.pause();
    const body = Buffer.alloc(32_768, 'x');
    for (let delivered = COUNT; delivered > 0; ) {
      const answer = await post(`${node.addresses.app?.url}/send`, ['X-Kuiperbelt-Channel', 'all'], body);
      delivered = (answer.json() as { channels: { delivered: number }[] }).channels[0]?.delivered ?? 0;
    }
    await endsTold(application, COUNT);
    for (const client of clients) client.destroy();
    const expected = () => ({ reason: 'slow', code: 1013 });
    expect(await stopAndCheck(node, application, { expected })).toEqual([]);
  });
});

describe(`${COUNT} connections that were admitted and never opened are told once each`, () => {
  const expected = () => ({ reason: 'not_established', code: 1006 });

  it('when the establish callback refuses', async () => {
    const application = await CountingApplication.start();
    application.establishStatus = 403;
    const node = await startWatchedNode(application, {
      callback: { establish: application.url('establish') },
    });
    const target = { port: node.addresses.public.port };
    const clients = await openCrowd({ target, count: COUNT, key: keyOf, channels: channelsOf });
    await Promise.all(clients.map((client) => client.closed));
    expect([...new Set(clients.map((client) => client.closeCode))]).toEqual([1008]);
    await endsTold(application, COUNT);
    const refused = () => ({ reason: 'not_established', code: 1008 });
    expect(await stopAndCheck(node, application, { expected: refused })).toEqual([]);
  });

  it('when the client leaves before the 101', async () => {
    const application = await CountingApplication.start();
    const gate = closedGate();
    application.decide = () => gate.opened;
    const node = await startWatchedNode(application);
    const clients = askToConnect(node);
    await application.asked.reaches(COUNT);
    for (const client of clients) client.destroy();
    await Promise.all(clients.map((client) => client.closed));
    gate.open();
    await endsTold(application, COUNT);
    // Whether the node hears of the client's leaving or of the application's answer first is open.
    expect(await stopAndCheck(node, application, { expected: () => undefined })).toEqual([]);
    const reasons = new Set([...application.ends.values()].map(({ reason }) => reason));
    reasons.delete('client_gone');
    expect([...reasons]).toEqual(['not_established']);
  });

  it('when the application answers after callback.timeout', async () => {
    const application = await CountingApplication.start();
    const gate = closedGate();
    application.decide = () => gate.opened;
    const node = await startWatchedNode(application, { callback: { timeout: '3s' } });
    const clients = askToConnect(node);
    await application.asked.reaches(COUNT);
    await Promise.all(clients.map((client) => client.closed));
    gate.open();
    await endsTold(application, COUNT);
    expect(await stopAndCheck(node, application, { expected })).toEqual([]);
  });

  it('when the node is stopped meanwhile', async () => {
    const application = await CountingApplication.start();
    const gate = closedGate();
    application.decide = () => gate.opened;
    const node = await startWatchedNode(application, { workers: 2 });
    const clients = askToConnect(node);
    await application.asked.reaches(COUNT);
    const stopped = node.waitForLog((line) => line.msg === 'stop requested');
    const checked = stopAndCheck(node, application, { expected: () => undefined });
    await stopped;
    gate.open();
    expect(await checked).toEqual([]);
    await Promise.all(clients.map((client) => client.closed));
    expect(application.admitted.size).toBe(COUNT);
  });
});

describe(`${COUNT} ends while the application is away`, () => {
  const expected = () => ({ reason: 'client_close', code: 1000 });

  it('arrive once each after it said 503', async () => {
    const application = await CountingApplication.start();
    const node = await startWatchedNode(application);
    const target = { port: node.addresses.public.port };
    const clients = await openCrowd({ target, count: COUNT, key: keyOf });
    application.busy = true;
    for (const client of clients) client.close();
    await application.turnedAway.reaches(3 * COUNT);
    application.busy = false;
    await endsTold(application, COUNT);
    expect(await stopAndCheck(node, application, { expected, retried: true })).toEqual([]);
  });

  it('arrive once each after it refused connections', async () => {
    const application = await CountingApplication.start();
    const node = await startWatchedNode(application);
    const target = { port: node.addresses.public.port };
    const clients = await openCrowd({ target, count: COUNT, key: keyOf });
    await application.goAway();
    for (const client of clients) client.close();
    await node.log.atLeast(2 * COUNT, (line) => line.msg.startsWith('the close callback failed'), 60_000);
    expect(application.ends.size).toBe(0);
    await application.comeBack();
    await endsTold(application, COUNT);
    expect(await stopAndCheck(node, application, { expected })).toEqual([]);
  });
});

describe('the oracle', () => {
  it('sees each kind of fault', () => {
    const admitted = new Map([['c1', { connection: 'c1', key: 'k1' }]]);
    const end = { eventId: 'c1.closed', connection: 'c1', key: 'k1', reason: 'idle', code: 1001 };
    const told = { ...end, requests: 1, accepted: 1 };
    const faults = (ends: (typeof told)[], expectation: ExpectedEnd | null = end) =>
      endFaults({
        admitted,
        ends: new Map(ends.map((one) => [one.eventId, one])),
        contradictions: [],
        expected: () => expectation,
      }).map((fault) => fault.slice(0, 14));
    expect(faults([told])).toEqual([]);
    expect(faults([])).toEqual(['ghost: k1 (c1)']);
    expect(faults([told, { ...told, eventId: 'other' }])).toEqual(['2 event ids fo']);
    expect(faults([{ ...told, requests: 2, accepted: 2 }])).toEqual(['k1: told 2 tim']);
    expect(faults([{ ...told, key: 'k2' }])).toEqual(['key k2 instead']);
    expect(faults([{ ...told, reason: 'slow' }])).toEqual(['k1: slow 1001 ']);
    expect(faults([told], null)).toEqual(['told although ']);
    expect(faults([told, { ...told, eventId: 'c2.closed', connection: 'c2' }])).toEqual(['never admitted']);
  });
});

/** Handshakes whose answers nobody waits for. */
function askToConnect(node: RunningNode): LightClient[] {
  const { port } = node.addresses.public;
  return Array.from({ length: COUNT }, (_, index) =>
    LightClient.ask({ port, path: connectPath(keyOf(index), channelsOf(index)) }),
  );
}

/** A decision that waits until the gate is opened. */
function closedGate(): { readonly opened: Promise<'admit'>; open(): void } {
  let open: () => void = () => {};
  const opened = new Promise<'admit'>((resolve) => {
    open = () => resolve('admit');
  });
  return { opened, open };
}
