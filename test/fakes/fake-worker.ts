/**
 * A worker process without a process: a test speaks for it and reads what it was sent.
 *
 * Ends are told at the end of a turn of the test's time, as a real one's are told later than the
 * kill that caused them.
 */
import type { Timers } from '../../src/base/index.ts';
import type {
  FromWorker,
  ListenerName,
  ListenHandle,
  StatsCounters,
  ToWorker,
  WorkerExit,
  WorkerInit,
  WorkerKind,
  WorkerProcess,
} from '../../src/process/index.ts';
import { NO_STATS } from '../../src/process/index.ts';

/** One message that the worker was sent. */
export interface SentToWorker {
  readonly message: ToWorker;
  readonly handle: ListenHandle | null;
}

/** A process that does what the test says. */
export class FakeWorker implements WorkerProcess {
  readonly kind: WorkerKind;
  readonly pid: number;
  readonly sent: SentToWorker[] = [];
  killed = false;
  alive = true;
  /** Its event loop is blocked: it answers no grants. */
  hung = false;
  readonly #timers: Timers;
  #message: (message: FromWorker) => void = () => {};
  #exit: (exit: WorkerExit) => void = () => {};

  constructor(kind: WorkerKind, pid: number, timers: Timers) {
    this.kind = kind;
    this.pid = pid;
    this.#timers = timers;
  }

  send(message: ToWorker, handle?: ListenHandle): void {
    if (!this.alive) return;
    this.sent.push({ message, handle: handle ?? null });
    if (message.type === 'grant' && !this.hung) this.say({ type: 'alive' });
  }

  kill(): void {
    this.killed = true;
    this.#timers.endOfTurn(() => this.end({ code: null, signal: 'SIGKILL' }));
  }

  onMessage(listener: (message: FromWorker) => void): void {
    this.#message = listener;
  }

  onExit(listener: (exit: WorkerExit) => void): void {
    this.#exit = listener;
  }

  /** Speaks to the supervisor. */
  say(message: FromWorker): void {
    if (this.alive) this.#message(message);
  }

  /** Reports counters; those not named are 0. */
  report(stats: Partial<StatsCounters>): void {
    this.say({ type: 'load', stats: { ...NO_STATS, ...stats } });
  }

  /** Ends the process, once. */
  end(exit: WorkerExit = { code: 1, signal: null }): void {
    if (!this.alive) return;
    this.alive = false;
    this.#exit(exit);
  }

  /** The messages of one type, in order. */
  got<Type extends ToWorker['type']>(type: Type): Extract<ToWorker, { type: Type }>[] {
    return this.sent
      .map(({ message }) => message)
      .filter((message): message is Extract<ToWorker, { type: Type }> => message.type === type);
  }

  /** What it was told at first. */
  get init(): WorkerInit {
    const init = this.got('init')[0];
    if (init === undefined) throw new Error('the worker has not been told what it is');
    return init;
  }

  /** The listeners that it holds, by what it was told. */
  get listeners(): ListenerName[] {
    const held = new Set<ListenerName>();
    for (const { message } of this.sent) {
      if (message.type === 'listen') held.add(message.listener);
      if (message.type === 'unlisten') held.delete(message.listener);
    }
    return [...held];
  }
}
