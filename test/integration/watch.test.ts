/** `arrokoth watch` at a real node with two workers: a session that comes later, a worker that is new. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import {
  openWebSocket,
  post,
  ROOT,
  type RunningNode,
  startApplication,
  startNode,
} from '../support/index.ts';

const SECRET = 'a secret that no line may hold';

/** The command line, in the folder of the node. */
function arrokoth(node: RunningNode, ...words: string[]) {
  const program = join(ROOT, 'dist/main/arrokoth.js');
  return spawnSync(process.execPath, [program, ...words], { cwd: node.folder, encoding: 'utf8' });
}

function steps(node: RunningNode, connection: unknown): unknown[] {
  const lines = node.log.items.filter(({ msg }) => msg === 'watched');
  return lines.filter((line) => line.connection === connection).map(({ step }) => step);
}

test('every step of a watched session is logged, on whichever worker it is', async () => {
  const application = await startApplication();
  const node = await startNode({ config: { workers: 2, callback: application.callback } });
  const { port, url } = node.addresses.public;
  const done = arrokoth(node, 'watch', 'alice', '--for', '10m', '--config', 'config.yml');
  expect(done).toMatchObject({ status: 0, stdout: expect.stringContaining('"alice" for 600 s') });

  const converse = async (key: string): Promise<void> => {
    const headers = ['Authorization', SECRET, 'Cookie', SECRET];
    const client = await openWebSocket({
      port,
      path: `/connect?key=${key}&token=${SECRET.replaceAll(' ', '')}`,
      headers,
    });
    client.sendText(SECRET);
    await application.waitForCall((call) => call.kind === 'receive' && call.session === key);
    await post(`${url}/send`, ['X-Kuiperbelt-Session', key], SECRET);
    expect(await client.nextText()).toBe(SECRET);
    client.sendClose(1000);
    await client.closed;
  };
  await converse('bob');
  await converse('alice');
  const closed = await node.waitForLog((line) => line.step === 'close answered');
  // A client may speak before the application has agreed to it.
  expect(steps(node, closed.connection).sort()).toEqual(
    [
      'admitted',
      '101',
      'establish answered',
      'open',
      'message from the client',
      'receive answered',
      'message to the client',
      'ended',
      'close answered',
    ].sort(),
  );
  const lines = node.log.items.filter(({ msg }) => msg === 'watched');
  for (const line of lines)
    expect(line).toMatchObject({ key: 'alice', level: 'info', trace_id: expect.any(String) });
  expect(JSON.stringify(lines)).not.toContain('secret');

  // Whoever takes the place of a worker is told.
  const isReady = (line: { msg: string; kind?: unknown }) =>
    line.msg === 'worker ready' && line.kind === 'gateway';
  const before = node.log.items.filter(isReady);
  for (const { workerPid } of before) process.kill(Number(workerPid), 'SIGKILL');
  await node.log.atLeast(before.length + 2, isReady);
  const again = await openWebSocket({ port, path: '/connect?key=alice' });
  await node.waitForLog((line) => line.step === 'open' && line.connection !== closed.connection);

  expect(arrokoth(node, 'watch', 'alice', '--stop', '--data-dir', 'data').stdout).toBe(
    'Nothing is watched.\n',
  );
  again.sendClose(1000);
  await again.closed;
  await application.waitFor('close', 3);
  await openWebSocket({ port, path: '/connect?key=alice' });
  await application.waitFor('establish', 4);
  expect(node.log.items.filter(({ step }) => step === 'admitted')).toHaveLength(2);
});

test('a wrong time and a node that is not there are refused in words', async () => {
  const application = await startApplication();
  const node = await startNode({ config: { callback: application.callback } });
  for (const time of ['2h', '0s', 'soon', '10']) {
    const done = arrokoth(node, 'watch', 'alice', '--for', time, '--config', 'config.yml');
    expect(done.status).toBe(2);
    expect(done.stderr).toContain('A time is a number and s, m or h');
  }
  const absent = arrokoth(node, 'watch', 'alice', '--data-dir', 'nowhere');
  expect(absent).toMatchObject({ status: 2, stderr: expect.stringContaining('No node runs') });
});
