/**
 * The node's listening sockets: bound once, given to workers, taken back from those ahead.
 *
 * It keeps who was given what. Who runs and who is ready is the supervisor's knowledge; which
 * gateways should accept is decided in `listener-balance.ts`.
 */
import type { ArrokothError, Result } from '../base/index.ts';
import type { Config, TcpAddress } from '../config/index.ts';
import type { BoundListener, ListenerName } from '../process/index.ts';
import { balanceListeners } from './listener-balance.ts';
import type { WorkerLoad } from './process-table.ts';
import type { Worker } from './worker.ts';

type Binding = Promise<Result<BoundListener, ArrokothError>>;

/** The two ways of binding; `process/` has the real ones. */
export interface BindDoors {
  readonly bindTcp: (wanted: TcpAddress) => Binding;
  readonly bindUnix: (path: string) => Binding;
}

/** A listener and where it is reached. */
export interface ListenerAddress {
  readonly listener: ListenerName;
  readonly address: string;
}

/** All listeners of one node. */
export class Listeners {
  readonly #config: Config;
  readonly #doors: BindDoors;
  readonly #bound = new Map<ListenerName, BoundListener>();

  constructor(config: Config, doors: BindDoors) {
    this.#config = config;
    this.#doors = doors;
  }

  /** Binds all that are configured, or none: throws the first failure. */
  async bind(): Promise<void> {
    for (const [name, bind] of this.#wanted()) {
      const result = await bind();
      if (result.ok) {
        this.#bound.set(name, result.value);
        continue;
      }
      this.close();
      throw result.error;
    }
  }

  /** Where each listener is reached. */
  addresses(): ListenerAddress[] {
    return [...this.#bound].map(([listener, { address }]) => ({ listener, address }));
  }

  /** The port of a listener; null when it is a unix socket or does not exist. */
  port(name: ListenerName): number | null {
    return this.#bound.get(name)?.port ?? null;
  }

  /** Gives a worker that is ready all listeners of its kind. */
  give(worker: Worker): void {
    for (const name of this.#bound.keys()) {
      if ((name === 'api') === (worker.place.kind === 'api')) this.#give(worker, name);
    }
  }

  /** True when the worker listens on all that it was given. */
  served(worker: Worker): boolean {
    return [...worker.given].every((name) => worker.listening.has(name));
  }

  /** Gives a listener anew that the worker stopped listening on, unless it was taken from it meanwhile. */
  giveAgain(worker: Worker, name: ListenerName): void {
    worker.listening.delete(name);
    if (worker.given.delete(name)) this.#give(worker, name);
  }

  /** Takes `public` from gateways that are ahead and gives it to those that are not. */
  balance(gateways: readonly Worker[], loads: readonly WorkerLoad[]): void {
    if (!this.#bound.has('public')) return;
    const bySlot = new Map(gateways.map((worker) => [worker.place.slot, worker]));
    const shares = loads.map(({ slot, connections }) => ({
      slot,
      connections,
      accepting: bySlot.get(slot)?.given.has('public') ?? false,
    }));
    const verdict = balanceListeners(shares);
    for (const slot of verdict.startAccepting) {
      const worker = bySlot.get(slot);
      if (worker !== undefined) this.#give(worker, 'public');
    }
    for (const slot of verdict.stopAccepting) {
      const worker = bySlot.get(slot);
      worker?.given.delete('public');
      worker?.listening.delete('public');
      worker?.process.send({ type: 'unlisten', listener: 'public' });
    }
  }

  /** Gives addresses up; without names, all of them. Workers that listen go on until they stop too. */
  close(...names: ListenerName[]): void {
    for (const name of names.length === 0 ? [...this.#bound.keys()] : names) {
      this.#bound.get(name)?.close();
      this.#bound.delete(name);
    }
  }

  #give(worker: Worker, name: ListenerName): void {
    const bound = this.#bound.get(name);
    if (bound === undefined || worker.given.has(name)) return;
    worker.given.add(name);
    worker.process.send({ type: 'listen', listener: name }, bound.handle);
  }

  #wanted(): [ListenerName, () => Binding][] {
    const { sock, host, port } = this.#config;
    const { bindTcp, bindUnix } = this.#doors;
    const wanted: [ListenerName, () => Binding][] = [
      ['public', () => (sock === null ? bindTcp({ host, port }) : bindUnix(sock))],
    ];
    const app = this.#config.app.listen;
    const api = this.#config.api.listen;
    if (app !== null) wanted.push(['app', () => bindTcp(app)]);
    if (api !== null) wanted.push(['api', () => bindTcp(api)]);
    return wanted;
  }
}
