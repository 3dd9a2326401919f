/**
 * A node of three workers to which anything happens in any order, and a record of what came of it.
 *
 * Every call of the application, every client and every message between workers, from the
 * supervisor and from the application makes one step; the steps are the record's time. What the
 * record must look like is decided by the property test.
 */
import type { FakeGatewayWorker } from '../../../test/fakes/fake-gateways.ts';
import { FakeGateways, granted } from '../../../test/fakes/fake-gateways.ts';
import type { FakeResponse, FakeUpgrade } from '../../../test/fakes/fake-net.ts';
import { FakeRandom } from '../../../test/fakes/fake-random.ts';
import type { WorkerSlot } from '../../base/index.ts';

/** Something that happens to the node. */
export type Happening =
  | { readonly type: 'connect'; readonly slot: WorkerSlot; readonly key: string; readonly channel: string }
  | { readonly type: 'drop'; readonly client: number; readonly politely: boolean }
  | { readonly type: 'send' | 'close'; readonly slot: WorkerSlot; readonly key: string }
  | { readonly type: 'publish'; readonly slot: WorkerSlot; readonly channel: string }
  | {
      readonly type: 'subscribe' | 'unsubscribe';
      readonly slot: WorkerSlot;
      readonly key: string;
      readonly channel: string;
    }
  | { readonly type: 'kill'; readonly slot: WorkerSlot }
  | { readonly type: 'cut'; readonly left: WorkerSlot; readonly right: WorkerSlot }
  | { readonly type: 'wait'; readonly ms: number };

/** One client; times are steps. */
export interface Client {
  readonly key: string;
  readonly channel: string;
  readonly upgrade: FakeUpgrade;
  readonly worker: FakeGatewayWorker;
  readonly askedAt: number;
  openedAt: number;
  endedAt: number;
}

/** One call of the application. */
export interface Call {
  readonly happening: Extract<Happening, { slot: WorkerSlot }>;
  readonly text: string;
  readonly response: FakeResponse;
  readonly worker: FakeGatewayWorker;
  readonly postedAt: number;
  answeredAt: number;
}

const NEVER = Number.POSITIVE_INFINITY;
const WORKERS = 3;

/** Lets things happen and keeps the record. */
export class RandomNode {
  readonly node = new FakeGateways({ workers: WORKERS });
  readonly clients: Client[] = [];
  readonly calls: Call[] = [];
  readonly killed = new Set<FakeGatewayWorker>();
  readonly #random: FakeRandom;
  readonly #pairs: (readonly [WorkerSlot, WorkerSlot])[] = [];
  /** What the supervisor has sent and the workers have not read. */
  readonly #news: {
    readonly worker: FakeGatewayWorker;
    readonly tell: (worker: FakeGatewayWorker) => void;
  }[] = [];
  #replacing: WorkerSlot[] = [];
  #now = 0;

  constructor(seed: number) {
    this.#random = new FakeRandom(seed);
    for (let from = 0; from < WORKERS; from++) {
      for (let to = 0; to < WORKERS; to++) this.#pairs.push([from, to]);
    }
  }

  /** Calls that have an answer. */
  get answered(): Call[] {
    return this.calls.filter(({ answeredAt }) => answeredAt < NEVER);
  }

  /** The id under which the application was asked about a client; null when it never was. */
  connectionOf(client: Client): string | null {
    const number = `${this.clients.indexOf(client)}`;
    const asked = this.node.app.to('/connect').find(({ call }) => {
      return new URL(call.url).searchParams.get('client') === number;
    });
    return asked?.header('X-Arrokoth-Connection') ?? null;
  }

  /** One thing happens, and some of what is under way arrives. */
  happen(happening: Happening): void {
    this.#begin(happening);
    this.#look();
    for (let steps = this.#random.below(12); steps > 0; steps--) this.#step();
  }

  /** Everything arrives, everybody is replaced, nobody has to wait any more. */
  finish(): void {
    while (this.#step());
    for (const [from, to] of this.#pairs) this.node.network.release(from, to);
    this.node.advance(8_000);
    this.#look();
  }

  #begin(happening: Happening): void {
    const { node } = this;
    switch (happening.type) {
      case 'connect':
        return this.#connect(happening);
      case 'drop':
        return this.#drop(happening);
      case 'kill':
        return this.#kill(happening.slot);
      case 'cut':
        return node.network.cut(happening.left, happening.right);
      case 'wait':
        for (const { gateway } of node.living) gateway.grant(granted('normal'));
        return node.time.advance(happening.ms);
      default:
        return this.#call(happening);
    }
  }

  #connect({ slot, key, channel }: Extract<Happening, { type: 'connect' }>): void {
    const worker = this.#living(slot);
    if (worker === undefined) return;
    const number = this.clients.length;
    const upgrade = this.node.ask(`key=${key}&channel=${channel}&hello=hello&client=${number}`, slot);
    this.clients.push({
      ...{ key, channel, upgrade, worker },
      ...{ askedAt: this.#now, openedAt: NEVER, endedAt: NEVER },
    });
  }

  #drop({ client, politely }: Extract<Happening, { type: 'drop' }>): void {
    const dropped = this.clients[client % Math.max(1, this.clients.length)];
    if (dropped === undefined || this.killed.has(dropped.worker)) return;
    if (politely) dropped.upgrade.connection?.leave();
    else dropped.upgrade.leave();
  }

  #call(happening: Call['happening']): void {
    const worker = this.#living(happening.slot);
    if (worker === undefined) return;
    const sessions = 'key' in happening ? [happening.key] : [];
    const channels = 'channel' in happening ? [happening.channel] : [];
    const text = `${this.calls.length}`;
    const path = happening.type === 'publish' ? '/send' : `/${happening.type}`;
    const response = this.node.post(path, { sessions, channels }, text, happening.slot);
    this.calls.push({ happening, text, response, worker, postedAt: this.#now, answeredAt: NEVER });
  }

  #kill(slot: WorkerSlot): void {
    // One at a time: a worker that dies while all others are new has nobody left to repeat anything.
    if (this.#replacing.length > 0 || this.#living(slot) === undefined) return;
    this.killed.add(this.node.kill(slot));
    this.#replacing.push(slot);
    this.#announce();
  }

  #announce(): void {
    const tell = this.node.news();
    for (const worker of this.node.living) this.#news.push({ worker, tell });
  }

  /** One thing arrives somewhere; false when nothing is under way. */
  #step(): boolean {
    const moved = this.#move();
    if (this.#random.fraction() < 0.8 || !moved) this.node.time.endTurn();
    this.#look();
    return moved;
  }

  #move(): boolean {
    const moves = shuffled(
      [() => this.#stepNetwork(), () => this.node.app.step(), () => this.#readNews()],
      this.#random,
    );
    if (this.#replacing.length > 0) {
      if (this.#random.below(10) === 0) return this.#replace();
      moves.push(() => this.#replace());
    }
    return moves.some((move) => move());
  }

  /** The workers' messages overtake each other, except those from one to another. */
  #stepNetwork(): boolean {
    const { network } = this.node;
    for (const [from, to] of this.#pairs) network.hold(from, to);
    return shuffled(this.#pairs, this.#random).some(([from, to]) => {
      network.release(from, to);
      const moved = network.step();
      network.hold(from, to);
      return moved;
    });
  }

  #readNews(): boolean {
    const first = this.#news[this.#random.below(Math.max(1, this.#news.length))];
    if (first === undefined) return false;
    // News for one worker keep their order.
    const index = this.#news.findIndex(({ worker }) => worker === first.worker);
    this.#news.splice(index, 1).forEach(({ worker, tell }) => {
      if (!this.killed.has(worker)) tell(worker);
    });
    return true;
  }

  #replace(): boolean {
    const slot = this.#replacing.shift();
    if (slot === undefined) return false;
    this.node.replace(slot);
    this.#announce();
    return true;
  }

  #living(slot: WorkerSlot): FakeGatewayWorker | undefined {
    return this.node.living.find((worker) => worker.slot === slot);
  }

  /** Notes what has changed. */
  #look(): void {
    this.#now++;
    for (const client of this.clients) {
      const { connection } = client.upgrade;
      if (client.openedAt === NEVER && connection !== null) client.openedAt = this.#now;
      const over = this.killed.has(client.worker) || connection?.open === false || client.upgrade.refused;
      if (client.endedAt === NEVER && over) client.endedAt = this.#now;
    }
    for (const call of this.calls) {
      // What a dead process seems to answer, because its code runs on in ours, reaches nobody.
      if (call.answeredAt !== NEVER || this.killed.has(call.worker)) continue;
      if (call.response.answer !== null) call.answeredAt = this.#now;
    }
  }
}

function shuffled<Value>(values: readonly Value[], random: FakeRandom): Value[] {
  const result = [...values];
  for (let index = result.length - 1; index > 0; index--) {
    const other = random.below(index + 1);
    [result[index], result[other]] = [result[other] as Value, result[index] as Value];
  }
  return result;
}
