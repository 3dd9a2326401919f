/**
 * Nodes of one cluster whose logs, ports and time belong to the test: only their supervisors' parts
 * in the cluster, without workers.
 */
import { CollectedLog } from '../../../test/fakes/collected-log.ts';
import { FakeRandom } from '../../../test/fakes/fake-random.ts';
import { FakeTime } from '../../../test/fakes/fake-time.ts';
import { failed, ok, type Result } from '../../base/index.ts';
import type { ClusterConfig } from '../../config/index.ts';
import type { NodeCallHandler } from '../../peer/index.ts';
import type { OperationName, OperationOutcome, ToWorker } from '../../process/index.ts';
import { addressOf } from '../cluster/addresses.ts';
import type { ClusterPort } from '../cluster/doors.ts';
import { NodeCluster } from '../cluster/node-cluster.ts';
import { FACTS } from './facts.ts';
import { FakeLog } from './fake-log.ts';

/** The isolation timeout of the nodes. */
export const ISOLATION_MS = 3_000;
/** Silence after which one counts as down. */
export const DOWN_MS = 5_000;

const PORT = 7_400;

/** The name of the node at 127.0.0.`number`. */
export function nameOf(number: number): string {
  return `node-0${number}@127.0.0.${number}`;
}

/** The calls of all nodes of a test. */
export class FakePorts {
  readonly #handlers = new Map<string, NodeCallHandler>();

  open(name: string): ClusterPort {
    const self = addressOf(name, PORT);
    return {
      serve: (path, handler) => this.#handlers.set(self + path, handler),
      call: async ({ to, path, question }) => {
        const handler = this.#handlers.get(to + path);
        if (handler === undefined) return failed('ECONNREFUSED');
        const asked = JSON.parse(JSON.stringify(question)) as unknown;
        return await new Promise<Result<unknown, string>>((resolve) =>
          handler(asked, (answer) => resolve(ok(answer))),
        );
      },
      close: async () => {
        for (const key of [...this.#handlers.keys()]) if (key.startsWith(self)) this.#handlers.delete(key);
      },
    };
  }
}

/** One node's part. */
export class FakePart {
  readonly time = new FakeTime();
  readonly log = new CollectedLog();
  readonly logs: FakeLog[] = [];
  readonly told: ToWorker[] = [];
  readonly name: string;
  readonly node: NodeCluster;
  grants = 0;
  #boots = 0;
  #operations = 0;

  /** `number` null: a node by itself. */
  constructor(
    number: number | null,
    ports: FakePorts = new FakePorts(),
    changes: Partial<ClusterConfig> = {},
  ) {
    this.name = nameOf(number ?? 1);
    const { time, log, name } = this;
    const cluster: ClusterConfig = {
      id: 'main',
      listen: { host: `127.0.0.${number}`, port: PORT },
      secrets: ['one-secret'],
      contacts: [],
      externalSignalingUrl: '',
      externalApiUrl: '',
      maxNodes: 4,
      heartbeatMs: 100,
      electionMinMs: 500,
      electionMaxMs: 1_000,
      nodeDownAfterMs: DOWN_MS,
      ...changes,
    };
    this.node = new NodeCluster(
      {
        ...{
          clock: time,
          timers: time,
          random: new FakeRandom(1),
          logger: log,
          nodeName: name,
          facts: FACTS,
        },
        cluster: number === null ? null : cluster,
        isolationTimeoutMs: () => ISOLATION_MS,
        drawBoot: () => `${name} ${++this.#boots}`,
        createLog: (order) => {
          this.logs.push(new FakeLog(order, addressOf(name, number === null ? null : PORT)));
          return this.current;
        },
        openPort: async () => ports.open(name),
      },
      {
        toWorkers: (message) => this.told.push(message),
        grantAll: async () => {
          this.grants++;
        },
        connections: () => 7,
      },
    );
  }

  get current(): FakeLog {
    return this.logs.at(-1) as FakeLog;
  }

  async start(): Promise<this> {
    await this.node.openPort();
    this.node.start();
    await this.settle();
    return this;
  }

  /** Lets what waits for promises and the end of the turn go on. */
  async settle(): Promise<void> {
    for (let turns = 0; turns < 5; turns++) {
      await new Promise((resolve) => setImmediate(resolve));
      this.time.endTurn();
    }
  }

  async advance(byMs: number): Promise<void> {
    for (let passedMs = 0; passedMs < byMs; passedMs += 250) {
      this.time.advance(250);
      await this.settle();
    }
  }

  /** Makes this node a member of a cluster that others founded, which it is in contact with. */
  async joined(): Promise<this> {
    this.current.status_ = { ...this.current.status_, role: 'voter', contactAgeMs: 0 };
    await this.advance(250);
    return this;
  }

  async ask(operation: OperationName, request: unknown = null): Promise<OperationOutcome> {
    const id = ++this.#operations;
    return await new Promise((resolve) => {
      this.node.operate({ type: 'operate', id, operation, request }, (message) => {
        if (message.type === 'operated' && message.id === id) resolve(message.outcome);
      });
    });
  }

  get mode(): string {
    return this.node.grant().mode;
  }

  got<Type extends ToWorker['type']>(type: Type): Extract<ToWorker, { type: Type }>[] {
    return this.told.filter((message) => message.type === type) as Extract<ToWorker, { type: Type }>[];
  }
}
