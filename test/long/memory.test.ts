/**
 * What a node holds is bounded: by who is connected, and by what the configuration allows to wait.
 *
 * Heap and buffers are read from `/metrics` right after a collection of garbage, so that they say
 * what is held and not what has been left lying.
 */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  keepAliveAgent,
  type LightClient,
  post,
  type RunningNode,
  request,
  temporaryFolder,
} from '../support/index.ts';
import { AwaitedNumber } from './awaited-number.ts';
import { CountingApplication } from './counting-application.ts';
import { inLanes, openCrowd } from './crowd.ts';
import { figuresByWorker } from './figures.ts';
import { gatewayRun } from './node-processes.ts';
import { endsTold, startWatchedNode, stopAndCheck } from './watched-node.ts';

const MIB = 1_048_576;
const COLLECTOR = new URL('clients/collect-garbage.mjs', import.meta.url).href;
const ENV = { NODE_OPTIONS: `--import ${COLLECTOR}` };

/** Bytes that the only gateway worker holds, on its heap and in buffers. */
async function heldBytes(node: RunningNode): Promise<number> {
  const { pid } = gatewayRun(node, 0);
  const isCollected = (line: { readonly msg: string; readonly pid?: unknown }) =>
    line.msg === 'garbage collected' && line.pid === pid;
  const before = node.log.items.filter(isCollected).length;
  process.kill(pid, 'SIGUSR2');
  await node.log.atLeast(before + 1, isCollected);
  const heap = await figuresByWorker(node, 'nodejs_heap_size_used_bytes');
  const buffers = await figuresByWorker(node, 'nodejs_external_memory_bytes');
  return (heap.get('gateway/0') ?? Number.NaN) + (buffers.get('gateway/0') ?? Number.NaN);
}

describe('clients that come and go', () => {
  it('leave nothing behind', async () => {
    const application = await CountingApplication.start();
    const node = await startWatchedNode(application, { api: { listen: '127.0.0.1:0' } }, { env: ENV });
    const target = { port: node.addresses.public.port };
    const perRound = 500;
    const round = async (number: number): Promise<void> => {
      const key = (index: number) => `round-${number}-${index}`;
      const channels = (index: number) => (index % 2 === 0 ? ['all', `room-${number}`] : []);
      const clients = await openCrowd({ target, count: perRound, key, channels });
      clients.forEach((client, index) => {
        if (index % 3 === 0) client.close();
        else if (index % 3 === 1) client.end();
        else client.reset();
      });
      await Promise.all(clients.map((client) => client.closed));
      await endsTold(application, (number + 1) * perRound);
    };
    const warmUp = 20;
    for (let number = 0; number < warmUp; number++) await round(number);
    const before = await heldBytes(node);
    for (let number = warmUp; number < 200; number++) await round(number);
    const after = await heldBytes(node);
    console.log(`100,000 connects: ${(before / MIB).toFixed(2)} MiB, then ${(after / MIB).toFixed(2)} MiB`);
    // 90,000 connections have come and gone in between: 24 bytes of each would be noticed.
    expect(after - before).toBeLessThan(2 * MIB);
    expect(await stopAndCheck(node, application, { expected: () => undefined })).toEqual([]);
  });
});

const STALLED = 20;
const MESSAGES = 100;
const MESSAGE_BYTES = 65_536;
const QUEUE_BYTES = MIB;

interface Policy {
  readonly policy: 'close' | 'drop_oldest' | 'drop_newest';
  /** What `/send` says of a full queue, once or more often. */
  readonly errors: readonly string[];
  /** What all stalled clients together may make the worker hold. */
  readonly heldBytesMax: number;
}

/** The queue, and the one write that is in the hands of the kernel, for each of them; and 4 MiB of slack. */
const QUEUES_BYTES = STALLED * (QUEUE_BYTES + 2 * MESSAGE_BYTES) + 4 * MIB;

const policies: readonly Policy[] = [
  {
    policy: 'close',
    errors: ['kuiperbelt: session is closed', 'kuiperbelt: session is not found'],
    heldBytesMax: 4 * MIB,
  },
  { policy: 'drop_oldest', errors: [], heldBytesMax: QUEUES_BYTES },
  { policy: 'drop_newest', errors: ['context deadline exceeded'], heldBytesMax: QUEUES_BYTES },
];

describe('stalled clients', () => {
  it.each(policies)('are held within bounds and delay nobody ($policy)', async (policy) => {
    const application = await CountingApplication.start();
    // A unix socket takes much less than TCP before it stalls.
    const socketPath = join(temporaryFolder(), 'node.sock');
    const config = {
      sock: socketPath,
      app: { listen: '127.0.0.1:0' },
      api: { listen: '127.0.0.1:0' },
      slow_client: { policy: policy.policy, queue_bytes: QUEUE_BYTES },
    };
    const node = await startWatchedNode(application, config, { env: ENV });
    const seen = new Map<LightClient, number[]>();
    const progress = new AwaitedNumber('messages of the healthy client');
    const message = (client: LightClient, text: string) => {
      const numbers = seen.get(client);
      if (numbers === undefined) progress.add(1);
      else numbers.push(Number.parseInt(text, 10));
    };
    const target = { socketPath, message };
    const stalled = await openCrowd({ target, count: STALLED, key: (index) => `stalled-${index}` });
    await openCrowd({ target, count: 1, key: () => 'healthy' });
    for (const client of stalled) {
      seen.set(client, []);
      client.socket.pause();
    }
    const before = await heldBytes(node);
    const errors = await sendToAll(node, progress);
    const after = await heldBytes(node);
    console.log(`${policy.policy}: ${((after - before) / MIB).toFixed(2)} MiB held for ${STALLED} clients`);
    expect([...errors].sort()).toEqual(policy.errors);
    expect(after - before).toBeLessThan(policy.heldBytesMax);

    for (const client of stalled) client.socket.resume();
    if (policy.policy === 'close') {
      await endsTold(application, STALLED);
      expect(new Set([...application.ends.values()].map(({ reason }) => reason))).toEqual(new Set(['slow']));
    } else {
      await lastMessages(node, stalled, seen);
      for (const numbers of seen.values()) expectOrder(numbers, policy.policy);
      expect((await heldBytes(node)) - before).toBeLessThan(4 * MIB);
    }
    expect(await stopAndCheck(node, application, { expected: () => undefined })).toEqual([]);
  });
});

/** Sends to each stalled client, and after each message to the healthy one, which must get it. */
async function sendToAll(node: RunningNode, progress: AwaitedNumber): Promise<Set<string>> {
  const errors = new Set<string>();
  const agent = keepAliveAgent(4);
  const url = `${node.addresses.app?.url}/send`;
  for (let number = 1; number <= MESSAGES; number++) {
    const body = Buffer.alloc(MESSAGE_BYTES, `${number} `);
    await inLanes(4, STALLED, async (index) => {
      const headers = ['X-Kuiperbelt-Session', `stalled-${index}`];
      const answer = await request({ url, headers, body, agent });
      const refused = (answer.json() as { errors?: { error: string }[] }).errors ?? [];
      for (const { error } of refused) errors.add(error);
    });
    const answer = await request({ url, headers: ['X-Kuiperbelt-Session', 'healthy'], body: 'hi', agent });
    expect(answer.json()).toEqual({ result: 'OK' });
    await progress.reaches(number);
  }
  agent.destroy();
  return errors;
}

/** Sends one more message behind everything that waits, and resolves when each has got it. */
async function lastMessages(
  node: RunningNode,
  stalled: readonly LightClient[],
  seen: ReadonlyMap<LightClient, readonly number[]>,
): Promise<void> {
  const behind = () => stalled.some((client) => seen.get(client)?.at(-1) !== MESSAGES + 1);
  const headers = stalled.flatMap((_, index) => ['X-Kuiperbelt-Session', `stalled-${index}`]);
  const giveUpAtMs = performance.now() + 30_000;
  // While a queue is still full the newest message may be dropped again, so it is repeated.
  while (behind() && performance.now() < giveUpAtMs) {
    await post(`${node.addresses.app?.url}/send`, headers, String(MESSAGES + 1));
  }
  expect(behind()).toBe(false);
}

/** In order; the oldest or the newest are missing, as the policy says. */
function expectOrder(numbers: readonly number[], policy: 'drop_oldest' | 'drop_newest'): void {
  const sent = numbers.filter((number) => number <= MESSAGES);
  expect(sent).toEqual([...sent].sort((left, right) => left - right));
  expect(new Set(sent).size).toBe(sent.length);
  expect(sent.length).toBeLessThan(MESSAGES);
  expect(sent[0]).toBe(1);
  const contiguous = sent.every((number, index) => number === index + 1);
  expect(contiguous).toBe(policy === 'drop_newest');
  expect(sent.at(-1) === MESSAGES).toBe(policy === 'drop_oldest');
}
