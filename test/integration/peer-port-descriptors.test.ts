/**
 * The port of a replicated log whose process runs out of descriptors: callers are told, nothing spins,
 * the log goes on, and afterwards everything works.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { cleanUpAfterwards, temporaryFolder } from '../support/index.ts';
import { KvNode } from '../support/kv-node.ts';

const FLOOD = 600;
/** Half of them are kept in reserve. */
const DESCRIPTORS = 400;

function limit(pid: number, to: string): void {
  const { status, stderr } = spawnSync('prlimit', [`--pid=${pid}`, `--nofile=${to}`], { encoding: 'utf8' });
  expect(status, stderr).toBe(0);
}

/** CPU seconds of a process so far. */
function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

async function startNode(port: number): Promise<{ node: KvNode; pid: number }> {
  const dataDir = join(temporaryFolder(), 'data');
  const node = new KvNode({ cluster: 'c', host: '127.0.0.1', port, dataDir, flags: ['-initMaster'] });
  node.start();
  const pid = node.pids()[0] as number;
  await expect.poll(() => node.submit(['ADD×a×1'], 'first'), { timeout: 30_000 }).toBe('accepted');
  return { node, pid };
}

it('gives the port up when nothing can be opened, without spinning, and takes it again', async () => {
  const { node, pid } = await startNode(20_000 + (process.pid % 10_000));
  const port = Number(node.address.split(':')[1]);
  const sockets: Socket[] = [];
  cleanUpAfterwards(() => {
    for (const socket of sockets) socket.destroy();
  });
  const [soft] = /^Max open files\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/limits`, 'utf8'))?.slice(1) ?? [];

  // Not even the descriptor that libuv keeps for this helps.
  limit(pid, '3:');
  const waiting = connect(port, '127.0.0.1');
  waiting.on('error', () => {});
  sockets.push(waiting);
  await node.lines.first((line) => line.includes('is given up meanwhile'));
  const beganAt = performance.now();
  const used = cpuSeconds(pid);
  await expect.poll(() => performance.now() - beganAt, { timeout: 20_000 }).toBeGreaterThan(2_000);
  expect(cpuSeconds(pid) - used).toBeLessThan(0.5 * ((performance.now() - beganAt) / 1_000) + 0.2);

  limit(pid, `${soft}:`);
  await node.lines.first((line) => line.includes('is there again'));
  expect(await node.submit(['ADD×b×2'], 'second')).toBe('accepted');
  expect(await node.state()).toEqual({ a: '1', b: '2' });
});

it('tells callers beyond its reserve that there is no room, and keeps the reserve for the log', async () => {
  const dataDir = join(temporaryFolder(), 'data');
  const port = 30_000 + (process.pid % 10_000);
  const limited = new KvNode({ cluster: 'c', host: '127.0.0.1', port, dataDir, flags: ['-initMaster'] });
  limited.start();
  // Before it reads its limits: the start of a process takes longer than this call.
  limit(limited.pids()[0] as number, `${DESCRIPTORS}:${DESCRIPTORS}`);
  await expect.poll(() => limited.submit(['ADD×a×1'], 'first'), { timeout: 30_000 }).toBe('accepted');
  let answers = 0;
  let settled = 0;
  for (let count = 0; count < FLOOD; count++) {
    const socket = connect(port, '127.0.0.1');
    let text = '';
    socket.setEncoding('latin1').on('data', (chunk) => {
      text += chunk;
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      settled++;
      if (text.startsWith('HTTP/1.1 503 Service Unavailable\r\n')) answers++;
    });
    cleanUpAfterwards(() => void socket.destroy());
  }
  await expect.poll(() => settled, { timeout: 30_000 }).toBeGreaterThan(FLOOD - DESCRIPTORS);
  expect(answers).toBeGreaterThan(0);
  expect(limited.lines.items.join('\n')).toContain('no descriptors are left for clients');
  expect(limited.running).toBe(true);
});
