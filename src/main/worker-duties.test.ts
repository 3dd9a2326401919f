import { describe, expect, test } from 'vitest';
import { FakeTime } from '../../test/fakes/fake-time.ts';
import type { FromWorker, ListenHandle, ToWorker, WorkerInit } from '../process/index.ts';
import { WorkerDuties, type WorkerRole } from './worker-duties.ts';

const init = { type: 'init' } as WorkerInit;
const handle = {} as ListenHandle;

/** A worker whose role writes down what it is told. */
function makeWorker(options: { build?: Promise<void>; role?: Partial<WorkerRole> } = {}) {
  const time = new FakeTime();
  const calls: string[] = [];
  const sent: FromWorker[] = [];
  const exits: number[] = [];
  let receive: (message: ToWorker, handle: ListenHandle | null) => void = () => {};
  let lose: () => void = () => {};
  const role: WorkerRole = {
    listen: (listener) => calls.push(`listen ${listener}`),
    unlisten: (listener) => calls.push(`unlisten ${listener}`),
    peers: () => calls.push('peers'),
    grant: ({ mode }) => calls.push(`grant ${mode}`),
    health: ({ hung }) => calls.push(`health ${hung}`),
    reload: ({ endpoint }) => calls.push(`reload ${endpoint}`),
    ticketKeys: (ticketKeys) => calls.push(`tickets ${ticketKeys}`),
    drain: async () => ({ connectionsClosed: 3, closeCallbacksGivenUp: 1 }),
    supervisorLost: async () => {
      calls.push('lost');
    },
    ...options.role,
  };
  const duties = new WorkerDuties({
    channel: {
      onMessage: (listener) => {
        receive = listener;
      },
      onLost: (listener) => {
        lose = listener;
      },
      send: (message, done) => {
        sent.push(message);
        done?.();
      },
    },
    timers: time,
    build: async () => {
      await options.build;
      return role;
    },
    exit: (code) => exits.push(code),
    note: (_failure, message) => calls.push(message),
  });
  const settle = () => new Promise((resolve) => setImmediate(resolve));
  return {
    duties,
    time,
    calls,
    sent,
    exits,
    settle,
    receive: (m: ToWorker, h?: ListenHandle) => receive(m, h ?? null),
    lose: () => lose(),
  };
}

describe('WorkerDuties', () => {
  test('says it is ready when built, then does what it was told meanwhile, in order', async () => {
    const worker = makeWorker();
    worker.receive(init);
    worker.receive({ type: 'grant', mode: 'normal', isolated: false, contactAgeMs: 0 });
    worker.receive({ type: 'listen', listener: 'public' }, handle);
    expect(worker.calls).toEqual([]);
    await worker.settle();
    expect(worker.sent).toEqual([{ type: 'ready' }, { type: 'alive' }]);
    worker.receive({ type: 'unlisten', listener: 'public' });
    expect(worker.calls).toEqual(['grant normal', 'listen public', 'unlisten public']);
  });

  test('answers every grant, so that its supervisor knows that it lives', async () => {
    const worker = makeWorker();
    worker.receive(init);
    await worker.settle();
    for (let count = 0; count < 3; count++) {
      worker.receive({ type: 'grant', mode: 'normal', isolated: false, contactAgeMs: 0 });
    }
    const alive = { type: 'alive' };
    expect(worker.sent).toEqual([{ type: 'ready' }, alive, alive, alive]);
    worker.receive({ type: 'health', overloaded: [], hung: 2 });
    expect(worker.calls.at(-1)).toBe('health 2');
  });

  test('drains, tells the result, and ends with 0', async () => {
    const worker = makeWorker();
    worker.receive(init);
    await worker.settle();
    worker.receive({ type: 'drain', timeoutMs: 10 });
    await worker.settle();
    expect(worker.sent.at(-1)).toEqual({ type: 'drained', connectionsClosed: 3, closeCallbacksGivenUp: 1 });
    expect(worker.exits).toEqual([0]);
  });

  test('tells why it cannot go on, once, and ends with 1', async () => {
    const worker = makeWorker({ build: Promise.reject(new Error('no journal')) });
    worker.receive(init);
    await worker.settle();
    expect(worker.sent).toEqual([{ type: 'fatal', message: 'no journal' }]);
    worker.duties.fatal(new Error('again'));
    worker.time.advance(10_000);
    expect(worker.sent).toHaveLength(1);
    expect(worker.exits).toEqual([1]);
  });

  test('leaves when its supervisor is gone', async () => {
    const worker = makeWorker();
    worker.receive(init);
    await worker.settle();
    worker.lose();
    await worker.settle();
    expect(worker.calls).toEqual(['lost']);
    expect(worker.exits).toEqual([1]);
  });

  test('leaves within 5 s even when its role does not come to an end', async () => {
    const worker = makeWorker({ role: { supervisorLost: () => new Promise(() => {}) } });
    worker.receive(init);
    await worker.settle();
    worker.lose();
    worker.time.advance(5_000);
    expect(worker.exits).toEqual([1]);
  });

  test('leaves when the supervisor was gone before the role was built', async () => {
    let built: () => void = () => {};
    const worker = makeWorker({
      build: new Promise((resolve) => {
        built = resolve;
      }),
    });
    worker.receive(init);
    worker.lose();
    built();
    await worker.settle();
    expect(worker.exits).toEqual([1]);
    expect(worker.sent).toEqual([]);
  });

  test('leaves when the supervisor was gone before it said anything', () => {
    const worker = makeWorker();
    worker.lose();
    worker.time.advance(5_000);
    expect(worker.exits).toEqual([1]);
  });
});
