/**
 * The bus between workers: a unix socket for each within its node, a TCP socket for those of others,
 * a link each way for each pair.
 *
 * A worker asks over the links that it dialled and answers over those that were dialled to it. A
 * run of a sister is one thing: when either of its two links breaks, both are cut, `onSisterDown`
 * is called and nothing more of that run is heard. If the supervisor or the view still names it, it
 * is dialled again and comes up anew; a view without its epoch ends it for good. Questions to this
 * worker itself take no socket.
 */
import {
  type Clock,
  isLaterRun,
  isSameWorker,
  LIMITS,
  type Logger,
  type Meter,
  type Seat,
  type Timers,
  workerAddress,
} from '../base/index.ts';
import type { View } from '../cluster/index.ts';
import type { ListenHandle, WorkerKind, WorkerPlace } from '../process/index.ts';
import { LineBudget } from '../relay/index.ts';
import type { AskDone } from './ask-table.ts';
import type { Bus, BusHandler, BusMessage, Sister } from './bus.ts';
import { BusHandlers } from './bus-handlers.ts';
import type { LinkFrame } from './frame-codec.ts';
import { type Greeting, type MeshCluster, RemoteDialGreeting } from './handshake.ts';
import type { InboundLink } from './inbound-link.ts';
import { LocalDialGreeting } from './local-greeting.ts';
import type { MeshAuth } from './mesh-auth.ts';
import { observeMesh } from './mesh-figures.ts';
import { MeshListening } from './mesh-listening.ts';
import { Questions } from './questions.ts';
import { type RemoteWorker, remoteWorkers } from './remote-workers.ts';
import { type Dialling, SisterLink } from './sister-link.ts';

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
  /** What links to other nodes are authenticated with; without it there are none. */
  readonly auth?: MeshAuth | null;
}

/** What a worker knows of its cluster while its node is part of it. */
export interface ClusterStanding {
  readonly incarnation: string;
  /** Of this node. */
  readonly epoch: number;
  readonly view: View;
}

/** The place of one worker run on the bus of its node. */
export class MeshBus implements Bus {
  readonly self: Sister;
  readonly #options: MeshOptions;
  readonly #outboxBytesMax: number;
  /** What the seats of this node end in. */
  readonly #ownSeats: string;
  readonly #questions: Questions;
  readonly #handlers = new BusHandlers();
  readonly #upListeners: ((sister: Sister) => void)[] = [];
  readonly #downListeners: ((sister: Sister) => void)[] = [];
  /** Our links, one for each seat that the supervisor names. */
  readonly #links = new Map<Seat, SisterLink>();
  readonly #inbound = new Set<InboundLink>();
  /** Runs that we heard of over a link, so that each one's end is told, and told once. */
  readonly #present = new Map<Seat, Sister>();
  #cluster: (MeshCluster & { readonly remote: ReadonlyMap<Seat, RemoteWorker> }) | null = null;
  readonly #listening: MeshListening;
  readonly #complaints = new LineBudget(LIMITS.refusalLinesPerSecond);
  #faults = 0;
  #tellsDropped = 0;
  #closed = false;

  constructor(options: MeshOptions) {
    this.self = options.self;
    this.#options = options;
    this.#ownSeats = `/${options.self.node}`;
    this.#outboxBytesMax = options.outboxBytesMax ?? LIMITS.linkOutboxBytesMax;
    this.#questions = new Questions(options);
    this.#listening = this.#listeningOf(options);
    if (options.meter !== undefined) this.#observe(options.meter);
  }

  /** Starts to be reachable; rejects with `LISTEN_FAILED`. Nothing to do for an api worker. */
  async listen(): Promise<void> {
    if (this.#options.kind !== 'gateway') return;
    await this.#listening.listen(this.#options.meshPath);
  }

  /** Hears workers of other nodes on a bound handle, as long as this node is part of a cluster. */
  listenRemote(handle: ListenHandle): void {
    if (!this.#closed) this.#listening.listenRemote(handle);
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
      if (link.sister.node !== node || (named && isSameWorker(named[0], link.sister))) continue;
      this.#giveUp(seat, link);
    }
    const { self } = this;
    const { kind } = this.#options;
    for (const [seat, [sister, path]] of wanted) {
      this.#endEarlierRuns(sister);
      const greet = () => new LocalDialGreeting({ from: self, kind, to: sister });
      this.#dial(seat, { to: { path }, sister, greet, jitter: null });
    }
  }

  /**
   * Takes where this node stands in its cluster: dials the workers of the view's other nodes, ends
   * those whose epoch is over, and all of them when it is our own; null: no part of any cluster.
   */
  cluster(standing: ClusterStanding | null): void {
    const { auth = null } = this.#options;
    if (this.#closed || auth === null) return;
    const before = this.#cluster;
    const self = { ...this.self, epoch: standing?.epoch ?? 0 };
    const remote = standing === null ? NOBODY : remoteWorkers(standing.view, self.node);
    const cluster = standing === null ? null : { incarnation: standing.incarnation, self, remote };
    this.#cluster = cluster;
    const isSame = before?.self.epoch === self.epoch && before.incarnation === cluster?.incarnation;
    const stays = (sister: Sister): boolean => {
      if (sister.node === self.node) return true;
      const named = remote.get(sister.seat);
      const known = before?.remote.get(sister.seat);
      // Greetings may have come before our view: there is nothing to compare with, and nothing wrong.
      return isSame && named?.sister.epoch === sister.epoch && (!known || known.port === named.port);
    };
    for (const [seat, link] of this.#links) if (!stays(link.sister)) this.#giveUp(seat, link);
    for (const sister of [...this.#present.values()]) if (!stays(sister)) this.#end(sister);
    if (cluster === null) return;
    for (const [seat, { sister, host, port }] of remote) {
      const greet = () => new RemoteDialGreeting(auth, cluster, sister);
      this.#dial(seat, { to: { host, port }, sister, greet, jitter: () => auth.fraction() });
    }
  }

  sisters(): readonly Sister[] {
    const sisters: Sister[] = this.#options.kind === 'gateway' ? [this.self] : [];
    for (const link of this.#links.values()) {
      if (link.up) sisters.push(link.sister);
    }
    return sisters.sort(byNodeAndSlot);
  }

  ask(seat: Seat, message: BusMessage, timeoutMs: number, done: AskDone): void {
    const questions = this.#questions;
    if (this.#closed) return questions.failLater(done, 'unreachable');
    const ask = questions.make(message, timeoutMs, done);
    if (this.#isSelf(seat)) return questions.toSelf(this.self, this.#handlers, ask);
    const link = this.#links.get(seat);
    if (link?.up) questions.over(link, ask);
    // A seat of our node is filled again; one of another node is named by the view, or gone.
    else if (link !== undefined || seat.endsWith(this.#ownSeats)) questions.wait(seat, ask);
    else questions.failLater(done, 'gone');
  }

  tell(seat: Seat, message: BusMessage): void {
    if (this.#closed) return;
    if (this.#isSelf(seat)) {
      queueMicrotask(() => this.#handlers.tell(this.self, message));
      return;
    }
    const link = this.#links.get(seat);
    if (link?.up && !link.send({ type: 'tell', id: 0, ...message })) this.#noteDroppedTell(seat, message);
  }

  handle(kind: string, handler: BusHandler): void {
    this.#handlers.add(kind, handler);
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
    for (const link of this.#links.values()) link.stop();
    for (const link of this.#inbound) link.cut();
    this.#questions.close();
    await this.#listening.close();
  }

  #isSelf(seat: Seat): boolean {
    return seat === this.self.seat && this.#options.kind === 'gateway';
  }

  #noteDroppedTell(seat: Seat, message: BusMessage): void {
    this.#tellsDropped++;
    if (this.#tellsDropped > 1) return;
    const fields = { seat, kind: message.kind };
    this.#options.logger.warn(fields, 'a sister worker takes no more messages; they are dropped and counted');
  }

  // Our links -----------------------------------------------------------------------------------

  #dial(seat: Seat, dialling: Dialling): void {
    if (this.#links.has(seat)) return;
    const events = {
      onUp: (link: SisterLink) => this.#cameUp(link),
      onDown: (link: SisterLink, fault: string | null) => {
        if (fault !== null) this.#complain(link.sister, fault);
        this.#end(link.sister);
        this.#questions.linkEnded(link);
      },
      onRefused: (link: SisterLink, fault: string) => this.#complain(link.sister, fault),
      onFrame: (link: SisterLink, frame: LinkFrame) => this.#hearAnswer(link, frame),
    };
    const doors = { timers: this.#options.timers, events, outboxBytesMax: this.#outboxBytesMax };
    this.#links.set(seat, new SisterLink(dialling, doors));
  }

  /** Nobody is to be found there any more; only a seat of our own node may still be waited for. */
  #giveUp(seat: Seat, link: SisterLink): void {
    this.#links.delete(seat);
    link.stop();
    this.#end(link.sister);
    this.#questions.linkEnded(link);
    if (link.sister.node !== this.self.node) this.#questions.refuseWaiting(seat);
  }

  /** What waited goes first, in its order; then listeners may say again what an earlier run knew. */
  #cameUp(link: SisterLink): void {
    this.#endEarlierRuns(link.sister);
    this.#present.set(link.sister.seat, link.sister);
    this.#questions.sendWaiting(link);
    for (const listener of this.#upListeners) listener(link.sister);
  }

  #hearAnswer(link: SisterLink, frame: LinkFrame): void {
    if (this.#questions.answered(link, frame)) return;
    this.#complain(link.sister, `it sent ${frame.type} where an answer was due`);
    this.#end(link.sister);
  }

  // Links of others -----------------------------------------------------------------------------

  /** The listening side; both kinds of links are heard alike once they may stay. */
  #listeningOf(options: MeshOptions): MeshListening {
    const heard = {
      onFrame: (link: InboundLink, from: Sister, frame: LinkFrame) => this.#serve(link, from, frame),
      onBroken: (link: InboundLink, fault: string | null) => this.#inboundBroke(link, fault),
    };
    const { timers, auth = null } = options;
    return new MeshListening({
      timers,
      auth,
      outboxBytesMax: this.#outboxBytesMax,
      cluster: () => this.#cluster,
      accepted: (link) => this.#inbound.add(link),
      sisters: {
        ...heard,
        onGreeting: (link, greeting) => isSameWorker(greeting.to, this.self) && this.#admit(link, greeting),
      },
      strangers: {
        ...heard,
        onGreeting: (link, greeting) => this.#isOfView(greeting) && this.#admit(link, greeting),
      },
    });
  }

  /** Our own epoch may have ended since the greeting began, and theirs at any time. */
  #isOfView({ from, to }: Greeting): boolean {
    const named = this.#cluster?.remote.get(from.seat)?.sister;
    return this.#cluster?.self.epoch === to.epoch && named?.epoch === from.epoch;
  }

  #inboundBroke(link: InboundLink, fault: string | null): void {
    if (fault !== null) this.#complain(link.sister, fault);
    if (this.#inbound.delete(link) && link.sister !== null) this.#end(link.sister);
  }

  /** Lists of others may be ahead of ours, so an unknown newer run is believed; an older one is not. */
  #admit(link: InboundLink, { from, kind }: Greeting): boolean {
    if (kind !== 'gateway') return true;
    const named = this.#links.get(from.seat)?.sister ?? from;
    const present = this.#present.get(from.seat) ?? from;
    if (this.#isSelf(from.seat) || isLaterRun(named, from) || isLaterRun(present, from)) return false;
    this.#endEarlierRuns(from);
    // It dials again because it thinks that we are gone: for both sides that is a new beginning.
    const dialsAgain = [...this.#inbound].some((other) => other !== link && isSame(other.sister, from));
    if (dialsAgain) this.#end(from);
    this.#present.set(from.seat, from);
    return true;
  }

  #serve(link: InboundLink, from: Sister, frame: LinkFrame): void {
    if (this.#handlers.serve(link, from, frame)) return;
    this.#complain(from, `it sent ${frame.type} where a question was due`);
    this.#inbound.delete(link);
    link.cut();
    if (link.sister !== null) this.#end(link.sister);
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
    if (wasOurs) this.#questions.linkEnded(link);
  }

  #complain(sister: Sister | null, fault: string): void {
    this.#faults++;
    const omitted = this.#complaints.take(this.#options.clock.monotonicMs());
    if (omitted === null) return;
    const { node, epoch, slot, run } = sister ?? {};
    const fields = { node, epoch, slot, run, fault, omitted: omitted || undefined };
    this.#options.logger.warn(fields, 'a link between workers was cut');
  }

  #observe(meter: Meter): void {
    const links = () => [...this.#links.values()];
    observeMesh(meter, {
      asksPending: () => this.#questions.size,
      tellsDropped: () => this.#tellsDropped,
      outboxBytes: () => links().reduce((sum, link) => sum + link.waitingBytes, 0),
      remote: !this.#options.auth
        ? null
        : {
            linksUp: () => links().filter(({ up, sister }) => up && sister.node !== this.self.node).length,
            faults: () => this.#faults,
          },
    });
  }
}

const NOBODY: ReadonlyMap<Seat, RemoteWorker> = new Map();

function byNodeAndSlot(left: Sister, right: Sister): number {
  if (left.node !== right.node) return left.node < right.node ? -1 : 1;
  return left.slot - right.slot;
}

function isSame(left: Sister | null, right: Sister): boolean {
  return left !== null && isSameWorker(left, right);
}
