/**
 * Reloads of one node: the configuration is read again, and every worker acts on what came of it.
 *
 * One at a time; whoever asks during one shares the next, because the file may have changed since.
 * How the file is read and which of its keys may change is the caller's knowledge. A worker that is
 * started later is given the configuration in force by the supervisor, so it is not awaited here.
 */
import type { Cancellable, Clock, Logger, Result, Timers } from '../base/index.ts';
import type { Config, ConfigChanges } from '../config/index.ts';
import type { ReloadCounts, ReloadReport } from '../process/index.ts';
import type { Worker } from './worker.ts';

/** What reading the configuration again came to. */
export interface RereadConfig {
  /** In force from now on: keys that need a restart are as they were. */
  readonly config: Config;
  readonly changes: ConfigChanges;
  readonly warnings: readonly string[];
}

/** Reads the configuration again; the failure is one line a problem, and then nothing has changed. */
export type Reread = () => Result<RereadConfig, readonly string[]>;

/** What reloading takes. */
export interface ReloadingDoors {
  readonly config: Config;
  readonly reread: Reread;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly logger: Logger;
  /** The processes that live now, ready or not. */
  readonly workers: () => Iterable<Worker>;
  /** Whether the node is about to end. */
  readonly stopping: () => boolean;
  /** What `X-Kuiperbelt-Endpoint` says under a configuration. */
  readonly endpointOf: (config: Config) => string;
}

/** A worker answers within its next turns; one that is busy for this long is named and not awaited. */
const ANSWER_TIMEOUT_MS = 5_000;
const NONE: Omit<ReloadReport, 'result'> = {
  applied: [],
  restart: [],
  problems: [],
  warnings: [],
  late: [],
};

/** The configuration in force, and how it is replaced. */
export class Reloading {
  readonly #doors: ReloadingDoors;
  #config: Config;
  #counts: ReloadCounts;
  #generation = 0;
  #running: Promise<ReloadReport> | null = null;
  #next: Promise<ReloadReport> | null = null;
  /** Workers that have not answered, and what to do when none is left. */
  readonly #awaited = new Set<Worker>();
  #allAnswered: () => void = () => {};

  constructor(doors: ReloadingDoors) {
    this.#doors = doors;
    this.#config = doors.config;
    const readAtMs = doors.clock.wallMs();
    this.#counts = { type: 'reloads', applied: 0, unchanged: 0, refused: 0, readAtMs };
  }

  /** The configuration in force. */
  get config(): Config {
    return this.#config;
  }

  /** Reads the file once more after this call, and says what came of it. Never rejects. */
  request(): Promise<ReloadReport> {
    if (this.#running === null) return this.#begin();
    this.#next ??= this.#running.then(() => {
      this.#next = null;
      return this.#begin();
    });
    return this.#next;
  }

  /** A worker acts on the configuration of `generation`. */
  answered(worker: Worker, generation: number): void {
    if (generation === this.#generation) this.#awaitNoLonger(worker);
  }

  /** A worker that is gone cannot answer; who takes its place has been given the configuration. */
  ended(worker: Worker): void {
    this.#awaitNoLonger(worker);
  }

  /** Tells the one who shows figures where they stand. */
  tellCounts(worker: Worker): void {
    if (worker.place.kind === 'api') worker.process.send(this.#counts);
  }

  #begin(): Promise<ReloadReport> {
    const running = this.#run().then((report) => {
      if (this.#running === running) this.#running = null;
      return report;
    });
    this.#running = running;
    return running;
  }

  async #run(): Promise<ReloadReport> {
    const { reread, stopping, logger } = this.#doors;
    if (stopping()) return { ...NONE, result: 'refused', problems: ['the node is stopping'] };
    const read = reread();
    if (!read.ok) {
      for (const problem of read.error) logger.error({ problem }, 'configuration problem');
      logger.error({ problems: read.error.length }, 'the configuration is refused; nothing has changed');
      this.#count('refused');
      return { ...NONE, result: 'refused', problems: read.error };
    }
    const { config, changes, warnings } = read.value;
    for (const warning of warnings) logger.warn({}, warning);
    const report = { ...NONE, applied: changes.live, restart: changes.restart, warnings };
    const result = changes.live.length > 0 ? 'applied' : 'unchanged';
    this.#config = config;
    const late = result === 'applied' ? await this.#spread(config) : [];
    const facts = { applied: changes.live, restart: changes.restart, late };
    const severity = changes.restart.length > 0 || late.length > 0 ? 'warn' : 'info';
    logger[severity](facts, result === 'applied' ? 'configuration reloaded' : 'configuration unchanged');
    this.#count(result);
    return { ...report, result, late };
  }

  /** Resolves with the names of workers that have not answered in time. */
  #spread(config: Config): Promise<string[]> {
    this.#generation++;
    const endpoint = this.#doors.endpointOf(config);
    const message = { type: 'reload', generation: this.#generation, config, endpoint } as const;
    this.#awaited.clear();
    for (const worker of this.#doors.workers()) {
      this.#awaited.add(worker);
      worker.process.send(message);
    }
    if (this.#awaited.size === 0) return Promise.resolve([]);
    return new Promise((resolve) => {
      const finish = (): void => {
        tooLate.cancel();
        this.#allAnswered = () => {};
        resolve([...this.#awaited].map(({ place }) => `${place.kind}/${place.slot}`));
        this.#awaited.clear();
      };
      const tooLate: Cancellable = this.#doors.timers.after(ANSWER_TIMEOUT_MS, finish);
      this.#allAnswered = finish;
    });
  }

  #awaitNoLonger(worker: Worker): void {
    if (this.#awaited.delete(worker) && this.#awaited.size === 0) this.#allAnswered();
  }

  #count(result: ReloadReport['result']): void {
    const readAtMs = result === 'refused' ? this.#counts.readAtMs : this.#doors.clock.wallMs();
    this.#counts = { ...this.#counts, [result]: this.#counts[result] + 1, readAtMs };
    for (const worker of this.#doors.workers()) this.tellCounts(worker);
  }
}
