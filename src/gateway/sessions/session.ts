/**
 * One admitted connection as the gateway holds it: its names, its life, its socket, what waits.
 *
 * Kept small, because a worker holds tens of thousands: what only some connections need (held
 * messages, an inbox) is made when it is first needed. Rules are in `relay/`; this file only keeps
 * the messages that arrive before the hello in order behind it.
 */
import type { ChannelName, ConnectionId, SessionKey } from '../../base/index.ts';
import type { Connection, Frame, SendOutcome } from '../../net/index.ts';
import {
  type CloseReason,
  SessionLife,
  type SlowClientPolicy,
  slowClientVerdict,
  type Trace,
} from '../../relay/index.ts';
import type { Inbox } from './inbox.ts';
import type { KeyWatch } from './key-watch.ts';

/** Messages that came between registration and the hello. */
interface Held {
  readonly frames: Frame[];
  bytes: number;
}

/** Bounds of what may wait for a hello; the same as of a slow client's queue. */
export interface HeldBounds {
  readonly policy: SlowClientPolicy;
  readonly queueBytesMax: number;
  readonly queueMessagesMax: number;
}

/** A connection of this worker. */
export class Session {
  readonly id: ConnectionId;
  readonly key: SessionKey;
  readonly life: SessionLife;
  /** The trace that its client named; null: none, and then nothing is kept. */
  readonly trace: Trace | null;
  channels: readonly ChannelName[];
  /** Given by the key's home; 0 until then. */
  generation = 0;
  /** An operator looks at its key; null: nobody does. */
  watch: KeyWatch | null = null;
  /** Why it ended; null: it has not, or the application closed it. */
  endReason: CloseReason | null = null;
  connection: Connection<Session> | null = null;
  inbox: Inbox | null = null;
  /** It is not read because it sent too fast. */
  throttled = false;
  /** The first message, until it is sent. */
  #hello: Frame | null;
  #held: Held | null = null;

  constructor(facts: {
    id: ConnectionId;
    key: SessionKey;
    channels: readonly ChannelName[];
    hello: Frame | null;
    awaited: number;
    trace?: Trace | null;
  }) {
    this.id = facts.id;
    this.key = facts.key;
    this.trace = facts.trace ?? null;
    this.channels = facts.channels;
    this.life = new SessionLife(facts.awaited);
    this.#hello = facts.hello;
  }

  get hello(): Frame | null {
    return this.#hello;
  }

  /** Hands a message to the connection, or keeps it until the hello is out. */
  deliver(frame: Frame, bounds: HeldBounds): SendOutcome {
    if (this.watch === null) return this.#deliver(frame, bounds);
    const outcome = this.#deliver(frame, bounds);
    this.watch.step(this, 'message to the client', { bytes: frame.byteLength, outcome });
    return outcome;
  }

  #deliver(frame: Frame, bounds: HeldBounds): SendOutcome {
    const { stage } = this.life;
    if (stage === 'open') return (this.connection as Connection<Session>).send(frame);
    if (stage === 'ended') return 'closed';
    return this.#hold(frame, bounds);
  }

  /** Sends the hello and whatever waited for it; to be called once, when the life is open. */
  open(): void {
    this.#release();
  }

  /**
   * Closes the socket once the life has ended. A farewell goes behind everything delivered so far;
   * without one, a client that never got its hello gets nothing of what waited for it either.
   */
  close(code: number, reason: string, farewell?: Frame): void {
    if (farewell !== undefined) this.#release();
    this.#hello = null;
    this.#held = null;
    this.connection?.close(code, reason, farewell);
  }

  /** The same without what is queued: its memory is needed at once. */
  shed(code: number, reason: string): void {
    this.#hello = null;
    this.#held = null;
    this.connection?.shed(code, reason);
  }

  /** It is not the client who is slow here, so `close` counts as `drop_newest`. */
  #hold(frame: Frame, bounds: HeldBounds): SendOutcome {
    this.#held ??= { frames: [], bytes: 0 };
    const held = this.#held;
    for (;;) {
      const queue = { queuedBytes: held.bytes, queuedMessages: held.frames.length };
      const verdict = slowClientVerdict({ ...queue, frameBytes: frame.byteLength, ...bounds });
      if (verdict === 'accept') break;
      if (verdict !== 'drop_oldest') return 'dropped';
      held.bytes -= held.frames.shift()?.byteLength ?? 0;
    }
    held.frames.push(frame);
    held.bytes += frame.byteLength;
    return 'queued';
  }

  #release(): void {
    if (this.#hello !== null) this.connection?.send(this.#hello);
    for (const frame of this.#held?.frames ?? []) this.connection?.send(frame);
    this.#hello = null;
    this.#held = null;
  }
}
