/**
 * A process full of clients that come back, whatever happens to them.
 *
 * Does as its parent says (`return-orders.ts`) and ends with it. A client's first message is the id
 * of its connection, all others are numbered broadcasts.
 */
import { AwaitedNumber } from '../awaited-number.ts';
import { BroadcastOracle } from '../broadcast-oracle.ts';
import { connectPath, spread } from '../crowd.ts';
import { ReturningClient, type ReturnWatcher } from '../returning-client.ts';
import type { ReturnFigures, ReturnOrder, ReturnReport } from './return-orders.ts';

/** How often the parent hears of a change. */
const STATE_MS = 50;
/** How long broadcasts may take to arrive after the last was answered. */
const PATIENCE_MS = 60_000;

type Opening = Extract<ReturnOrder, { type: 'open' }>;

class ReturningClients implements ReturnWatcher {
  readonly #clients = new Map<ReturningClient, number>();
  /** The id of each client's open connection; empty: it has not said hello. */
  readonly #ids: string[];
  readonly #everOpened = new Set<string>();
  readonly #oracle: BroadcastOracle;
  readonly #broadcasts = new AwaitedNumber('broadcasts');
  #attempts: Uint32Array;
  #figures = noFigures();
  #losses = 0;
  #told = '';

  constructor({ port, name, count, channel }: Opening) {
    this.#ids = new Array(count).fill('');
    this.#attempts = new Uint32Array(count);
    this.#oracle = new BroadcastOracle(count, 1);
    for (let index = 0; index < count; index++) {
      const path = connectPath(`${name}-${index}`, [channel]);
      const { localAddress = '127.0.0.1' } = spread({ port }, index);
      this.#clients.set(new ReturningClient({ port, localAddress, path, watcher: this }), index);
    }
    setInterval(() => this.#tellState(), STATE_MS);
    for (const client of this.#clients.keys()) client.connect();
  }

  count(cut: boolean): void {
    this.#attempts = new Uint32Array(this.#ids.length);
    this.#figures = noFigures();
    if (cut) for (const client of this.#clients.keys()) client.cut();
    report({ type: 'counting' });
  }

  tellFigures(): void {
    const attempts = this.#attempts.reduce((sum, count) => sum + count, 0);
    const attemptsMax = this.#attempts.reduce((most, count) => Math.max(most, count), 0);
    report({ type: 'figures', figures: { ...this.#figures, attempts, attemptsMax } });
  }

  tellConnections(): void {
    const open = this.#ids.filter((id) => id !== '');
    report({ type: 'connections', opened: [...this.#everOpened], open });
  }

  async judge(published: number): Promise<void> {
    // When they do not come, the oracle says for whom.
    await this.#broadcasts.reaches(published * this.#ids.length, PATIENCE_MS).catch(() => undefined);
    report({ type: 'verdict', verdict: this.#oracle.verdict([published]) });
  }

  attempted(client: ReturningClient): void {
    const index = this.#indexOf(client);
    this.#attempts[index] = (this.#attempts[index] as number) + 1;
  }

  refused(_client: ReturningClient, status: number): void {
    addTo(this.#figures.refusals, status);
  }

  probed(_client: ReturningClient, status: number, retryAfterMs: number | null): void {
    addTo(this.#figures.probes, status);
    this.#figures.retryAfterMaxMs = Math.max(this.#figures.retryAfterMaxMs, retryAfterMs ?? 0);
  }

  opened(): void {
    this.#figures.lastOpenedAtMs = Date.now();
  }

  lost(client: ReturningClient, code: number): void {
    addTo(this.#figures.ends, code);
    this.#losses++;
    this.#ids[this.#indexOf(client)] = '';
  }

  message(client: ReturningClient, text: string): void {
    const index = this.#indexOf(client);
    if (this.#ids[index] === '') {
      this.#ids[index] = text;
      this.#everOpened.add(text);
      return;
    }
    this.#oracle.message(index, text);
    this.#broadcasts.add(1);
  }

  #indexOf(client: ReturningClient): number {
    const index = this.#clients.get(client);
    if (index === undefined) throw new Error('a client of another process');
    return index;
  }

  #tellState(): void {
    // A client is back when it has its hello.
    const open = this.#ids.reduce((count, id) => (id === '' ? count : count + 1), 0);
    const state = `${open} ${this.#losses}`;
    if (state !== this.#told) report({ type: 'state', open, losses: this.#losses });
    this.#told = state;
  }
}

type Counting = { -readonly [Key in keyof ReturnFigures]: ReturnFigures[Key] } & {
  readonly refusals: Record<string, number>;
  readonly ends: Record<string, number>;
  readonly probes: Record<string, number>;
};

function noFigures(): Counting {
  const none = { attempts: 0, attemptsMax: 0, retryAfterMaxMs: 0, lastOpenedAtMs: 0 };
  return { ...none, refusals: {}, ends: {}, probes: {} };
}

function addTo(counts: Record<string, number>, status: number): void {
  counts[status] = (counts[status] ?? 0) + 1;
}

function report(message: ReturnReport): void {
  process.send?.(message);
}

let clients: ReturningClients | null = null;

process.on('message', (order: ReturnOrder) => {
  switch (order.type) {
    case 'open':
      clients = new ReturningClients(order);
      return;
    case 'count':
      return clients?.count(order.cut);
    case 'figures':
      return clients?.tellFigures();
    case 'connections':
      return clients?.tellConnections();
    case 'judge':
      void clients?.judge(order.published);
  }
});
process.on('disconnect', () => process.exit());
