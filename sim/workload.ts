/**
 * Clients of the cluster: each sets and reads registers, one wish at a time, at any node.
 *
 * A write whose outcome is unknown is asked again elsewhere with the same request id, as a careful
 * application does; one without a request id never. A read that fails is simply forgotten.
 */

import type { Submission } from '../src/store/index.ts';
import type { Fleet } from './fleet.ts';
import type { Operation } from './history.ts';
import { encodePut, REGISTER_KIND, REGISTER_VERSION } from './register-state.ts';
import type { Rng } from './rng.ts';
import type { SimulatedNode } from './simulated-node.ts';
import type { LoadOptions } from './swarm.ts';

/** How long a client waits for an answer, and how often it asks again. */
const PATIENCE_MS = 2_500;
const ATTEMPTS_MAX = 20;
const REST_MEAN_MS = 150;
/** Writes that are sent again although they were answered, and when. */
const ECHO_SHARE = 0.2;
const ECHO_MEAN_MS = 8_000;
/** Writes that fill several sectors, so that they can be torn. */
const HEAVY_SHARE = 0.2;
const HEAVY_BYTES_MAX = 3_000;

/** A write under way. */
interface Write {
  readonly operation: Operation;
  readonly change: Uint8Array;
  readonly requestId: string | null;
  attempts: number;
}

/** All clients of a run. */
export class Workload {
  readonly #fleet: Fleet;
  readonly #clients: readonly Client[];
  #stopped = false;

  constructor(fleet: Fleet, rng: Rng, load: LoadOptions) {
    this.#fleet = fleet;
    this.#clients = Array.from({ length: load.clients }, (_, index) => {
      const name = `c${index + 1}`;
      return new Client(name, { fleet, rng: rng.fork(name), load, isStopped: () => this.#stopped });
    });
  }

  start(): void {
    for (const client of this.#clients) client.think();
  }

  /** Begins nothing new; what is under way goes on. */
  stop(): void {
    this.#stopped = true;
  }

  /** One more write, sent until it is acknowledged: the proof that the cluster goes on. */
  writeUntilDone(name: string, nodes: readonly SimulatedNode[], done: () => void): void {
    const load = {
      registers: 1,
      readShare: 0,
      anonymousShare: 0,
      thinkMeanMs: 1,
      clients: 1,
      operatorMeanMs: 1,
    };
    const rng = this.#fleet.rng.fork(name);
    new Client(name, { fleet: this.#fleet, rng, load, isStopped: () => false, nodes }).insist(done);
  }

  /** Reads every register once at the first of `nodes`, or where that refuses at others; `done` then. */
  readAll(nodes: readonly SimulatedNode[], registers: number, done: () => void): void {
    let missing = registers;
    const readOne = (register: number, attempt: number): void => {
      const node = nodes[attempt % nodes.length] as SimulatedNode;
      const operation = this.#fleet.judge.history.begin({ key: `k${register}`, type: 'get', value: null });
      let answered = false;
      const again = (): void => {
        if (answered) return;
        answered = true;
        readOne(register, attempt + 1);
      };
      this.#fleet.world.after(PATIENCE_MS, again);
      node.read(operation.key, (value) => {
        if (answered) return;
        if (value === undefined) return void this.#fleet.world.after(REST_MEAN_MS, again);
        answered = true;
        this.#fleet.judge.history.end(operation, value);
        if (--missing === 0) done();
      });
    };
    for (let register = 0; register < registers; register++) readOne(register, 0);
  }
}

interface ClientOptions {
  readonly fleet: Fleet;
  readonly rng: Rng;
  readonly load: LoadOptions;
  readonly isStopped: () => boolean;
  /** Whom it asks; absent: anybody. */
  readonly nodes?: readonly SimulatedNode[];
}

/** One client: it thinks, wishes, waits, and thinks again. */
class Client {
  readonly #name: string;
  readonly #options: ClientOptions;
  readonly #rng: Rng;
  readonly #fleet: Fleet;
  #wishes = 0;
  #master: string | null = null;

  constructor(name: string, options: ClientOptions) {
    this.#name = name;
    this.#options = options;
    this.#rng = options.rng;
    this.#fleet = options.fleet;
  }

  think(): void {
    this.#fleet.world.after(this.#rng.exponential(this.#options.load.thinkMeanMs), () => this.#wish());
  }

  /** Writes once, without giving up. */
  insist(done: () => void): void {
    this.#write(this.#newWrite('k0', false), { attemptsMax: Number.POSITIVE_INFINITY, done });
  }

  #wish(): void {
    const { load, isStopped } = this.#options;
    if (isStopped()) return;
    const key = `k${this.#rng.below(load.registers)}`;
    if (this.#rng.chance(load.readShare)) return this.#read(key);
    const write = this.#newWrite(key, this.#rng.chance(load.anonymousShare));
    const attemptsMax = write.requestId === null ? 1 : ATTEMPTS_MAX;
    this.#write(write, { attemptsMax, done: () => this.think() });
  }

  #newWrite(key: string, isAnonymous: boolean): Write {
    const value = `${this.#name}-${++this.#wishes}`;
    const operation = this.#fleet.judge.history.begin({ key, type: 'put', value });
    this.#fleet.totals.proposals++;
    const requestId = isAnonymous ? null : value;
    const weight = this.#rng.chance(HEAVY_SHARE) ? this.#rng.below(HEAVY_BYTES_MAX) : 0;
    return { operation, change: encodePut(key, value, weight), requestId, attempts: 0 };
  }

  #write(write: Write, until: { attemptsMax: number; done: () => void }): void {
    const node = this.#choose();
    const { requestId, change } = write;
    if (++write.attempts > 1) this.#fleet.totals.retries++;
    let answered = false;
    const again = (): void => {
      if (answered) return;
      answered = true;
      this.#master = null;
      if (write.attempts >= until.attemptsMax) return until.done();
      this.#fleet.world.after(this.#rng.exponential(REST_MEAN_MS), () => this.#write(write, until));
    };
    this.#fleet.world.after(PATIENCE_MS, again);
    const kind = { kind: REGISTER_KIND, version: REGISTER_VERSION };
    const submission: Submission = { type: 'changes', ...kind, requestId, changes: [change] };
    node.submit(submission, (outcome) => {
      if (answered) return;
      if (outcome.type !== 'committed') {
        again();
        this.#master = outcome.master;
        return;
      }
      answered = true;
      this.#master = node.name;
      this.#fleet.judge.history.end(write.operation, write.operation.value);
      this.#fleet.judge.acknowledged(node.name, { requestId, change, index: outcome.index });
      if (requestId !== null && this.#rng.chance(ECHO_SHARE)) this.#echo(submission);
      until.done();
    });
  }

  /** Something on the way sends an answered write once more, much later; it must not count twice. */
  #echo(submission: Submission): void {
    this.#fleet.world.after(this.#rng.exponential(ECHO_MEAN_MS), () => {
      const node = this.#fleet.master();
      node?.submit(submission, (outcome) => {
        const [change] = submission.changes;
        if (outcome.type !== 'committed' || change === undefined) return;
        const { requestId } = submission;
        this.#fleet.judge.acknowledged(node.name, { requestId, change, index: outcome.index });
      });
    });
  }

  #read(key: string): void {
    const operation = this.#fleet.judge.history.begin({ key, type: 'get', value: null });
    let answered = false;
    const giveUp = (): void => {
      if (answered) return;
      answered = true;
      this.think();
    };
    this.#fleet.world.after(PATIENCE_MS, giveUp);
    this.#rng.pick(this.#nodes).read(key, (value) => {
      if (answered) return;
      if (value !== undefined) {
        this.#fleet.judge.history.end(operation, value);
        this.#fleet.totals.linearizableReads++;
      }
      giveUp();
    });
  }

  get #nodes(): readonly SimulatedNode[] {
    return this.#options.nodes ?? this.#fleet.nodes;
  }

  /** The master, where the client thinks that it knows it; else anybody. */
  #choose(): SimulatedNode {
    const known = this.#nodes.find(({ name }) => name === this.#master);
    return known !== undefined && this.#rng.chance(0.9) ? known : this.#rng.pick(this.#nodes);
  }
}
