/**
 * How a node stops, dies, hangs and comes back, as its operator and its clients see it.
 *
 * The only times that are asserted are promises of the documentation: 15 s for an idle node after
 * SIGTERM, 8 s for all processes of a node whose supervisor was killed.
 */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  freePort,
  HandshakeRefused,
  LightClient,
  type LightTarget,
  mountSmallDisk,
  post,
  type RunningNode,
  request,
  startNode,
  temporaryFolder,
} from '../support/index.ts';
import { CountingApplication } from './counting-application.ts';
import { connectPath, openCrowd } from './crowd.ts';
import { gatewayRun, isRunning, journalsLeft } from './node-processes.ts';
import { endsTold, startWatchedNode, stopAndCheck } from './watched-node.ts';

const COUNT = 100;
const keyOf = (index: number): string => `client-${index}`;

function openClients(node: RunningNode): Promise<LightClient[]> {
  return openCrowd({ target: { port: node.addresses.public.port }, count: COUNT, key: keyOf });
}

/** What a connect is answered with at this moment. */
async function statusOfConnect(target: LightTarget, key: string): Promise<number> {
  try {
    const client = await LightClient.open({ ...target, path: connectPath(key) });
    client.destroy();
    return 101;
  } catch (error) {
    if (!(error instanceof HandshakeRefused)) throw error;
    return error.status;
  }
}

/** Connects again and again until the answer is `wanted`; resolves with the other answers. */
async function connectUntil(target: LightTarget, wanted: number): Promise<Set<number>> {
  const others = new Set<number>();
  const giveUpAtMs = performance.now() + 30_000;
  for (let attempt = 0; ; attempt++) {
    const status = await statusOfConnect(target, `until-${wanted}-${attempt}`);
    if (status === wanted) return others;
    others.add(status);
    if (performance.now() > giveUpAtMs) throw new Error(`never ${wanted}, but ${[...others]}`);
  }
}

/** Sends to each client and resolves when each has got it. */
async function expectDelivery(node: RunningNode, clients: readonly LightClient[]): Promise<void> {
  const before = clients.map(({ messages }) => messages);
  const headers = clients.flatMap((_, index) => ['X-Kuiperbelt-Session', keyOf(index)]);
  const answer = await post(`${node.addresses.public.url}/send`, headers, 'hello');
  expect(answer.json()).toEqual({ result: 'OK' });
  const behind = () => clients.some(({ messages }, index) => messages !== (before[index] as number) + 1);
  const giveUpAtMs = performance.now() + 15_000;
  while (behind() && performance.now() < giveUpAtMs) await new Promise((resolve) => setImmediate(resolve));
  expect(behind()).toBe(false);
}

describe('a node that is asked to stop', () => {
  it.each([1, 4])('ends within 15 s when it is idle (%i workers)', async (workers) => {
    const application = await CountingApplication.start();
    const node = await startWatchedNode(application, { workers, api: { listen: '127.0.0.1:0' } });
    const pids = node.workers();
    const exit = await node.stop();
    expect(exit).toMatchObject({ code: 0, signal: null });
    expect(exit.ms).toBeLessThan(15_000);
    expect(pids.filter(isRunning)).toEqual([]);
  });

  it('is killed by the second signal, and what it owes is told by the next start', async () => {
    const application = await CountingApplication.start();
    const node = await startWatchedNode(application, { workers: 2, drain: { timeout: '10m' } });
    const clients = await openClients(node);
    const pids = node.workers();
    application.silent = true;
    const first = node.stop();
    await Promise.all(clients.map((client) => client.closed));
    // The drain would go on for ten minutes, because nobody answers.
    await node.stop();
    expect(await first).toMatchObject({ code: 143 });
    expect(pids.filter(isRunning)).toEqual([]);
    application.silent = false;
    const restarted = await startWatchedNode(application, {}, { folder: node.folder });
    await endsTold(application, COUNT);
    const expected = () => ({ reason: 'drain', code: 1001 });
    const check = { expected, repetitionAllowed: () => true };
    expect(await stopAndCheck(restarted, application, check)).toEqual([]);
  });
});

describe('a node whose supervisor is killed', () => {
  it('tells its clients 1012 and is gone within 8 s', async () => {
    const application = await CountingApplication.start();
    const node = await startWatchedNode(application, { workers: 3, api: { listen: '127.0.0.1:0' } });
    const clients = await openClients(node);
    const pids = node.workers();
    expect(pids).toHaveLength(4);
    const exit = await node.kill();
    // All of them hold the pipe of the log, so its end is the end of all of them.
    expect(exit.ms).toBeLessThan(8_000);
    expect(pids.filter(isRunning)).toEqual([]);
    await Promise.all(clients.map((client) => client.closed));
    expect(clients.map(({ closeCode }) => closeCode)).toEqual(clients.map(() => 1012));
    expect(application.ends.size).toBe(0);
    const restarted = await startWatchedNode(application, { workers: 2 }, { folder: node.folder });
    await endsTold(application, COUNT);
    const expected = () => ({ reason: 'node_restarted', code: 1006 });
    expect(await stopAndCheck(restarted, application, { expected })).toEqual([]);
  });
});

describe('a node whose supervisor hangs', () => {
  it('admits nobody, keeps who is there, and heals', async () => {
    const application = await CountingApplication.start();
    const node = await startWatchedNode(application, { workers: 2, isolation_timeout: '1s' });
    const target = { port: node.addresses.public.port };
    const clients = await openClients(node);
    process.kill(node.pid, 'SIGSTOP');
    expect([...(await connectUntil(target, 503))]).toEqual([101]);
    await expectDelivery(node, clients);
    const answer = await request({
      url: `${node.addresses.public.url}/connect`,
      headers: [
        ...['Connection', 'Upgrade', 'Upgrade', 'websocket', 'Sec-WebSocket-Version', '13'],
        ...['Sec-WebSocket-Key', 'dGhlIHNhbXBsZSBub25jZQ=='],
      ],
    });
    expect(answer.status).toBe(503);
    expect(Number(answer.header('Retry-After'))).toBeGreaterThan(0);
    process.kill(node.pid, 'SIGCONT');
    expect([...(await connectUntil(target, 101))].filter((status) => status !== 503)).toEqual([]);
    await expectDelivery(node, clients);
    expect(clients.every((client) => client.open)).toBe(true);
    expect(await stopAndCheck(node, application, { expected: () => undefined })).toEqual([]);
  });
});

describe('a restart', () => {
  const stops = ['SIGTERM', 'SIGKILL', 'SIGKILL of the supervisor'] as const;

  async function end(node: RunningNode, how: (typeof stops)[number]): Promise<void> {
    if (how === 'SIGTERM') await node.stop();
    else await (how === 'SIGKILL' ? node.killAll() : node.kill());
  }

  it.each(stops)('takes the same port again after %s', async (how) => {
    const application = await CountingApplication.start();
    const port = await freePort();
    const node = await startWatchedNode(application, { port });
    await openClients(node);
    await end(node, how);
    const restarted = await startWatchedNode(application, { port }, { folder: node.folder });
    expect(restarted.addresses.public.port).toBe(port);
    expect(await statusOfConnect({ port }, 'again')).toBe(101);
    await restarted.stop();
  });

  it.each(stops)('takes the same unix socket again after %s', async (how) => {
    const application = await CountingApplication.start();
    const socketPath = join(temporaryFolder(), 'node.sock');
    const node = await startWatchedNode(application, { sock: socketPath });
    expect(await statusOfConnect({ socketPath }, 'first')).toBe(101);
    await end(node, how);
    const restarted = await startWatchedNode(application, { sock: socketPath }, { folder: node.folder });
    expect(await statusOfConnect({ socketPath }, 'again')).toBe(101);
    await restarted.stop();
  });
});

describe('a second node with the same data directory', () => {
  it('is refused, and the first one goes on', async () => {
    const application = await CountingApplication.start();
    const node = await startWatchedNode(application);
    const clients = await openClients(node);
    const config = { callback: application.callback, node: { data_dir: join(node.folder, 'data') } };
    await expect(startNode({ config })).rejects.toThrow('DATA_DIR_IN_USE');
    await expectDelivery(node, clients);
    expect(journalsLeft(node.folder)).not.toEqual([]);
    const expected = () => ({ reason: 'drain', code: 1001 });
    expect(await stopAndCheck(node, application, { expected })).toEqual([]);
  });
});

describe('a full disk', () => {
  it('stops admissions with 503, leaves those who are there alone, and loses no end', async () => {
    const application = await CountingApplication.start();
    const folder = temporaryFolder();
    const disk = mountSmallDisk(join(folder, 'data'));
    const node = await startWatchedNode(application, {}, { folder });
    const target = { port: node.addresses.public.port };
    const clients = await openClients(node);
    const pids = [gatewayRun(node, 0).pid];
    disk.fill(pids);
    await connectUntil(target, 503);
    expect(await statusOfConnect(target, 'full')).toBe(503);
    const leaving = clients.splice(COUNT / 2);
    for (const client of leaving) client.close();
    await expectDelivery(node, clients);
    await Promise.all(leaving.map((client) => client.closed));
    disk.empty(pids);
    await connectUntil(target, 101);
    console.log(`full disk: ${disk.kind}, ${application.admitted.size} admitted`);
    const expected = ({ key }: { readonly key: string }) => {
      if (!key.startsWith('client-')) return undefined;
      const stayed = Number(key.slice('client-'.length)) < COUNT / 2;
      return stayed ? { reason: 'drain', code: 1001 } : { reason: 'client_close', code: 1000 };
    };
    expect(await stopAndCheck(node, application, { expected })).toEqual([]);
  });
});
