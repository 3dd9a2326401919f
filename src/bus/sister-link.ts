/**
 * Our link to one seat: dialled, greeted, and dialled again for as long as it is wanted.
 *
 * The greeting makes both ends certain whom they speak to. Knows nothing of questions; what frames
 * mean is up to `MeshBus`, which makes one for each sister that it is told of (of its own node: one
 * run; of another: whoever has the seat in that epoch) and stops it when that is over.
 */
import { createConnection, type NetConnectOpts, type Socket } from 'node:net';
import { type Cancellable, LIMITS, MESH_LIMITS, type Timers } from '../base/index.ts';
import { type Json, NO_BYTES, type Sister } from './bus.ts';
import type { LinkFrame } from './frame-codec.ts';
import type { DialGreeting } from './handshake.ts';
import { Link } from './link.ts';

/** What a sister link tells its owner. */
export interface SisterLinkEvents {
  /** The sister has greeted back: it serves, and frames can be sent. */
  onUp(link: SisterLink): void;
  /** A link that was up is not any more; it is dialled again by itself. */
  onDown(link: SisterLink, fault: string | null): void;
  onFrame(link: SisterLink, frame: LinkFrame): void;
  /** The greeting came to nothing; it is tried again. */
  onRefused(link: SisterLink, fault: string): void;
}

/** How a seat is dialled. */
export interface Dialling {
  readonly to: NetConnectOpts;
  /** Whom the greeting will meet, as far as it is known: run 0 stands for any. */
  readonly sister: Sister;
  readonly greet: () => DialGreeting;
  /** A number in [0, 1) that spreads redialling; null: it comes exactly when it is due. */
  readonly jitter: (() => number) | null;
}

/** The dialling side of a pair of workers. */
export class SisterLink {
  readonly #dialling: Dialling;
  readonly #timers: Timers;
  readonly #events: SisterLinkEvents;
  readonly #outboxBytesMax: number;
  #sister: Sister;
  #socket: Socket | null = null;
  #link: Link | null = null;
  #greeting: DialGreeting | null = null;
  #up = false;
  #stopped = false;
  #redial: Cancellable | null = null;
  #patience: Cancellable | null = null;
  #redialMs: number = LIMITS.linkRedialMs;

  constructor(
    dialling: Dialling,
    options: {
      readonly timers: Timers;
      readonly events: SisterLinkEvents;
      readonly outboxBytesMax: number;
    },
  ) {
    this.#dialling = dialling;
    this.#sister = dialling.sister;
    this.#timers = options.timers;
    this.#events = options.events;
    this.#outboxBytesMax = options.outboxBytesMax;
    this.#dial();
  }

  /** Whom the last greeting met; before the first, whom it is meant for. */
  get sister(): Sister {
    return this.#sister;
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
    const socket = createConnection(this.#dialling.to);
    this.#socket = socket;
    const onRefused = () => {
      if (this.#socket === socket) this.#redialLater();
    };
    // A host that swallows what it is sent, or a worker that accepts and says nothing.
    this.#patience?.cancel();
    this.#patience = this.#timers.after(LIMITS.linkHelloMs, () => this.restart());
    socket.once('error', onRefused);
    socket.once('connect', () => {
      socket.off('error', onRefused);
      socket.setNoDelay(true).setKeepAlive(true, MESH_LIMITS.keepAliveMs);
      const onBroken = (fault: string | null) => this.#broke(fault);
      this.#link = new Link(socket, {
        timers: this.#timers,
        events: { onFrame: (frame) => this.#receive(frame), onBroken },
        outboxBytesMax: this.#outboxBytesMax,
      });
      this.#greeting = this.#dialling.greet();
      this.#sendHello(this.#greeting.begin());
    });
  }

  #sendHello(facts: Json): void {
    this.#link?.send({ type: 'hello', id: 0, kind: '', facts, bytes: NO_BYTES });
  }

  #receive(frame: LinkFrame): void {
    if (this.#up) return this.#events.onFrame(this, frame);
    const greeting = frame.type === 'hello' ? this.#greeting : null;
    if (greeting === null) {
      this.restart();
      return;
    }
    const step = greeting.receive(frame.facts);
    if (step.type === 'send') return this.#sendHello(step.facts);
    if (step.type === 'refused') {
      this.restart();
      return this.#events.onRefused(this, step.fault);
    }
    this.#patience?.cancel();
    this.#sister = step.sister;
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
    this.#patience?.cancel();
    this.#link?.cut();
    this.#link = null;
    this.#socket?.destroy();
    this.#socket = null;
  }

  #redialLater(): void {
    this.#patience?.cancel();
    if (this.#stopped) return;
    this.#redial?.cancel();
    const { jitter } = this.#dialling;
    const delayMs = jitter === null ? this.#redialMs : this.#redialMs * (0.5 + jitter());
    this.#redial = this.#timers.after(delayMs, () => this.#dial());
    this.#redialMs = Math.min(this.#redialMs * 2, LIMITS.linkRedialMaxMs);
  }
}
