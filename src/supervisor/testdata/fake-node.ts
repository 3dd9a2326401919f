/**
 * A node whose processes, sockets and time belong to the test.
 *
 * Nothing in it happens by itself: workers say what the test lets them say, time stands still.
 */
import { CollectedLog } from '../../../test/fakes/collected-log.ts';
import { FakeRandom } from '../../../test/fakes/fake-random.ts';
import { FakeTime } from '../../../test/fakes/fake-time.ts';
import { FakeWorker } from '../../../test/fakes/fake-worker.ts';
import { failed, ok } from '../../base/index.ts';
import { type Config, parseConfig } from '../../config/index.ts';
import type { BoundListener, WorkerKind } from '../../process/index.ts';
import type { StartedNode, SupervisorDoors } from '../doors.ts';
import { Supervisor } from '../supervisor.ts';
import { FACTS } from './facts.ts';
import { FakeLog } from './fake-log.ts';

/** The `drain.timeout` of the node. */
export const DRAIN_MS = 4_000;

function config(keys: string): Config {
  const text = `host: 127.0.0.1\nport: 0\ndrain: { timeout: ${DRAIN_MS}ms }\n${keys}`;
  const parsed = parseConfig({ text, path: 'test.yml', env: {} });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.error));
  return parsed.value.config;
}

/** One supervisor and everything around it. */
export class FakeNode {
  readonly time = new FakeTime();
  readonly log = new CollectedLog();
  readonly spawned: FakeWorker[] = [];
  readonly open = new Set<string>();
  readonly logs: FakeLog[] = [];
  boots = 0;
  released = 0;
  keptAlive = 0;
  readonly supervisor: Supervisor;

  constructor(keys: string, changes: Partial<SupervisorDoors> = {}) {
    this.supervisor = new Supervisor({
      config: config(keys),
      reread: () => failed(['there is no file']),
      clock: this.time,
      timers: this.time,
      random: new FakeRandom(1),
      logger: this.log,
      nodeName: 'node-01@127.0.0.1',
      bootId: 'boot',
      hostname: 'box',
      dataDir: '/data',
      meshDir: '/mesh',
      log: {
        facts: FACTS,
        drawBoot: () => `boot-${++this.boots}`,
        createLog: (order) => {
          this.logs.push(new FakeLog(order));
          return this.logs.at(-1) as FakeLog;
        },
        openPort: () => Promise.reject(new Error('this node has no port')),
      },
      spawn: (kind) => this.#spawn(kind),
      keepAlive: () => {
        this.keptAlive++;
        return { cancel: () => this.keptAlive-- };
      },
      journalsOf: (slot) => [`${slot}-of-${this.spawned.length}.journal`],
      release: () => {
        this.released++;
      },
      bindTcp: async ({ host, port }) => ok(this.#bind(`${host}:${port === 0 ? 40_000 : port}`)),
      bindUnix: async (path) => ok(this.#bind(path)),
      ...changes,
    });
  }

  /** Starts, with workers that are ready and listen as soon as they are asked. */
  async serve(): Promise<StartedNode> {
    const started = this.supervisor.start();
    await settle();
    for (const worker of this.alive()) worker.say({ type: 'ready' });
    for (const worker of this.alive()) this.obeyListen(worker);
    return started;
  }

  obeyListen(worker: FakeWorker): void {
    for (const listener of worker.listeners) worker.say({ type: 'listening', listener });
  }

  alive(kind?: WorkerKind): FakeWorker[] {
    return this.spawned.filter((worker) => worker.alive && (kind === undefined || worker.kind === kind));
  }

  worker(index: number): FakeWorker {
    const worker = this.spawned[index];
    if (worker === undefined) throw new Error(`worker ${index} was not spawned`);
    return worker;
  }

  /** The latest worker. */
  get newest(): FakeWorker {
    return this.worker(this.spawned.length - 1);
  }

  lines(message: string): Record<string, unknown>[] {
    return this.log.lines.filter((line) => line.message === message).map((line) => ({ ...line.fields }));
  }

  #spawn(kind: WorkerKind): FakeWorker {
    const worker = new FakeWorker(kind, 1_000 + this.spawned.length, this.time);
    this.spawned.push(worker);
    return worker;
  }

  #bind(address: string): BoundListener {
    this.open.add(address);
    const port = Number(address.split(':')[1]);
    return {
      handle: { address } as object,
      address,
      port: Number.isNaN(port) ? null : port,
      close: () => this.open.delete(address),
    };
  }
}

/** Lets what waits for nothing but promises go on. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
