/** Workers that give no sign of life, over fake processes and fake time. */
import { describe, expect, test } from 'vitest';
import { FakeTime } from '../../test/fakes/fake-time.ts';
import { LIMITS } from '../base/index.ts';
import { DRAIN_MS, FakeNode, settle } from './testdata/fake-node.ts';

const KEYS = 'workers: 2\napi: { listen: "127.0.0.1:3000" }\nworker_hang_timeout: 10s\n';
const LINE = 'worker gives no sign of life and is killed';

describe('a worker that answers no grant', () => {
  test('is killed after `worker_hang_timeout` and replaced, and nobody else is', async () => {
    const node = new FakeNode(KEYS);
    await node.serve();
    node.time.advance(5_000);
    node.worker(0).hung = true;
    node.time.advance(10_000);
    expect(node.worker(0).killed).toBe(false);
    node.time.advance(LIMITS.grantPeriodMs);
    expect(node.worker(0).killed).toBe(true);
    expect(node.lines(LINE)).toMatchObject([{ kind: 'gateway', slot: 0, code: 'WORKER_HUNG' }]);
    node.time.advance(LIMITS.workerRestartMs);
    expect(node.newest.init).toMatchObject({ kind: 'gateway', slot: 0, run: 2 });
    node.newest.say({ type: 'ready' });
    node.time.advance(60_000);
    expect(node.spawned.map(({ killed }) => killed)).toEqual([true, false, false, false]);
  });

  test('lives while it says anything at all', async () => {
    const node = new FakeNode(KEYS);
    await node.serve();
    node.worker(0).hung = true;
    for (let second = 0; second < 30; second++) {
      node.time.advance(1_000);
      node.worker(0).report({ connections: second });
    }
    expect(node.worker(0).killed).toBe(false);
  });

  test('is told to the operator, also to an api worker that starts later', async () => {
    const node = new FakeNode(KEYS);
    await node.serve();
    expect(node.worker(2).got('health').at(-1)).toMatchObject({ hung: 0 });
    node.worker(1).hung = true;
    node.time.advance(11_000);
    expect(node.worker(2).got('health').at(-1)).toMatchObject({ hung: 1 });
    expect(node.worker(0).got('health')).toEqual([]);
    node.worker(2).end();
    node.time.advance(LIMITS.workerRestartMs);
    node.newest.say({ type: 'ready' });
    expect(node.newest.got('health').at(-1)).toMatchObject({ hung: 1 });
  });

  test('is reported once, however long its process takes to go', async () => {
    const node = new FakeNode(KEYS);
    await node.serve();
    node.worker(0).hung = true;
    node.worker(0).kill = () => {};
    node.time.advance(60_000);
    expect(node.lines(LINE)).toHaveLength(1);
  });

  test('is left to the bound of the drain while the node stops', async () => {
    const node = new FakeNode(KEYS.replace('10s', '2s'));
    await node.serve();
    node.supervisor.stop('SIGTERM');
    node.worker(0).hung = true;
    node.time.advance(DRAIN_MS);
    expect(node.worker(0).killed).toBe(false);
  });

  test('is endured where the timeout is 0', async () => {
    const node = new FakeNode(KEYS.replace('10s', '0s'));
    await node.serve();
    node.worker(0).hung = true;
    node.time.advance(3_600_000);
    expect(node.worker(0).killed).toBe(false);
  });
});

test('a worker with too much to do is told to the operator, until it has recovered or died', async () => {
  const node = new FakeNode(KEYS);
  await node.serve();
  const told = () => node.worker(2).got('health').at(-1)?.overloaded;
  node.worker(1).say({ type: 'overload', overloaded: true });
  expect(told()).toEqual([1]);
  node.worker(1).say({ type: 'overload', overloaded: false });
  expect(told()).toEqual([]);
  node.worker(0).say({ type: 'overload', overloaded: true });
  node.worker(0).end();
  expect(told()).toEqual([]);
});

test('a worker that is not ready yet has only the bound of its start', async () => {
  const node = new FakeNode(KEYS);
  void node.supervisor.start();
  await settle();
  node.worker(0).hung = true;
  node.time.advance(59_000);
  expect(node.worker(0).killed).toBe(false);
});

test('a supervisor that was stopped itself blames nobody for its own silence', async () => {
  const time = new FakeTime();
  let sleptMs = 0;
  const clock = { wallMs: () => 0, monotonicMs: () => time.monotonicMs() + sleptMs };
  const node = new FakeNode(KEYS, { clock, timers: time });
  await node.serve();
  for (const worker of node.spawned) worker.hung = true;
  sleptMs = 120_000;
  time.advance(LIMITS.grantPeriodMs);
  expect(node.spawned.map(({ killed }) => killed)).toEqual([false, false, false]);
});
