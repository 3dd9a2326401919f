/**
 * A link that somebody dialled to us: greets, and then serves one worker's questions.
 *
 * Its other end has to say who it is within `LIMITS.linkHelloMs`, and nothing else is heard
 * before. Whether it may stay and what it is answered is up to `MeshBus`.
 */
import type { Duplex } from 'node:stream';
import { type Cancellable, LIMITS, type Timers } from '../base/index.ts';
import { NO_BYTES, type Sister } from './bus.ts';
import type { LinkFrame } from './frame-codec.ts';
import { Link } from './link.ts';
import { type Greeting, readGreeting } from './sister-link.ts';

/** What an inbound link tells its owner. */
export interface InboundLinkEvents {
  /** Whether who says so may stay. */
  onGreeting(link: InboundLink, greeting: Greeting): boolean;
  /** Called only for links that may stay. */
  onFrame(link: InboundLink, from: Sister, frame: LinkFrame): void;
  /** The link is over, greeted or not. */
  onBroken(link: InboundLink, fault: string | null): void;
}

/** The listening side of a pair of workers. */
export class InboundLink {
  readonly #link: Link;
  readonly #events: InboundLinkEvents;
  readonly #patience: Cancellable;
  #greeting: Greeting | null = null;

  constructor(
    socket: Duplex,
    doors: {
      readonly timers: Timers;
      readonly events: InboundLinkEvents;
      readonly outboxBytesMax: number;
    },
  ) {
    const { timers, events, outboxBytesMax } = doors;
    this.#events = events;
    this.#link = new Link(socket, {
      timers,
      events: { onFrame: (frame) => this.#receive(frame), onBroken: (fault) => this.#break(fault) },
      outboxBytesMax,
    });
    this.#patience = timers.after(LIMITS.linkHelloMs, () => this.#refuse('no greeting came'));
  }

  /** The gateway worker at the other end; null before its greeting, and for other kinds of workers. */
  get sister(): Sister | null {
    return this.#greeting?.kind === 'gateway' ? this.#greeting.from : null;
  }

  /** Sends a frame; false when the link is over or too much waits on it. */
  send(frame: LinkFrame): boolean {
    return this.#link.send(frame);
  }

  /** Ends the link; its owner knows and is not told. */
  cut(): void {
    this.#patience.cancel();
    this.#link.cut();
  }

  #receive(frame: LinkFrame): void {
    if (this.#greeting !== null) return this.#events.onFrame(this, this.#greeting.from, frame);
    const greeting = frame.type === 'hello' ? readGreeting(frame.facts) : null;
    if (greeting === null) return this.#refuse('its first frame was no greeting');
    if (!this.#events.onGreeting(this, greeting)) return this.#refuse('it is not expected here');
    this.#greeting = greeting;
    this.#patience.cancel();
    this.#link.send({ type: 'hello', id: 0, kind: '', facts: null, bytes: NO_BYTES });
  }

  #refuse(fault: string): void {
    this.cut();
    this.#events.onBroken(this, fault);
  }

  #break(fault: string | null): void {
    this.#patience.cancel();
    this.#events.onBroken(this, fault);
  }
}
