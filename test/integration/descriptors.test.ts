/**
 * A real node with few descriptors under a flood of sockets: it answers, it does not spin, its clients
 * and the application notice nothing, and afterwards everything works.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { expect, test } from 'vitest';
import {
  cleanUpAfterwards,
  LightClient,
  post,
  request,
  startApplication,
  startNode,
} from '../support/index.ts';

/** Half of them are kept in reserve. */
const DESCRIPTORS = 400;
const FLOOD = 1_500;
const ROUNDS = 20;

/** Sockets that say nothing, and what they were told. */
class Flood {
  readonly sockets: Socket[] = [];
  answers: string[] = [];
  open = 0;
  settled = 0;

  constructor(port: number) {
    cleanUpAfterwards(() => this.stop());
    for (let count = 0; count < FLOOD; count++) {
      const socket = connect(port, '127.0.0.1', () => this.open++);
      let text = '';
      socket.setEncoding('latin1').on('data', (chunk) => {
        text += chunk;
      });
      socket.on('error', () => {});
      socket.on('close', () => {
        this.settled++;
        if (text !== '') this.answers.push(text);
      });
      this.sockets.push(socket);
    }
  }

  stop(): void {
    for (const socket of this.sockets) socket.destroy();
  }
}

/** How often the process had nothing to do and waited; one that spins never does. */
function waits(pid: number): number {
  return Number(/^voluntary_ctxt_switches:\s+(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
}

test('a flood of sockets meets an answer or its end, and nobody else does', async () => {
  const application = await startApplication();
  const { connect: connectUrl, receive, close } = application.callback;
  const node = await startNode({
    config: {
      callback: { connect: connectUrl, receive, close },
      app: { listen: '127.0.0.1:0' },
      api: { listen: '127.0.0.1:0' },
      limits: { handshake_timeout: '60s' },
    },
    descriptorsMax: DESCRIPTORS,
  });
  const { port } = node.addresses.public;
  const ready = await node.waitForLog((line) => line.msg === 'worker ready' && line.kind === 'gateway');
  const worker = Number(ready.workerPid);
  const clients = await Promise.all(
    Array.from({ length: 20 }, (_, number) => LightClient.open({ port, path: `/connect?key=k${number}` })),
  );

  const flood = new Flood(port);
  // Half of the descriptors are left to sockets like these, less those that were taken before.
  await expect.poll(() => flood.settled, { timeout: 30_000 }).toBeGreaterThan(FLOOD - DESCRIPTORS / 2);
  expect(flood.sockets.filter((socket) => !socket.destroyed).length).toBeGreaterThan(DESCRIPTORS / 4);
  expect(flood.answers.length).toBeGreaterThan(0);
  for (const answer of flood.answers) {
    expect(answer).toMatch(/^HTTP\/1\.1 503 Service Unavailable\r\n[\s\S]*\r\nRetry-After: [1-9]/);
  }

  // The application reaches its clients, and they reach it.
  const url = `${node.addresses.app?.url}/send`;
  const waitsBefore = waits(worker);
  for (let round = 0; round < ROUNDS; round++) {
    for (let number = 0; number < 20; number += 5) {
      expect((await post(url, ['X-Kuiperbelt-Session', `k${number}`], 'hi')).status).toBe(200);
    }
    await LightClient.open({ port }).catch(() => null);
  }
  expect(waits(worker) - waitsBefore).toBeGreaterThan(ROUNDS);
  await expect.poll(() => clients[0]?.messages).toBe(ROUNDS);
  clients[7]?.sendText('hello');
  expect((await application.waitFor('receive', 1))[0]?.session).toBe('k7');
  expect(clients.every((client) => client.open)).toBe(true);
  const page = (await request({ url: `${node.addresses.api?.url}/metrics` })).text;
  expect(page).toMatch(/arrokoth_descriptor_refusals_total\{outcome="answered",worker="gateway\/0"\} [1-9]/);

  flood.stop();
  const newcomer = async () => LightClient.open({ port, path: '/connect?key=new' }).then(() => 'in', String);
  await expect.poll(newcomer, { timeout: 50_000 }).toBe('in');
  const lines = await node.log.atLeast(1, (line) => line.msg === 'no descriptors are left for clients');
  expect(lines.length).toBeLessThan(FLOOD / 10);
});

/** CPU seconds of a process so far. */
function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

function limitDescriptors(pid: number, limit: string): void {
  const { status, stderr } = spawnSync('prlimit', [`--pid=${pid}`, `--nofile=${limit}`], {
    encoding: 'utf8',
  });
  expect(status, stderr).toBe(0);
}

test('a worker whose limit is lowered stops accepting until there is room, and does not spin', async () => {
  const application = await startApplication();
  const node = await startNode({ config: { callback: { connect: application.callback.connect } } });
  const { port } = node.addresses.public;
  const ready = await node.waitForLog((line) => line.msg === 'worker ready' && line.kind === 'gateway');
  const worker = Number(ready.workerPid);
  const client = await LightClient.open({ port, path: '/connect?key=k1' });
  const [before] =
    /^Max open files\s+(\d+)/m.exec(readFileSync(`/proc/${worker}/limits`, 'utf8'))?.slice(1) ?? [];
  // The three that every process has: not even the descriptor that libuv keeps for this helps.
  limitDescriptors(worker, '3:');

  const waiting = LightClient.open({ port, path: '/connect?key=k2' });
  await node.waitForLog((line) => line.msg === 'the process can open nothing more and stops accepting');
  const beganAt = performance.now();
  const usedBefore = cpuSeconds(worker);
  const waitsBefore = waits(worker);
  await expect.poll(() => waits(worker) - waitsBefore, { timeout: 20_000 }).toBeGreaterThan(5);
  expect(cpuSeconds(worker) - usedBefore).toBeLessThan(0.5 * ((performance.now() - beganAt) / 1_000) + 0.2);
  expect(client.open).toBe(true);

  limitDescriptors(worker, `${before}:`);
  expect((await waiting).open).toBe(true);
  const newcomer = await LightClient.open({ port, path: '/connect?key=k3' });
  expect(newcomer.open).toBe(true);
});
