/**
 * What clients see when their node ends, and that nothing of it is left.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { LightClient, type RunningNode, startApplication, startNode } from '../support/index.ts';

const CLIENTS = 20;

/** A node with clients; every process of it ends with the test. */
async function nodeWithClients(workers: number): Promise<{ node: RunningNode; clients: LightClient[] }> {
  const application = await startApplication();
  const { connect } = application.callback;
  const node = await startNode({
    config: { workers, callback: { connect }, api: { listen: '127.0.0.1:0' } },
  });
  const { port } = node.addresses.public;
  const clients = await Promise.all(Array.from({ length: CLIENTS }, () => LightClient.open({ port })));
  return { node, clients };
}

const closeCodes = async (clients: readonly LightClient[]): Promise<unknown[]> => {
  await Promise.all(clients.map((client) => client.closed));
  return clients.map((client) => client.closeCode);
};

/** What has ended and waits to be noticed by its parent counts as gone. */
function isAlive(pid: number): boolean {
  try {
    return !/^State:\tZ/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

describe('a node of one worker, and of two', () => {
  test.each([1, 2])('tells its clients that it stops (%i)', async (workers) => {
    const { node, clients } = await nodeWithClients(workers);
    const pids = node.workers();
    const ended = node.stop();
    expect(await closeCodes(clients)).toEqual(Array(CLIENTS).fill(1001));
    expect((await ended).code).toBe(0);
    expect(pids.filter(isAlive)).toEqual([]);
  });

  test.each([1, 2])('tells its clients when its supervisor is killed, and goes (%i)', async (workers) => {
    const { node, clients } = await nodeWithClients(workers);
    const pids = node.workers();
    expect(pids).toHaveLength(workers + 1);
    await node.kill();
    expect(await closeCodes(clients)).toEqual(Array(CLIENTS).fill(1012));
    await expect.poll(() => pids.filter(isAlive), { timeout: 8_000 }).toEqual([]);
  });

  test('ends at once at the second signal', async () => {
    const { node, clients } = await nodeWithClients(1);
    // A client that answers nothing would hold a drain up to its bound.
    for (const client of clients) client.socket.pause();
    const ended = node.stop();
    await node.waitForLog((line) => line.msg === 'stop requested');
    const { code } = await node.stop();
    expect(code).toBe(143);
    await ended;
    expect(node.workers()).toEqual([]);
  });
});
