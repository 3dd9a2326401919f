/**
 * The bus between the workers of one node: a unix socket for each, a link each way for each pair.
 *
 * A worker asks over the links that it dialled and answers over those that were dialled to it. A
 * run of a sister is one thing: when either of its two links breaks, both are cut, `onSisterDown`
 * is called and nothing more of that run is heard. If the supervisor still names it, it is dialled
 * again and comes up anew. Questions to this worker itself take no socket.
 */
import { rmSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import {
  ArrokothError,
  assert,
  type Cancellable,
  type Clock,
  failed,
  isLaterRun,
  isSameWorker,
  LIMITS,
  type Logger,
  type Meter,
  ok,
  type Seat,
  type Timers,
  workerAddress,
} from '../base/index.ts';
import type { WorkerKind, WorkerPlace } from '../process/index.ts';
import { type AskDone, AskTable } from './ask-table.ts';
import type { Bus, BusFailure, BusHandler, BusMessage, Reply, Sister } from './bus.ts';
import { NO_BYTES } from './bus.ts';
import type { LinkFrame } from './frame-codec.ts';
import { InboundLink } from './inbound-link.ts';
import { type Greeting, SisterLink } from './sister-link.ts';
import { type WaitingAsk, WaitingAsks } from './waiting-asks.ts';

/** What a worker's bus needs to know and to be given. */
export interface MeshOptions {
  readonly self: Sister;
  /** An api worker asks the gateways but is nobody's sister: it is never dialled. */
  readonly kind: WorkerKind;
  /** Where this run listens; in a directory of the node's user alone. */
  readonly meshPath: string;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly logger: Logger;
  readonly meter?: Meter;
  readonly outboxBytesMax?: number;
}

const FAILURES: readonly string[] = ['unreachable', 'timeout', 'overloaded'] satisfies BusFailure[];

/** The place of one worker run on the bus of its node. */
export class MeshBus implements Bus {
  readonly self: Sister;
  readonly #options: MeshOptions;
  readonly #outboxBytesMax: number;
  readonly #asks = new AskTable();
  readonly #waiting = new WaitingAsks();
  readonly #handlers = new Map<string, BusHandler>();
  readonly #upListeners: ((sister: Sister) => void)[] = [];
  readonly #downListeners: ((sister: Sister) => void)[] = [];
  /** Our links, one for each seat that the supervisor names. */
  readonly #links = new Map<Seat, SisterLink>();
  readonly #inbound = new Set<InboundLink>();
  /** Runs that we heard of over a link, so that each one's end is told, and told once. */
  readonly #present = new Map<Seat, Sister>();
  #server: Server | null = null;
  #sweep: Cancellable | null = null;
  #tellsDropped = 0;
  #closed = false;

  constructor(options: MeshOptions) {
    this.self = options.self;
    this.#options = options;
    this.#outboxBytesMax = options.outboxBytesMax ?? LIMITS.linkOutboxBytesMax;
    if (options.meter !== undefined) this.#observe(options.meter);
  }

  /** Starts to be reachable; rejects with `LISTEN_FAILED`. Nothing to do for an api worker. */
  async listen(): Promise<void> {
    if (this.#options.kind !== 'gateway') return;
    const path = this.#options.meshPath;
    // The name belongs to this run alone: a file that has it was left by a node that was killed.
    rmSync(path, { force: true });
    const server = createServer((socket) => {
      const events = this.#inboundEvents;
      const doors = { timers: this.#options.timers, events, outboxBytesMax: this.#outboxBytesMax };
      this.#inbound.add(new InboundLink(socket, doors));
    });
    this.#server = server;
    await new Promise<void>((resolve, reject) => {
      server.once('error', (cause) => reject(new ArrokothError('LISTEN_FAILED', `${path}.`, { cause })));
      server.listen({ path }, resolve);
    });
  }

  /** Takes the supervisor's list of workers that are up: dials new runs, ends those that are gone. */
  peers(places: readonly WorkerPlace[]): void {
    if (this.#closed) return;
    const { node, epoch } = this.self;
    const wanted = new Map<Seat, readonly [sister: Sister, path: string]>();
    for (const { kind, slot, run, meshPath } of places) {
      const sister = workerAddress({ node, epoch, slot, run });
      if (kind === 'gateway' && !this.#isSelf(sister.seat)) wanted.set(sister.seat, [sister, meshPath]);
    }
    for (const [seat, link] of this.#links) {
      const named = wanted.get(seat);
      if (named !== undefined && isSameWorker(named[0], link.sister)) continue;
      this.#links.delete(seat);
      link.stop();
      this.#end(link.sister);
      this.#asks.failOwner(link, 'unreachable');
    }
    for (const [seat, [sister, path]] of wanted) {
      this.#endEarlierRuns(sister);
      if (!this.#links.has(seat)) this.#links.set(seat, this.#dial(sister, path));
    }
  }

  sisters(): readonly Sister[] {
    const sisters: Sister[] = this.#options.kind === 'gateway' ? [this.self] : [];
    for (const link of this.#links.values()) {
      if (link.up) sisters.push(link.sister);
    }
    return sisters.sort((left, right) => left.slot - right.slot);
  }

  ask(seat: Seat, message: BusMessage, timeoutMs: number, done: AskDone): void {
    if (this.#closed) return this.#failLater(done, 'unreachable');
    const deadlineMs = this.#options.clock.monotonicMs() + timeoutMs;
    const ask: WaitingAsk = { message, deadlineMs, done };
    this.#sweep ??= this.#options.timers.every(LIMITS.linkSweepMs, () => this.#sweepOverdue());
    if (this.#isSelf(seat)) return this.#askSelf(ask);
    const link = this.#links.get(seat);
    if (link?.up) this.#askOver(link, ask);
    else if (!this.#waiting.add(seat, ask)) this.#failLater(done, 'overloaded');
  }

  tell(seat: Seat, message: BusMessage): void {
    if (this.#closed) return;
    if (this.#isSelf(seat)) {
      queueMicrotask(() => this.#handlers.get(message.kind)?.(this.self, message, () => {}));
      return;
    }
    const link = this.#links.get(seat);
    if (link?.up && !link.send({ type: 'tell', id: 0, ...message })) this.#noteDroppedTell(seat, message);
  }

  handle(kind: string, handler: BusHandler): void {
    assert(!this.#handlers.has(kind), 'a kind of message has one handler');
    this.#handlers.set(kind, handler);
  }

  onSisterUp(listener: (sister: Sister) => void): void {
    this.#upListeners.push(listener);
  }

  onSisterDown(listener: (sister: Sister) => void): void {
    this.#downListeners.push(listener);
  }

  /** Leaves the bus without telling anybody here; open questions end as `unreachable`. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#sweep?.cancel();
    for (const link of this.#links.values()) link.stop();
    for (const link of this.#inbound) link.cut();
    this.#options.timers.endOfTurn(() => {
      this.#asks.sweep(Number.POSITIVE_INFINITY, 'unreachable');
      this.#waiting.sweep(Number.POSITIVE_INFINITY);
    });
    const server = this.#server;
    if (server?.listening) await new Promise<void>((resolve) => server.close(() => resolve()));
  }

  #isSelf(seat: Seat): boolean {
    return seat === this.self.seat && this.#options.kind === 'gateway';
  }

  // Questions -----------------------------------------------------------------------------------

  #askOver(link: SisterLink, { message, deadlineMs, done }: WaitingAsk): void {
    const id = this.#asks.add({ owner: link, deadlineMs, done });
    if (id === null) return this.#failLater(done, 'overloaded');
    if (link.send({ type: 'ask', id, ...message })) return;
    this.#asks.withdraw(id);
    this.#failLater(done, 'overloaded');
  }

  /** A microtask is the soonest that is not now: it runs when the asker's own code has returned. */
  #askSelf({ message, deadlineMs, done }: WaitingAsk): void {
    const id = this.#asks.add({ owner: this, deadlineMs, done });
    if (id === null) return this.#failLater(done, 'overloaded');
    queueMicrotask(() => {
      const handler = this.#handlers.get(message.kind);
      if (handler !== undefined && !this.#closed) {
        const reply: Reply = (facts, bytes = NO_BYTES) => this.#asks.settle(id, this, ok({ facts, bytes }));
        handler(this.self, message, once(reply));
        return;
      }
      this.#asks.withdraw(id);
      this.#failLater(done, 'unreachable');
    });
  }

  /** At the end of the turn and not sooner: an asker that tries again at once must not starve the rest. */
  #failLater(done: AskDone, failure: BusFailure): void {
    this.#options.timers.endOfTurn(() => done(failed(failure)));
  }

  #sweepOverdue(): void {
    const nowMs = this.#options.clock.monotonicMs();
    this.#asks.sweep(nowMs, 'timeout');
    this.#waiting.sweep(nowMs);
    if (this.#asks.size > 0 || this.#waiting.size > 0) return;
    this.#sweep?.cancel();
    this.#sweep = null;
  }

  #noteDroppedTell(seat: Seat, message: BusMessage): void {
    this.#tellsDropped++;
    if (this.#tellsDropped > 1) return;
    const fields = { seat, kind: message.kind };
    this.#options.logger.warn(fields, 'a sister worker takes no more messages; they are dropped and counted');
  }

  // Our links -----------------------------------------------------------------------------------

  #dial(sister: Sister, path: string): SisterLink {
    const { self, kind, timers } = this.#options;
    const events = {
      onUp: (link: SisterLink) => this.#cameUp(link),
      onDown: (link: SisterLink, fault: string | null) => {
        if (fault !== null) this.#complain(link.sister, fault);
        this.#end(link.sister);
        this.#asks.failOwner(link, 'unreachable');
      },
      onFrame: (link: SisterLink, frame: LinkFrame) => this.#hearAnswer(link, frame),
    };
    return new SisterLink({ self, kind, sister, path, timers, events, outboxBytesMax: this.#outboxBytesMax });
  }

  /** What waited goes first, in its order; then listeners may say again what an earlier run knew. */
  #cameUp(link: SisterLink): void {
    this.#endEarlierRuns(link.sister);
    this.#present.set(link.sister.seat, link.sister);
    for (const ask of this.#waiting.take(link.sister.seat)) this.#askOver(link, ask);
    for (const listener of this.#upListeners) listener(link.sister);
  }

  #hearAnswer(link: SisterLink, frame: LinkFrame): void {
    const { id, facts, bytes } = frame;
    if (frame.type === 'answer') return this.#asks.settle(id, link, ok({ facts, bytes }));
    if (frame.type === 'refused' && FAILURES.includes(facts as string)) {
      return this.#asks.settle(id, link, failed(facts as BusFailure));
    }
    this.#complain(link.sister, `it sent ${frame.type} where an answer was due`);
    this.#end(link.sister);
  }

  // Links of others -----------------------------------------------------------------------------

  readonly #inboundEvents = {
    onGreeting: (link: InboundLink, greeting: Greeting) => this.#admit(link, greeting),
    onFrame: (link: InboundLink, from: Sister, frame: LinkFrame) => this.#serve(link, from, frame),
    onBroken: (link: InboundLink, fault: string | null) => {
      if (fault !== null) this.#complain(link.sister, fault);
      if (this.#inbound.delete(link) && link.sister !== null) this.#end(link.sister);
    },
  };

  /** The list of a sister may be ahead of ours, so an unknown newer run is believed; an older one is not. */
  #admit(link: InboundLink, { from, kind, to }: Greeting): boolean {
    if (!isSameWorker(to, this.self)) return false;
    if (kind !== 'gateway') return true;
    const named = this.#links.get(from.seat)?.sister ?? from;
    const present = this.#present.get(from.seat) ?? from;
    if (from.node !== this.self.node || this.#isSelf(from.seat)) return false;
    if (isLaterRun(named, from) || isLaterRun(present, from)) return false;
    this.#endEarlierRuns(from);
    // It dials again because it thinks that we are gone: for both sides that is a new beginning.
    const dialsAgain = [...this.#inbound].some((other) => other !== link && isSame(other.sister, from));
    if (dialsAgain) this.#end(from);
    this.#present.set(from.seat, from);
    return true;
  }

  #serve(link: InboundLink, from: Sister, frame: LinkFrame): void {
    const { type, id, kind, facts, bytes } = frame;
    const handler = this.#handlers.get(kind);
    const message: BusMessage = { kind, facts, bytes };
    if (type === 'tell') {
      handler?.(from, message, () => {});
    } else if (type === 'ask') {
      const refuse = (failure: BusFailure) => {
        link.send({ type: 'refused', id, kind: '', facts: failure, bytes: NO_BYTES });
      };
      if (handler === undefined) return refuse('unreachable');
      const reply: Reply = (answer, rest = NO_BYTES) => {
        const sent = link.send({ type: 'answer', id, kind: '', facts: answer, bytes: rest });
        // Too large, or too much waits: if this does not go out either, the asker's patience ends it.
        if (!sent) refuse('overloaded');
      };
      handler(from, message, once(reply));
    } else {
      this.#complain(from, `it sent ${type} where a question was due`);
      this.#inbound.delete(link);
      link.cut();
      if (link.sister !== null) this.#end(link.sister);
    }
  }

  // Runs ----------------------------------------------------------------------------------------

  /** A seat has one run at a time: news of a later one ends an earlier one. */
  #endEarlierRuns(sister: Sister): void {
    const present = this.#present.get(sister.seat);
    if (present !== undefined && isLaterRun(sister, present)) this.#end(present);
  }

  /** Cuts everything that leads to a run and says so; without effect for a run that has ended. */
  #end(sister: Sister): void {
    const present = this.#present.get(sister.seat);
    if (present === undefined || !isSameWorker(present, sister) || this.#closed) return;
    this.#present.delete(sister.seat);
    for (const inbound of this.#inbound) {
      if (!isSame(inbound.sister, sister)) continue;
      this.#inbound.delete(inbound);
      inbound.cut();
    }
    const link = this.#links.get(sister.seat);
    const wasOurs = link !== undefined && isSame(link.sister, sister);
    if (wasOurs && link.up) link.restart();
    for (const listener of this.#downListeners) listener(sister);
    if (wasOurs) this.#asks.failOwner(link, 'unreachable');
  }

  #complain(sister: Sister | null, fault: string): void {
    this.#options.logger.warn({ ...sister, fault }, 'a link between workers was cut');
  }

  #observe(meter: Meter): void {
    const pending = 'Questions to sister workers without an answer so far.';
    const dropped = 'Messages to sister workers that were dropped because too much waited.';
    const waiting = 'Bytes for sister workers that were not taken so far.';
    meter.observed({ name: 'arrokoth_bus_asks_pending', help: pending, type: 'gauge' }, () => {
      return this.#asks.size + this.#waiting.size;
    });
    meter.observed({ name: 'arrokoth_bus_tells_dropped_total', help: dropped, type: 'counter' }, () => {
      return this.#tellsDropped;
    });
    meter.observed({ name: 'arrokoth_bus_outbox_bytes', help: waiting, type: 'gauge' }, () => {
      return [...this.#links.values()].reduce((sum, link) => sum + link.waitingBytes, 0);
    });
  }
}

function isSame(left: Sister | null, right: Sister): boolean {
  return left !== null && isSameWorker(left, right);
}

/** Makes the second answer to one question the bug that it is. */
function once(reply: Reply): Reply {
  let replied = false;
  return (facts, bytes) => {
    assert(!replied, 'a question is answered once');
    replied = true;
    reply(facts, bytes);
  };
}
