/**
 * One admitted connection as the gateway holds it: its names, its life, its socket, what waits.
 *
 * Kept small, because a worker holds tens of thousands: what only some connections need (held
 * messages, an inbox) is made when it is first needed. Rules are in `relay/`; this file only keeps
 * the messages that arrive before the hello in order behind it.
 */
import type { ChannelName, ConnectionId, SessionKey } from '../base/index.ts';
import type { Connection, Frame, SendOutcome } from '../net/index.ts';
import { SessionLife } from '../relay/index.ts';
import type { Inbox } from './inbox.ts';

/** Messages that came between registration and the hello. */
interface Held {
  readonly frames: Frame[];
  bytes: number;
}

/** Bounds of what may wait for a hello; the same as of a slow client's queue. */
export interface HeldBounds {
  readonly queueBytesMax: number;
  readonly queueMessagesMax: number;
}

/** A connection of this worker. */
export class Session {
  readonly id: ConnectionId;
  readonly key: SessionKey;
  readonly life: SessionLife;
  channels: readonly ChannelName[];
  /** Given by the key's home; 0 until then. */
  generation = 0;
  connection: Connection<Session> | null = null;
  inbox: Inbox | null = null;
  #held: Held | null = null;

  constructor(facts: {
    id: ConnectionId;
    key: SessionKey;
    channels: readonly ChannelName[];
    awaited: number;
  }) {
    this.id = facts.id;
    this.key = facts.key;
    this.channels = facts.channels;
    this.life = new SessionLife(facts.awaited);
  }

  /** Hands a message to the connection, or keeps it until the hello is out. */
  deliver(frame: Frame, bounds: HeldBounds): SendOutcome {
    const { stage } = this.life;
    if (stage === 'open') return (this.connection as Connection<Session>).send(frame);
    if (stage === 'ended') return 'closed';
    this.#held ??= { frames: [], bytes: 0 };
    const full =
      this.#held.frames.length >= bounds.queueMessagesMax ||
      this.#held.bytes + frame.byteLength > bounds.queueBytesMax;
    if (full) return 'dropped';
    this.#held.frames.push(frame);
    this.#held.bytes += frame.byteLength;
    return 'queued';
  }

  /** Sends the hello and whatever waited for it; to be called once, when the life is open. */
  open(hello: Frame | null): void {
    if (hello !== null) this.connection?.send(hello);
    this.#release();
  }

  /** Closes the socket behind everything delivered so far and `frame`, once the life has ended. */
  close(code: number, reason: string, frame?: Frame): void {
    this.#release();
    this.connection?.close(code, reason, frame);
  }

  #release(): void {
    const held = this.#held;
    this.#held = null;
    for (const frame of held?.frames ?? []) this.connection?.send(frame);
  }
}
