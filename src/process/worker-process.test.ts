/** Real processes: messages and handles travel, sockets outlive workers, ends are noticed. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import net from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import {
  type BoundListener,
  bindTcp,
  type FromWorker,
  spawnWorker,
  type WorkerExit,
  type WorkerProcess,
} from './index.ts';

const execArgv = ['--import', import.meta.resolve('tsx')];
const entry = new URL('./testdata/greeting-worker.ts', import.meta.url);
const started: WorkerProcess[] = [];
const bound: BoundListener[] = [];

afterEach(() => {
  for (const worker of started.splice(0)) worker.kill();
  for (const listener of bound.splice(0)) listener.close();
});

/** A worker whose messages and exit can be awaited. */
class Watched {
  readonly worker: WorkerProcess;
  readonly messages: FromWorker[] = [];
  readonly exit: Promise<WorkerExit>;
  #arrived: () => void = () => {};

  constructor(env: Record<string, string> = {}) {
    this.worker = spawnWorker({ entry, execArgv, env: { PATH: process.env.PATH, ...env } });
    started.push(this.worker);
    this.worker.onMessage((message) => {
      this.messages.push(message);
      this.#arrived();
    });
    this.exit = new Promise((resolve) => this.worker.onExit(resolve));
  }

  async got(type: FromWorker['type']): Promise<void> {
    while (!this.messages.some((message) => message.type === type)) {
      await new Promise<void>((resolve) => {
        this.#arrived = resolve;
      });
    }
  }
}

async function bind(): Promise<BoundListener> {
  const result = await bindTcp({ host: '127.0.0.1', port: 0 });
  if (!result.ok) throw result.error;
  bound.push(result.value);
  return result.value;
}

/** What the server said, or the name of the error. */
function greet(port: number): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    const socket = net.connect(port, '127.0.0.1');
    socket.on('data', (bytes) => {
      text += bytes;
    });
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(String(error.code)));
    socket.on('close', () => resolve(text));
  });
}

describe('a worker process', () => {
  test('accepts on the handle that it is given', async () => {
    const listener = await bind();
    const one = new Watched();
    await one.got('ready');
    one.worker.send({ type: 'listen', listener: 'public' }, listener.handle);
    await one.got('listening');
    expect(await greet(listener.port ?? 0)).toBe(`hello from ${one.worker.pid}\n`);
  });

  test('gets messages that were sent before it looked', async () => {
    const listener = await bind();
    const one = new Watched({ SLOW_START: 'yes' });
    one.worker.send({ type: 'listen', listener: 'public' }, listener.handle);
    one.worker.send({ type: 'grant', mode: 'normal', isolated: false, contactAgeMs: 0 });
    await one.got('listening');
    expect(one.messages.at(-1)).toEqual({ type: 'listening', listener: 'public' });
  });

  test('its last words are heard before its end', async () => {
    const one = new Watched();
    await one.got('ready');
    one.worker.send({ type: 'drain', timeoutMs: 0 });
    expect(await one.exit).toEqual({ code: 0, signal: null });
    expect(one.messages.at(-1)).toMatchObject({ type: 'drained' });
  });

  test('a message to a dead one is lost without harm', async () => {
    const one = new Watched();
    await one.got('ready');
    one.worker.kill();
    one.worker.send({ type: 'drain', timeoutMs: 0 });
    expect(await one.exit).toEqual({ code: null, signal: 'SIGKILL' });
    one.worker.send({ type: 'drain', timeoutMs: 0 });
  });

  test('notices the death of its supervisor', async () => {
    const parent = fork(new URL('./testdata/parent.ts', import.meta.url), [], {
      execArgv,
      stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
    });
    const stdout = parent.stdout as NodeJS.ReadableStream;
    const [ready] = await once(stdout, 'data');
    expect(String(ready)).toBe('worker ready\n');
    parent.kill('SIGKILL');
    const [lost] = await once(stdout, 'data');
    expect(String(lost)).toBe('supervisor lost\n');
    // The worker holds the same pipe; that it closes is the worker's end.
    await once(stdout, 'close');
  });
});

describe('a socket that outlives its worker', () => {
  test('refuses nobody while the only worker is killed and replaced, again and again', async () => {
    const listener = await bind();
    let current = new Watched();
    await current.got('ready');
    current.worker.send({ type: 'listen', listener: 'public' }, listener.handle);
    await current.got('listening');
    const refused: string[] = [];
    let greeted = 0;
    let stopping = false;
    const storm = Array.from({ length: 8 }, async () => {
      while (!stopping) {
        const answer = await greet(listener.port ?? 0);
        // A connection that the dead worker had accepted may break; none may be refused.
        if (answer.startsWith('hello')) greeted++;
        else if (answer === 'ECONNREFUSED') refused.push(answer);
        await new Promise((resolve) => setImmediate(resolve));
      }
    });
    for (let kills = 0; kills < 3; kills++) {
      const before = greeted;
      while (greeted < before + 100) await new Promise((resolve) => setImmediate(resolve));
      current.worker.kill();
      await current.exit;
      current = new Watched();
      current.worker.send({ type: 'listen', listener: 'public' }, listener.handle);
      await current.got('listening');
    }
    const before = greeted;
    while (greeted < before + 100) await new Promise((resolve) => setImmediate(resolve));
    stopping = true;
    await Promise.all(storm);
    expect(refused).toEqual([]);
    expect(greeted).toBeGreaterThanOrEqual(400);
  });

  test('can be given back while another worker goes on', async () => {
    const listener = await bind();
    const pair = [new Watched(), new Watched()] as const;
    for (const one of pair) {
      await one.got('ready');
      one.worker.send({ type: 'listen', listener: 'public' }, listener.handle);
      await one.got('listening');
    }
    const [first, second] = pair;
    first.worker.send({ type: 'unlisten', listener: 'public' });
    first.worker.send({ type: 'grant', mode: 'normal', isolated: false, contactAgeMs: 0 });
    await first.got('load');
    for (let count = 0; count < 20; count++) {
      expect(await greet(listener.port ?? 0)).toBe(`hello from ${second.worker.pid}\n`);
    }
  });
});
