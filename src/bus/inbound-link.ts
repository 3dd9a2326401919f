/**
 * A link that somebody dialled to us: greets, and then serves one worker's questions.
 *
 * Its other end has to show who it is within `LIMITS.linkHelloMs`, and nothing else is heard
 * before. Whether it may stay and what it is answered is up to `MeshBus`.
 */
import type { Duplex } from 'node:stream';
import { type Cancellable, LIMITS, type Timers } from '../base/index.ts';
import { type Json, NO_BYTES, type Sister } from './bus.ts';
import type { LinkFrame } from './frame-codec.ts';
import type { Greeting, ServeGreeting } from './handshake.ts';
import { Link } from './link.ts';

/** What an inbound link tells its owner. */
export interface InboundLinkEvents {
  /** Whether who shows this may stay, and as whom its frames are heard. */
  onGreeting(link: InboundLink, greeting: Greeting): boolean;
  /** Called only for links that may stay. */
  onFrame(link: InboundLink, from: Sister, frame: LinkFrame): void;
  /** The link is over, greeted or not. */
  onBroken(link: InboundLink, fault: string | null): void;
}

/** The listening side of a pair of workers. */
export class InboundLink {
  readonly #link: Link;
  readonly #greeting: ServeGreeting;
  readonly #events: InboundLinkEvents;
  readonly #patience: Cancellable;
  #greeted: Greeting | null = null;

  constructor(
    socket: Duplex,
    doors: {
      readonly greeting: ServeGreeting;
      readonly timers: Timers;
      readonly events: InboundLinkEvents;
      readonly outboxBytesMax: number;
      /** How long its frames may be before it has greeted. */
      readonly strangerBytesMax: number;
    },
  ) {
    const { greeting, timers, events } = doors;
    this.#greeting = greeting;
    this.#events = events;
    this.#link = new Link(socket, {
      ...doors,
      events: { onFrame: (frame) => this.#receive(frame), onBroken: (fault) => this.#break(fault) },
    });
    this.#patience = timers.after(LIMITS.linkHelloMs, () => this.#refuse('no greeting came'));
  }

  /** The gateway worker at the other end; null before its greeting, and for other kinds of workers. */
  get sister(): Sister | null {
    return this.#greeted?.kind === 'gateway' ? this.#greeted.from : null;
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
    if (this.#greeted !== null) return this.#events.onFrame(this, this.#greeted.from, frame);
    if (frame.type !== 'hello') return this.#refuse('its first frame was no greeting');
    const step = this.#greeting.receive(frame.facts);
    if (step.type === 'refused') return this.#refuse(step.fault);
    if (step.type === 'greeted') {
      if (!this.#events.onGreeting(this, step.greeting)) return this.#refuse('it is not expected here');
      this.#greeted = step.greeting;
      this.#patience.cancel();
      this.#link.trust();
    }
    this.#sendHello(step.facts);
  }

  #sendHello(facts: Json): void {
    this.#link.send({ type: 'hello', id: 0, kind: '', facts, bytes: NO_BYTES });
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
