/**
 * Our link to one run of a sister: dialled, greeted, and dialled again for as long as it is wanted.
 *
 * The greeting makes both ends certain whom they speak to: a path may by now belong to another run.
 * Knows nothing of questions; what frames mean is up to `MeshBus`, which makes one for each run
 * that the supervisor names and stops it when that run is over.
 */
import { createConnection, type Socket } from 'node:net';
import { type Cancellable, LIMITS, type Timers, type WorkerName, workerAddress } from '../base/index.ts';
import type { WorkerKind } from '../process/index.ts';
import { type Json, NO_BYTES, type Sister } from './bus.ts';
import type { LinkFrame } from './frame-codec.ts';
import { Link } from './link.ts';

/** Who dials whom; the facts of a hello. */
export interface Greeting {
  readonly from: Sister;
  readonly kind: WorkerKind;
  readonly to: Sister;
}

/** Reads the facts of a hello; null when they are none. */
export function readGreeting(facts: Json): Greeting | null {
  const greeting = facts as unknown as Partial<Greeting> | null;
  if (typeof greeting !== 'object' || greeting === null) return null;
  if (greeting.kind !== 'gateway' && greeting.kind !== 'api') return null;
  const { kind } = greeting;
  const [from, to] = [readAddress(greeting.from), readAddress(greeting.to)];
  return from === null || to === null ? null : { from, kind, to };
}

/** Its seat is put together here and not believed. */
function readAddress(value: Partial<WorkerName> | undefined): Sister | null {
  if (typeof value?.node !== 'string') return null;
  const { node, epoch, slot, run } = value as WorkerName;
  return [epoch, slot, run].every(Number.isInteger) ? workerAddress({ node, epoch, slot, run }) : null;
}

/** What a sister link tells its owner. */
export interface SisterLinkEvents {
  /** The sister has greeted back: it serves, and frames can be sent. */
  onUp(link: SisterLink): void;
  /** A link that was up is not any more; it is dialled again by itself. */
  onDown(link: SisterLink, fault: string | null): void;
  onFrame(link: SisterLink, frame: LinkFrame): void;
}

/** The dialling side of a pair of workers. */
export class SisterLink {
  readonly sister: Sister;
  readonly #path: string;
  readonly #greeting: Greeting;
  readonly #timers: Timers;
  readonly #events: SisterLinkEvents;
  readonly #outboxBytesMax: number;
  #socket: Socket | null = null;
  #link: Link | null = null;
  #up = false;
  #stopped = false;
  #redial: Cancellable | null = null;
  #redialMs: number = LIMITS.linkRedialMs;

  constructor(options: {
    readonly self: Sister;
    readonly kind: WorkerKind;
    readonly sister: Sister;
    /** Where that run listens. */
    readonly path: string;
    readonly timers: Timers;
    readonly events: SisterLinkEvents;
    readonly outboxBytesMax: number;
  }) {
    const { self, kind, sister, path } = options;
    this.sister = sister;
    this.#path = path;
    this.#greeting = { from: self, kind, to: this.sister };
    this.#timers = options.timers;
    this.#events = options.events;
    this.#outboxBytesMax = options.outboxBytesMax;
    this.#dial();
  }

  get up(): boolean {
    return this.#up;
  }

  get waitingBytes(): number {
    return this.#link?.waitingBytes ?? 0;
  }

  /** Sends a frame; false when the link is not up or too much waits on it. */
  send(frame: LinkFrame): boolean {
    return this.#up && this.#link?.send(frame) === true;
  }

  /** Breaks the link and dials anew; the owner knows and is not told. */
  restart(): void {
    this.#hangUp();
    this.#redialLater();
  }

  /** Ends the link for good. */
  stop(): void {
    this.#stopped = true;
    this.#redial?.cancel();
    this.#hangUp();
  }

  #dial(): void {
    const socket = createConnection({ path: this.#path });
    this.#socket = socket;
    const onRefused = () => {
      if (this.#socket === socket) this.#redialLater();
    };
    socket.once('error', onRefused);
    socket.once('connect', () => {
      socket.off('error', onRefused);
      const onBroken = (fault: string | null) => this.#broke(fault);
      this.#link = new Link(socket, {
        timers: this.#timers,
        events: { onFrame: (frame) => this.#receive(frame), onBroken },
        outboxBytesMax: this.#outboxBytesMax,
      });
      const facts = this.#greeting as unknown as Json;
      this.#link.send({ type: 'hello', id: 0, kind: '', facts, bytes: NO_BYTES });
    });
  }

  #receive(frame: LinkFrame): void {
    if (this.#up) return this.#events.onFrame(this, frame);
    if (frame.type !== 'hello') {
      this.restart();
      return;
    }
    this.#up = true;
    this.#redialMs = LIMITS.linkRedialMs;
    this.#events.onUp(this);
  }

  #broke(fault: string | null): void {
    const wasUp = this.#up;
    this.#link = null;
    this.#socket = null;
    this.#up = false;
    this.#redialLater();
    if (wasUp) this.#events.onDown(this, fault);
  }

  #hangUp(): void {
    this.#up = false;
    this.#link?.cut();
    this.#link = null;
    this.#socket?.destroy();
    this.#socket = null;
  }

  #redialLater(): void {
    if (this.#stopped) return;
    this.#redial?.cancel();
    this.#redial = this.#timers.after(this.#redialMs, () => this.#dial());
    this.#redialMs = Math.min(this.#redialMs * 2, LIMITS.linkRedialMaxMs);
  }
}
