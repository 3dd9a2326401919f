/**
 * A worker whose process stands still: it is found, killed and replaced, and its clients are accounted for.
 */
import { expect, test } from 'vitest';
import { LightClient, type LogLine, request, startApplication, startNode } from '../support/index.ts';

const isReady = (kind: string, run: number) => (line: LogLine) =>
  line.msg === 'worker ready' && line.kind === kind && line.run === run;

test('a stopped gateway is killed and replaced, and its clients end as `worker_lost`', async () => {
  const application = await startApplication();
  const { connect, close } = application.callback;
  const api = { listen: '127.0.0.1:0' };
  const config = { callback: { connect, close }, api, worker_hang_timeout: '2s' };
  const node = await startNode({ config });
  const { port } = node.addresses.public;
  const client = await LightClient.open({ port, path: '/connect?key=ann' });
  const first = await node.waitForLog(isReady('gateway', 1));
  process.kill(Number(first.workerPid), 'SIGSTOP');

  const killed = await node.waitForLog((line) => line.code === 'WORKER_HUNG', 30_000);
  expect(killed).toMatchObject({ kind: 'gateway', slot: 0, run: 1, workerPid: first.workerPid });
  await client.closed;
  expect(client.closeCode).toBe(null);
  const [call] = await application.waitFor('close', 1, 30_000);
  expect(call?.session).toBe('ann');
  expect(call?.header('X-Arrokoth-Reason')).toBe('worker_lost');
  await node.waitForLog(isReady('gateway', 2), 30_000);
  const next = await LightClient.open({ port, path: '/connect?key=bob' });
  const page = await request({ url: `${node.addresses.api?.url}/metrics` });
  expect(page.text).toContain('arrokoth_workers_hung_total{worker="api/0"} 1\n');
  next.socket.destroy();
});

test('so is a stopped api worker', async () => {
  const config = { api: { listen: '127.0.0.1:0' }, worker_hang_timeout: '2s' };
  const node = await startNode({ config });
  const first = await node.waitForLog(isReady('api', 1));
  process.kill(Number(first.workerPid), 'SIGSTOP');
  await node.waitForLog(isReady('api', 2), 30_000);
  const page = await request({ url: `${node.addresses.api?.url}/metrics` });
  expect(page.text).toContain('arrokoth_workers_hung_total{worker="api/0"} 1\n');
});
