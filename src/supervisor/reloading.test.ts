/** Reloads over fake processes and fake time: who is told what, when the answer comes, what is counted. */
import { describe, expect, test } from 'vitest';
import { failed, ok, type Result } from '../base/index.ts';
import { parseConfig } from '../config/index.ts';
import type { RereadConfig } from './reloading.ts';
import { FakeNode, settle } from './testdata/fake-node.ts';

const KEYS = 'workers: 2\napi: { listen: "127.0.0.1:3000" }\n';

function read(keys: string, changes: RereadConfig['changes']): Result<RereadConfig, readonly string[]> {
  const parsed = parseConfig({ text: `host: 127.0.0.1\n${KEYS}${keys}`, path: 'test.yml', env: {} });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.error));
  return ok({ config: parsed.value.config, changes, warnings: ['mind the gap'] });
}

const TARGETS = { live: ['limits.targets'], restart: [] };

/** A node whose file says what the test wants; `reads` counts how often it was read. */
async function serve(reread: () => Result<RereadConfig, readonly string[]>) {
  const file = { reads: 0, reread };
  const node = new FakeNode(KEYS, {
    reread: () => {
      file.reads++;
      return file.reread();
    },
  });
  await node.serve();
  const answer = (generation: number): void => {
    for (const worker of node.alive()) worker.say({ type: 'reloaded', generation });
  };
  return { node, file, answer };
}

describe('a reload', () => {
  test('reaches every worker, and is over when all have answered', async () => {
    const { node, answer } = await serve(() => read('limits: { targets: 7 }\nendpoint: "e:1"\n', TARGETS));
    let report: unknown = null;
    const done = node.supervisor.reload().then((given) => {
      report = given;
    });
    for (const worker of node.alive()) {
      expect(worker.got('reload')).toMatchObject([
        { generation: 1, endpoint: 'e:1', config: { limits: { targetsMax: 7 } } },
      ]);
    }
    node.worker(0).say({ type: 'reloaded', generation: 1 });
    await settle();
    expect(report).toBeNull();
    answer(1);
    await done;
    const names = { applied: ['limits.targets'], restart: [], late: [] };
    expect(report).toEqual({ ...names, result: 'applied', problems: [], warnings: ['mind the gap'] });
    expect(node.lines('configuration reloaded')).toEqual([names]);
    expect(node.lines('mind the gap')).toHaveLength(1);
  });

  test('is refused with every problem, and then nobody hears of it', async () => {
    const { node } = await serve(() => failed(['c.yml:1:1 port: wrong', 'c.yml:2:1 host: wrong']));
    expect(await node.supervisor.reload()).toMatchObject({
      result: 'refused',
      problems: ['c.yml:1:1 port: wrong', 'c.yml:2:1 host: wrong'],
    });
    expect(node.alive().flatMap((worker) => worker.got('reload'))).toEqual([]);
    expect(node.lines('configuration problem')).toHaveLength(2);
  });

  test('without a change that can be applied tells nobody, and names what waits', async () => {
    const { node } = await serve(() => read('', { live: [], restart: ['port'] }));
    expect(await node.supervisor.reload()).toMatchObject({ result: 'unchanged', restart: ['port'] });
    expect(node.alive().flatMap((worker) => worker.got('reload'))).toEqual([]);
  });

  test('names a worker that does not answer in time, and goes on', async () => {
    const { node, answer } = await serve(() => read('', TARGETS));
    const first = node.supervisor.reload();
    node.worker(0).say({ type: 'reloaded', generation: 1 });
    node.worker(2).say({ type: 'reloaded', generation: 1 });
    node.time.advance(5_000);
    expect(await first).toMatchObject({ result: 'applied', late: ['gateway/1'] });
    const second = node.supervisor.reload();
    // What it says about the last one is no answer to this one.
    answer(1);
    node.time.advance(5_000);
    expect(await second).toMatchObject({ late: ['gateway/0', 'gateway/1', 'api/0'] });
  });

  test('does not wait for a worker that has died, and its replacement starts with it', async () => {
    const { node, answer } = await serve(() => read('limits: { targets: 7 }\n', TARGETS));
    const report = node.supervisor.reload();
    node.worker(0).end();
    answer(1);
    expect(await report).toMatchObject({ result: 'applied', late: [] });
    node.time.advance(5_000);
    expect(node.newest.init.config.limits.targetsMax).toBe(7);
    expect(node.newest.got('reload')).toEqual([]);
  });

  test('reaches a worker that is still starting', async () => {
    const { node } = await serve(() => read('', TARGETS));
    node.worker(1).end();
    node.time.advance(100);
    void node.supervisor.reload();
    expect(node.newest.got('reload')).toHaveLength(1);
  });

  test('moves the bound of a drain, `drain.timeout`', async () => {
    const { node, answer } = await serve(() => read('drain: { timeout: 1s }\n', TARGETS));
    const report = node.supervisor.reload();
    answer(1);
    await report;
    node.supervisor.stop('SIGTERM');
    expect(node.worker(0).got('drain')).toMatchObject([{ timeoutMs: 1_000 }]);
  });

  test('moves the bound of a silence, `worker_hang_timeout`', async () => {
    const { node, answer } = await serve(() => read('worker_hang_timeout: 2s\n', TARGETS));
    const report = node.supervisor.reload();
    answer(1);
    await report;
    node.worker(0).hung = true;
    node.time.advance(3_000);
    expect(node.worker(0).killed).toBe(true);
  });

  test('is refused while the node stops', async () => {
    const { node, file } = await serve(() => read('', TARGETS));
    node.supervisor.stop('SIGTERM');
    expect(await node.supervisor.reload()).toMatchObject({
      result: 'refused',
      problems: ['the node is stopping'],
    });
    expect(file.reads).toBe(0);
  });
});

describe('many reloads at once', () => {
  test('are one that runs and one that follows', async () => {
    const { node, file, answer } = await serve(() => read('', TARGETS));
    const reports = Array.from({ length: 100 }, () => node.supervisor.reload());
    expect(file.reads).toBe(1);
    answer(1);
    await settle();
    expect(file.reads).toBe(2);
    answer(2);
    expect(new Set(await Promise.all(reports)).size).toBe(2);
    expect(file.reads).toBe(2);
  });

  test('see the newest file, whoever of them is answered', async () => {
    const { node, file, answer } = await serve(() => read('', TARGETS));
    const first = node.supervisor.reload();
    file.reread = () => failed(['broken by now']);
    const second = node.supervisor.reload();
    answer(1);
    expect(await first).toMatchObject({ result: 'applied' });
    expect(await second).toMatchObject({ result: 'refused', problems: ['broken by now'] });
  });
});

test('the api worker is told how many there were, also when it is a new one', async () => {
  const { node, file } = await serve(() => read('', { live: [], restart: [] }));
  const api = node.alive('api')[0];
  expect(api?.got('reloads')).toMatchObject([{ applied: 0, unchanged: 0, refused: 0 }]);
  node.time.advance(1_000);
  await node.supervisor.reload();
  file.reread = () => failed(['no']);
  await node.supervisor.reload();
  const counts = api?.got('reloads') ?? [];
  expect(counts.at(-1)).toMatchObject({ unchanged: 1, refused: 1, readAtMs: counts.at(-2)?.readAtMs });
  api?.end();
  node.time.advance(5_000);
  node.newest.say({ type: 'ready' });
  expect(node.newest.got('reloads')).toEqual([counts.at(-1)]);
});
