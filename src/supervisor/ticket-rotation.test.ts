/** Ticket keys of a node, over fake processes and fake time. */
import { describe, expect, test } from 'vitest';
import { LIMITS } from '../base/index.ts';
import { FakeNode } from './testdata/fake-node.ts';

/** Keys that count themselves. */
function makeTls() {
  let drawn = 1;
  const material = { certificates: [], clientCa: null };
  return {
    forWorker: () => ({ material, ticketKeys: `keys ${drawn}` }),
    nextTicketKeys: () => `keys ${++drawn}`,
  };
}

describe('ticket keys', () => {
  test('are the same for all workers, also for one that comes later', async () => {
    const node = new FakeNode('workers: 2\n', { tls: makeTls() });
    await node.serve();
    node.worker(0).end();
    node.time.advance(LIMITS.workerRestartMs);
    expect(node.spawned.map(({ init }) => init?.tls?.ticketKeys)).toEqual(['keys 1', 'keys 1', 'keys 1']);
  });

  test('are drawn anew in time, and told to those who are still starting, too', async () => {
    const node = new FakeNode('workers: 2\nworker_hang_timeout: 0s\n', { tls: makeTls() });
    await node.serve();
    node.time.advance(LIMITS.ticketKeysMs - 2 * LIMITS.workerRestartMs);
    node.worker(0).end();
    node.time.advance(LIMITS.workerRestartMs);
    expect(node.newest.init?.tls?.ticketKeys).toBe('keys 1');
    node.time.advance(LIMITS.workerRestartMs);
    for (const worker of node.alive()) {
      expect(worker.got('ticket_keys')).toEqual([{ type: 'ticket_keys', ticketKeys: 'keys 2' }]);
    }
    expect(node.alive()).toHaveLength(2);
    await node.supervisor.stop('SIGTERM');
  });

  test("are nobody's where no listener speaks TLS", async () => {
    const node = new FakeNode('worker_hang_timeout: 0s\n');
    await node.serve();
    node.time.advance(LIMITS.ticketKeysMs);
    expect(node.worker(0).init?.tls).toBeNull();
    expect(node.worker(0).got('ticket_keys')).toEqual([]);
  });
});
