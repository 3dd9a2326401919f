/**
 * A crowd of clients that come back, spread over processes, as a test commands it.
 *
 * One process holds as many sockets as its descriptors allow; the rules that the clients follow are
 * those of the browser's module.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { AwaitedList } from '../support/awaited-list.ts';
import { cleanUpAfterwards } from '../support/cleanup.ts';
import type { BroadcastVerdict } from './broadcast-oracle.ts';
import type { ReturnFigures, ReturnOrder, ReturnReport } from './clients/return-orders.ts';

const CLIENTS = fileURLToPath(new URL('clients/returning-clients.ts', import.meta.url));
/** A storm of the slowest machine; then it will not end. */
const PATIENCE_MS = 120_000;

type Told<Type> = Extract<ReturnReport, { type: Type }>;

/** Whom to open. */
export interface ReturningCrowdOptions {
  readonly port: number;
  readonly processes: number;
  readonly count: number;
  readonly channel: string;
}

export class ReturningCrowd {
  readonly #options: ReturningCrowdOptions;
  readonly #members: Member[];

  constructor(options: ReturningCrowdOptions) {
    this.#options = options;
    this.#members = Array.from({ length: options.processes }, (_, index) => new Member(index));
  }

  /** Has everybody connect at once. */
  open(): void {
    const { port, channel, count, processes } = this.#options;
    for (const member of this.#members) {
      const order = { port, channel, name: member.name, count: count / processes };
      member.send({ type: 'open', ...order });
    }
  }

  /** Connections that broke so far. */
  get losses(): number {
    return this.#members.reduce((sum, { state }) => sum + state.losses, 0);
  }

  /** Begins to count anew; with `cut` everybody's connection is reset, and they all come back at once. */
  async count({ cut }: { readonly cut: boolean }): Promise<void> {
    await Promise.all(this.#members.map((member) => member.ask({ type: 'count', cut }, 'counting')));
  }

  /** Resolves when `losses` connections broke in all, and everybody has one again. */
  async everyoneIsBack(losses: number): Promise<void> {
    const each = this.#options.count / this.#options.processes;
    const isSo = (): boolean =>
      this.losses >= losses && this.#members.every(({ state }) => state.open === each);
    const untilMs = performance.now() + PATIENCE_MS;
    while (!isSo()) {
      const leftMs = untilMs - performance.now();
      const open = this.#members.map(({ state }) => state.open);
      if (leftMs <= 0) throw new Error(`open: ${open} of ${each} each, broken: ${this.losses} of ${losses}`);
      await Promise.race(this.#members.map((member) => member.nextState(leftMs)));
    }
  }

  /** What they met since `count`, together. */
  async figures(): Promise<ReturnFigures> {
    const reports = await Promise.all(
      this.#members.map((member) => member.ask({ type: 'figures' }, 'figures')),
    );
    const all = reports.map(({ figures }) => figures);
    const most = (read: (figures: ReturnFigures) => number): number => Math.max(...all.map(read));
    return {
      attempts: all.reduce((sum, { attempts }) => sum + attempts, 0),
      attemptsMax: most(({ attemptsMax }) => attemptsMax),
      refusals: sumOf(all.map(({ refusals }) => refusals)),
      ends: sumOf(all.map(({ ends }) => ends)),
      probes: sumOf(all.map(({ probes }) => probes)),
      retryAfterMaxMs: most(({ retryAfterMaxMs }) => retryAfterMaxMs),
      lastOpenedAtMs: most(({ lastOpenedAtMs }) => lastOpenedAtMs),
    };
  }

  /** Ids of all connections that ever opened, and of those that are open. */
  async connections(): Promise<{ readonly opened: Set<string>; readonly open: Set<string> }> {
    const reports = await Promise.all(
      this.#members.map((member) => member.ask({ type: 'connections' }, 'connections')),
    );
    return {
      opened: new Set(reports.flatMap(({ opened }) => opened)),
      open: new Set(reports.flatMap(({ open }) => open)),
    };
  }

  async judge(published: number): Promise<BroadcastVerdict[]> {
    const order = { type: 'judge', published } as const;
    const reports = await Promise.all(this.#members.map((member) => member.ask(order, 'verdict')));
    return reports.map(({ verdict }) => verdict);
  }
}

function sumOf(counts: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const sum: Record<string, number> = {};
  for (const one of counts) for (const key in one) sum[key] = (sum[key] ?? 0) + (one[key] as number);
  return sum;
}

/** One process of clients. */
class Member {
  readonly name: string;
  state = { open: 0, losses: 0 };
  readonly #child: ChildProcess;
  #reports = new AwaitedList<ReturnReport>('reports of the clients');

  constructor(index: number) {
    this.name = `process-${index}`;
    this.#child = fork(CLIENTS, [], { execArgv: ['--import', import.meta.resolve('tsx')] });
    this.#child.on('message', (message) => this.#take(message as ReturnReport));
    this.#child.on('exit', (code) => this.#reports.end(new Error(`the clients ended with ${code}`)));
    cleanUpAfterwards(() => {
      this.#child.kill('SIGKILL');
    });
  }

  send(order: ReturnOrder): void {
    this.#child.send(order);
  }

  async ask<Type extends ReturnReport['type']>(order: ReturnOrder, type: Type): Promise<Told<Type>> {
    const earlier = this.#reports.items.filter((report) => report.type === type).length;
    this.send(order);
    const reports = await this.#reports.atLeast(earlier + 1, (report) => report.type === type, PATIENCE_MS);
    return reports.at(-1) as Told<Type>;
  }

  async nextState(timeoutMs: number): Promise<void> {
    const isState = ({ type }: ReturnReport): boolean => type === 'state';
    const earlier = this.#reports.items.filter(isState).length;
    await this.#reports.atLeast(earlier + 1, isState, timeoutMs);
  }

  #take(report: ReturnReport): void {
    if (report.type === 'state') this.state = report;
    this.#reports.push(report);
  }
}
