/**
 * A running node whose file changes: what is applied, what is refused, and that nobody is disconnected.
 */
import { spawn, spawnSync } from 'node:child_process';
import { appendFileSync, existsSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  cleanUpAfterwards,
  configure,
  handshake,
  killGroup,
  openWebSocket,
  post,
  type RawClient,
  ROOT,
  type RunningNode,
  reloadNode,
  request,
  startApplication,
  startNode,
  tellNode,
  temporaryFolder,
} from '../support/index.ts';

const OLD = 'application-token-old-0123456789';
const NEW = 'application-token-new-0123456789';
const api = { listen: '127.0.0.1:0' };

/** The command line, in the folder of the node. */
function arrokoth(node: RunningNode, ...words: string[]) {
  const program = join(ROOT, 'dist/main/arrokoth.js');
  return spawnSync(process.execPath, [program, ...words], {
    cwd: node.folder,
    env: { ...process.env, TMPDIR: node.folder },
    encoding: 'utf8',
  });
}

async function open(node: RunningNode, count: number): Promise<RawClient[]> {
  const { port } = node.addresses.public;
  const keys = Array.from({ length: count }, (_, number) => `key=client-${number}`);
  return await Promise.all(keys.map((key) => openWebSocket({ port, path: `/connect?${key}` })));
}

async function statusOf(node: RunningNode, token: string): Promise<number> {
  const headers = ['X-Kuiperbelt-Session', 'nobody', 'Authorization', `Bearer ${token}`];
  return (await post(`${node.addresses.public.url}/send`, headers)).status;
}

describe('a token', () => {
  test('is rotated by the command, one step after the other, and nothing is cut', async () => {
    const { callback } = await startApplication();
    const node = await startNode({ config: { workers: 2, callback, app: { token: OLD } } });
    const clients = await open(node, 8);
    const steps: [string | string[], number, number][] = [
      [[OLD, NEW], 200, 200],
      [NEW, 401, 200],
    ];
    for (const [token, ofOld, ofNew] of steps) {
      configure(node, { workers: 2, callback, app: { token } });
      const done = arrokoth(node, 'reload', '--config', 'config.yml');
      expect([done.status, done.stdout, done.stderr]).toEqual([0, 'Reloaded.\nApplied:\n  app.token\n', '']);
      // Several times each, so that both workers are met.
      for (let time = 0; time < 6; time++) {
        expect([await statusOf(node, OLD), await statusOf(node, NEW)]).toEqual([ofOld, ofNew]);
      }
    }
    const send = ['X-Kuiperbelt-Session', 'client-0', 'Authorization', `Bearer ${NEW}`];
    await post(`${node.addresses.public.url}/send`, send, 'still here');
    expect(await clients[0]?.nextText()).toBe('still here');
    for (const { socket } of clients) expect(socket.destroyed).toBe(false);
    const log = JSON.stringify(node.log.items);
    for (const secret of [OLD, NEW]) expect(log).not.toContain(secret);
  });
});

test('clients stay while their application is exchanged, by SIGHUP', async () => {
  const [first, second] = [await startApplication(), await startApplication()];
  const node = await startNode({ config: { workers: 2, callback: first.callback } });
  const clients = await open(node, 10);
  configure(node, { workers: 2, callback: second.callback });
  process.kill(node.pid, 'SIGHUP');
  const line = await node.waitForLog(({ msg }) => msg === 'configuration reloaded');
  const names = ['connect', 'establish', 'receive', 'close'].map((name) => `callback.${name}`);
  expect(line).toMatchObject({ applied: names, restart: [], late: [] });
  for (const client of clients) client.sendText('hello');
  await second.waitFor('receive', clients.length);
  for (const client of clients) client.sendClose(1000);
  await second.waitFor('close', clients.length);
  expect([first.calls('receive'), first.calls('close')]).toEqual([[], []]);
});

test('ekbo reads its file again, too, and its flags still win', async () => {
  const { callback } = await startApplication();
  const node = await startNode({ bin: 'ekbo', config: { callback }, args: ['-log-level', 'info'] });
  configure(node, { callback, log: { level: 'debug' }, strict_broadcast: true });
  expect(await reloadNode(node)).toMatchObject({ result: 'applied', applied: ['strict_broadcast'] });
});

describe('a file that is wrong', () => {
  test('changes nothing, and every mistake is named with line and key', async () => {
    const { callback } = await startApplication();
    const node = await startNode({ config: { workers: 2, callback, app: { token: OLD } } });
    const clients = await open(node, 4);
    configure(node, `host: 127.0.0.1\napp: { token: ${NEW} }\nlimits:\n  targets: many\nportt: 1\n`);
    const done = arrokoth(node, 'reload', '--data-dir', 'data');
    expect([done.status, done.stdout]).toEqual([1, '']);
    expect(done.stderr).toContain('Refused; nothing has changed.\n');
    expect(done.stderr).toContain(`${node.configFile}:4:3 limits.targets: expected a whole number`);
    expect(done.stderr).toContain(`${node.configFile}:5:1 portt: unknown key, did you mean port?`);
    expect(await statusOf(node, OLD)).toBe(200);
    expect(await statusOf(node, NEW)).toBe(401);
    for (const { socket } of clients) expect(socket.destroyed).toBe(false);
    // By the signal, the same is in the log only.
    process.kill(node.pid, 'SIGHUP');
    await node.log.atLeast(2, ({ msg }) => msg === 'the configuration is refused; nothing has changed');
    const place = `${node.configFile}:4:3 limits.targets: `;
    await node.waitForLog(
      ({ msg, problem }) => msg === 'configuration problem' && String(problem).startsWith(place),
    );
  });

  test('that would open a closed door is refused as long as the door is where it was', async () => {
    const { callback } = await startApplication();
    const closed = { listen: '0.0.0.0:0', token: OLD };
    const node = await startNode({ config: { callback, app: closed } });
    configure(node, { callback, app: { listen: '127.0.0.1:0' } });
    const { result, problems } = await reloadNode(node);
    expect([result, problems.join()]).toEqual([
      'refused',
      expect.stringContaining('app.listen: expected a token'),
    ]);
    const answer = await post(`${node.addresses.app?.url}/send`, ['X-Kuiperbelt-Session', 'nobody']);
    expect(answer.status).toBe(401);
  });
});

test('keys that need a restart are named each time, and not applied, to replacements neither', async () => {
  const { callback } = await startApplication();
  const node = await startNode({ config: { workers: 2, callback, api } });
  const changed = { workers: 3, callback, api, strict_broadcast: true, proxy_protocol: 'required' };
  configure(node, { ...changed, trusted_proxies: ['127.0.0.1'] });
  expect(await reloadNode(node)).toEqual({
    ...{ result: 'applied', applied: ['strict_broadcast', 'trusted_proxies'] },
    ...{ restart: ['proxy_protocol', 'workers'], problems: [], warnings: [], late: [] },
  });
  expect(await reloadNode(node)).toMatchObject({
    result: 'unchanged',
    restart: ['proxy_protocol', 'workers'],
  });
  const killed = node.workers()[0] as number;
  process.kill(killed, 'SIGKILL');
  await node.log.atLeast(4, ({ msg }) => msg === 'worker ready');
  expect(node.workers()).toHaveLength(3);
  // Any worker: no header of the PROXY protocol is asked for, and the trusted proxy is believed.
  for (let time = 0; time < 6; time++) {
    const { port } = node.addresses.public;
    const answer = await handshake({
      port,
      path: '/connect?key=a',
      headers: ['X-Forwarded-For', '192.0.2.7'],
    }).answered;
    expect(answer.status).toBe(101);
  }
  const page = (await request({ url: `${node.addresses.api?.url}/metrics` })).text;
  expect(page).toContain('arrokoth_reloads_total{result="applied",worker="api/0"} 1');
  expect(page).toContain('arrokoth_reloads_total{result="unchanged",worker="api/0"} 1');
});

test('a limit below what is there refuses new ones, and closes nobody', async () => {
  const { callback } = await startApplication();
  const node = await startNode({ config: { callback } });
  const clients = await open(node, 5);
  configure(node, { callback, limits: { connections: 3 } });
  expect(await reloadNode(node)).toMatchObject({ applied: ['limits.connections'] });
  const { port, url } = node.addresses.public;
  expect((await handshake({ port, path: '/connect?key=late' }).answered).status).toBe(503);
  await post(`${url}/send`, ['X-Kuiperbelt-Session', 'client-4'], 'hi');
  expect(await clients[4]?.nextText()).toBe('hi');
  for (const client of clients.slice(2)) client.sendClose(1000);
  await Promise.all(clients.slice(2).map((client) => client.closed));
  const status = async () => (await handshake({ port, path: '/connect?key=later' }).answered).status;
  await expect.poll(status).toBe(101);
});

describe('many reloads at once', () => {
  test('are answered, and are few', async () => {
    const { callback } = await startApplication();
    const node = await startNode({ config: { workers: 2, callback, api } });
    configure(node, { workers: 2, callback, api, strict_broadcast: true });
    for (let time = 0; time < 100; time++) process.kill(node.pid, 'SIGHUP');
    // More than may be connected at once: those are told so.
    const answers = await Promise.all(
      Array.from({ length: 40 }, () => tellNode(node, '{"command":"reload"}\n').catch(() => 'cut')),
    );
    const said = answers.map((text) => (text.includes('too many commands') ? 'too many' : text.slice(0, 9)));
    expect(new Set(said)).toEqual(new Set(['{"answer"', ...(said.includes('too many') ? ['too many'] : [])]));
    const page = (await request({ url: `${node.addresses.api?.url}/metrics` })).text;
    const counts = [...page.matchAll(/^arrokoth_reloads_total\{result="(\w+)".* (\d+)$/gm)];
    const sum = counts.reduce((total, [, , count]) => total + Number(count), 0);
    expect(sum).toBeGreaterThanOrEqual(1);
    expect(sum).toBeLessThan(60);
    expect((await reloadNode(node)).result).toBe('unchanged');
  });

  test('while workers are killed leave them all with the same configuration', async () => {
    const { callback } = await startApplication();
    const node = await startNode({ config: { workers: 2, callback } });
    for (let round = 0; round < 5; round++) {
      configure(node, { workers: 2, callback, app: { token: `${OLD}-${round}` } });
      const report = reloadNode(node);
      const killed = node.workers()[round % 2] as number;
      process.kill(killed, 'SIGKILL');
      expect((await report).result).toBe('applied');
      await node.log.atLeast(3 + round, ({ msg }) => msg === 'worker ready');
      for (let time = 0; time < 6; time++) expect(await statusOf(node, `${OLD}-${round}`)).toBe(200);
      expect(await statusOf(node, `${OLD}-${round - 1}`)).toBe(401);
    }
  });
});

test('a node that is still starting reloads, too', async () => {
  const folder = temporaryFolder();
  const config = {
    workers: 2,
    strict_broadcast: true,
    node: { data_dir: 'data' },
    port: 0,
    host: '127.0.0.1',
  };
  writeFileSync(join(folder, 'config.yml'), JSON.stringify({ ...config, strict_broadcast: false }));
  const program = join(ROOT, 'dist/main/arrokoth.js');
  const child = spawn(process.execPath, [program, 'start', '--config', 'config.yml'], {
    ...{ cwd: folder, detached: true, env: { ...process.env, TMPDIR: folder } },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const pid = child.pid as number;
  cleanUpAfterwards(() => killGroup(pid));
  let log = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    log += text;
  });
  await expect
    .poll(() => existsSync(join(folder, 'data/control.sock')), { timeout: 15_000, interval: 1 })
    .toBe(true);
  writeFileSync(join(folder, 'config.yml'), JSON.stringify(config));
  child.kill('SIGHUP');
  await expect.poll(() => log, { timeout: 15_000 }).toContain('"msg":"node ready"');
  await expect.poll(() => log, { timeout: 15_000 }).toContain('"msg":"configuration reloaded"');
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  expect(await ended).toBe(0);
});

test('a node that stops refuses to reload, and takes its socket away', async () => {
  const application = await startApplication({ close: () => 'hang' });
  const node = await startNode({ config: { callback: application.callback, drain: { timeout: '2s' } } });
  await open(node, 1);
  const ended = node.stop();
  await application.waitFor('close', 1);
  expect(await reloadNode(node)).toMatchObject({ result: 'refused', problems: ['the node is stopping'] });
  process.kill(node.pid, 'SIGHUP');
  expect((await ended).code).toBe(0);
  expect(readdirSync(join(node.folder, 'data'))).toEqual(['alone', 'sessions']);
  const done = arrokoth(node, 'reload', '--config', 'config.yml');
  expect([done.status, done.stdout]).toEqual([2, '']);
  expect(done.stderr).toContain(`No node runs with its data in ${join(node.folder, 'data')}.`);
});

describe('the control socket', () => {
  test('is for the user of the node alone, and a stranger to its language is told so', async () => {
    const node = await startNode({ config: {} });
    expect(statSync(join(node.folder, 'data/control.sock')).mode & 0o777).toBe(0o600);
    const said = async (line: string) => JSON.parse(await tellNode(node, line)) as { error: string };
    expect(await said('reload\n')).toEqual({ error: 'a request is a line of JSON' });
    expect(await said('{"command":"toString"}\n')).toEqual({ error: 'this node does not know the command' });
    expect(await said(`${'x'.repeat(70_000)}`)).toEqual({ error: 'the request is too long' });
    expect(JSON.parse(await tellNode(node, '{"command":"status"}\n'))).toMatchObject({
      answer: { processId: node.pid, phase: 'serving', configFile: node.configFile, workers: [{ slot: 0 }] },
    });
  });

  test('has room for others while somebody keeps silent', async () => {
    const node = await startNode({ config: {} });
    const path = join(node.folder, 'data/control.sock');
    const silent = Array.from({ length: 8 }, () => connect(path));
    await Promise.all(silent.map((socket) => new Promise((resolve) => socket.once('connect', resolve))));
    expect((await reloadNode(node)).result).toBe('unchanged');
    // They are cut when they have had time to speak.
    await Promise.all(silent.map((socket) => new Promise((resolve) => socket.once('close', resolve))));
  });

  test('is found where the path of the data directory is too long for a socket', async () => {
    const name = 'd'.repeat(100);
    const node = await startNode({ config: { node: { data_dir: name } } });
    appendFileSync(node.configFile, '\n# changed\n');
    const done = arrokoth(node, 'reload', '--config', 'config.yml');
    expect([done.status, done.stdout]).toEqual([0, 'Nothing to apply.\n']);
  });
});

test('the command says which words it lacks', async () => {
  const node = await startNode({ config: {} });
  for (const words of [[], ['--config', 'config.yml', '--data-dir', 'data']]) {
    const done = arrokoth(node, 'reload', ...words);
    expect([done.status, done.stderr]).toEqual([
      2,
      expect.stringContaining('either --config FILE or --data-dir'),
    ]);
  }
  const done = arrokoth(node, 'reload', '--data-dir', 'data', '--json');
  expect(JSON.parse(done.stdout)).toMatchObject({ result: 'unchanged', applied: [], restart: [] });
});
