/**
 * One client WebSocket after its 101: reads frames, answers pings, closes as RFC 6455 asks.
 *
 * What goes out waits in its `Outbox`; time is kept by its `ConnectionKeeper`, which looks in now
 * and then. There are no timers and no closures for a connection, because tens of thousands of them
 * sit idle in one process.
 */
import type { Socket } from 'node:net';
import { assert, LIMITS } from '../../base/index.ts';
import type { Connection, ConnectionEnd, ConnectionEvents, Frame, SendOutcome } from '../types.ts';
import type { FanOutWriter } from './fan-out-writer.ts';
import { type EncodedFrame, encodeClose, encodePing, encodePong } from './frame.ts';
import { type FrameListener, FrameReceiver, type FrameViolation } from './frame-receiver.ts';
import type { MessageCompression } from './message-compression.ts';
import { type InflatingReader, MessageInflater } from './message-inflater.ts';
import { Outbox, type SlowClientBounds } from './outbox.ts';

/** What the connections of one server have in common. */
export interface ConnectionRules {
  readonly messageBytesMax: number;
  readonly slowClient: SlowClientBounds;
  /** 0: off. */
  readonly idleTimeoutMs: number;
  /** `intervalMs` 0: no pings. */
  readonly ping: { readonly intervalMs: number; readonly timeoutMs: number };
}

/** What a connection needs of its `ConnectionKeeper`. */
export interface ConnectionCare extends ConnectionRules {
  readonly writer: FanOutWriter;
  /** Called when the socket of `connection` is closed. */
  forget(connection: SocketConnection): void;
}

/** What a client may still send after the end before the socket is cut, so that it sees our close frame. */
const DISCARDED_BYTES_MAX = 16 * 1_024 * 1_024;
const NO_PAYLOAD = new Uint8Array(0);
const PING = encodePing(NO_PAYLOAD);

/**
 * `open`: messages go both ways. `closing`: our close frame is out, the client's is awaited.
 * `ending`: close frames are exchanged or pointless, the socket goes away. `closed`: it is gone.
 */
type State = 'open' | 'closing' | 'ending' | 'closed';

const GONE: ConnectionEnd = { cause: 'client_gone', code: 1006, reason: '' };

const OWNER = Symbol('connection');
type OwnedSocket = Socket & { [OWNER]?: SocketConnection };

/** The connection that roles see through the door of this room. */
export class SocketConnection<Context = unknown>
  implements Connection<Context>, FrameListener, InflatingReader
{
  readonly context: Context;
  readonly #events: ConnectionEvents<Context>;
  readonly #socket: Socket;
  readonly #keeper: ConnectionCare;
  readonly #outbox: Outbox;
  #receiver: FrameReceiver | null = null;
  #state: State = 'open';
  /** When the client was last heard, and when it last did something of its own accord. */
  #heardAtMs: number;
  #activeAtMs: number;
  #pingedAtMs = -1;
  #awaitsPong = false;
  /** What the chunk being read held: nothing whole, only the pong we asked for, or more than that. */
  #chunkHeld: 'nothing' | 'pong' | 'activity' = 'nothing';
  #readingPaused = false;
  #cutAtMs = 0;
  #discardedBytes = 0;
  /** The client has sent FIN while a message before it was still being inflated. */
  #peerEndedEarly = false;

  /** `compression`: what client and server agreed on; null: nothing is compressed. */
  constructor(
    socket: Socket,
    keeper: ConnectionCare,
    context: Context,
    events: ConnectionEvents<Context>,
    compression: MessageCompression | null = null,
  ) {
    this.context = context;
    this.#events = events;
    this.#socket = socket;
    this.#keeper = keeper;
    this.#outbox = new Outbox(socket, keeper, compression);
    this.#heardAtMs = this.#outbox.wroteAtMs;
    this.#activeAtMs = this.#heardAtMs;
    (socket as OwnedSocket)[OWNER] = this as unknown as SocketConnection;
    socket.on('data', onData);
    socket.on('end', onEnd);
    socket.on('error', onError);
    socket.on('close', onClose);
    socket.resume();
  }

  get open(): boolean {
    return this.#state === 'open';
  }

  get queuedBytes(): number {
    return this.#outbox.queuedBytes;
  }

  get queuedMessages(): number {
    return this.#outbox.queuedMessages;
  }

  get messageBytesMax(): number {
    return this.#keeper.messageBytesMax;
  }

  get readingPaused(): boolean {
    return this.#readingPaused;
  }

  send(frame: Frame): SendOutcome {
    if (this.#state !== 'open') return 'closed';
    const outcome = this.#outbox.offer(frame as EncodedFrame);
    if (outcome !== 'slow') return outcome;
    // What the client did not take is worth nothing any more, and its memory is needed elsewhere.
    this.#outbox.discard();
    this.#closeWith({ cause: 'slow', code: 1013, reason: 'too slow' }, 'ending');
    return 'closed';
  }

  close(code: number, reason: string, farewell?: Frame): void {
    if (this.#state !== 'open') return;
    assert(code >= 1000 && code <= 4999 && code !== 1005 && code !== 1006, 'the close code can be sent');
    if (farewell !== undefined) this.#outbox.push(farewell as EncodedFrame);
    this.#closeWith({ cause: 'server', code, reason }, 'closing');
  }

  shed(code: number, reason: string): void {
    if (this.#state !== 'open') return;
    this.#outbox.discard();
    this.#closeWith({ cause: 'server', code, reason }, 'ending');
  }

  terminate(): void {
    this.#endOnce({ cause: 'server', code: 1006, reason: '' }, 'closed');
    this.#outbox.discard();
    this.#socket.destroy();
  }

  pauseReading(): void {
    if (this.#state !== 'open') return;
    this.#readingPaused = true;
    this.#socket.pause();
  }

  resumeReading(): void {
    if (!this.#readingPaused) return;
    this.#readingPaused = false;
    const inflater = this.#receiver?.inflater ?? null;
    inflater?.resume();
    if (inflater?.waits !== true) this.#socket.resume();
  }

  parserWaits(): void {
    this.#socket.pause();
  }

  parserCaughtUp(): void {
    if (!this.#readingPaused) this.#socket.resume();
    if (this.#peerEndedEarly) this.peerEnded();
  }

  /** Queues bytes of the handshake, which go out with the first messages. */
  writeHandshake(frame: EncodedFrame): void {
    this.#outbox.push(frame);
  }

  /** Looks whether something is due. Called by the keeper every now and then. */
  look(nowMs: number): void {
    if (this.#state !== 'open') {
      if (nowMs >= this.#cutAtMs) this.#socket.destroy();
      return;
    }
    if (this.#readingPaused || this.#receiver?.inflater?.waits === true) {
      // A client cannot be blamed for what we do not read.
      this.#heardAtMs = nowMs;
      this.#activeAtMs = nowMs;
      return;
    }
    const { idleTimeoutMs, ping } = this.#keeper;
    const activeAtMs = Math.max(this.#activeAtMs, this.#outbox.wroteAtMs);
    if (idleTimeoutMs > 0 && nowMs - activeAtMs >= idleTimeoutMs) {
      this.#closeWith({ cause: 'idle', code: 1001, reason: 'idle timeout' }, 'closing');
    } else if (ping.intervalMs > 0) {
      this.#lookAfterPings(nowMs, ping);
    }
  }

  #lookAfterPings(nowMs: number, ping: { readonly intervalMs: number; readonly timeoutMs: number }): void {
    // A stalled socket that took a write shows a living client as well as a pong does.
    const heardAtMs = Math.max(this.#heardAtMs, this.#outbox.drainedAtMs);
    if (heardAtMs >= this.#pingedAtMs) {
      if (nowMs - heardAtMs < ping.intervalMs) return;
      this.#pingedAtMs = nowMs;
      this.#awaitsPong = true;
      // Keeping the connection alive must not look like a message to the idle rule.
      this.#outbox.ping(PING);
    } else if (nowMs - this.#pingedAtMs >= ping.timeoutMs) {
      this.#closeWith({ cause: 'ping_timeout', code: 1001, reason: 'ping timeout' }, 'closing');
    }
  }

  /** Bytes from the socket. */
  read(chunk: Buffer): void {
    if (this.#state === 'ending' || this.#state === 'closed') {
      this.#discardedBytes += chunk.length;
      if (this.#discardedBytes > DISCARDED_BYTES_MAX) this.#socket.destroy();
      return;
    }
    const nowMs = this.#keeper.writer.nowMs();
    this.#heardAtMs = nowMs;
    this.#chunkHeld = 'nothing';
    if (this.#receiver === null) this.#receiver = this.#makeReceiver();
    this.#receiver.write(chunk);
    // A piece of a long message is activity; a piece of the pong we asked for should not be.
    const held = this.#chunkHeld as string;
    if (held === 'activity' || (held === 'nothing' && !this.#awaitsPong)) this.#activeAtMs = nowMs;
  }

  #makeReceiver(): FrameReceiver {
    const { compression } = this.#outbox;
    const inflater = compression === null ? null : new MessageInflater(this, compression);
    return new FrameReceiver(this, this.#keeper.messageBytesMax, inflater);
  }

  messageFrame(payload: Buffer, binary: boolean): void {
    if (this.#state !== 'open') return;
    this.#chunkHeld = 'activity';
    // A compressed message comes when its chunk is read already.
    this.#activeAtMs = this.#heardAtMs;
    this.#events.message(this, payload, binary);
  }

  pingFrame(payload: Buffer): void {
    if (this.#state !== 'open') return;
    this.#chunkHeld = 'activity';
    this.#outbox.pong(encodePong(payload));
  }

  pongFrame(payload: Buffer): void {
    if (this.#awaitsPong && payload.length === 0) {
      this.#awaitsPong = false;
      if (this.#chunkHeld === 'nothing') this.#chunkHeld = 'pong';
    } else {
      this.#chunkHeld = 'activity';
    }
  }

  /** The client's close frame. */
  closeFrame(code: number, reason: string): void {
    if (this.#state === 'open') {
      this.#endOnce({ cause: 'client_close', code, reason }, 'ending');
      this.#outbox.push(encodeClose(code, ''));
    }
    this.#leave();
  }

  violation(violation: FrameViolation): void {
    const { cause, code, text } = violation;
    if (this.#state === 'open') this.#closeWith({ cause, code, reason: text }, 'ending');
    else this.#leave();
  }

  /** The client sent FIN. Without a close frame before it, it has left and reads nothing more. */
  peerEnded(): void {
    this.#peerEndedEarly = this.#receiver?.inflater?.busy === true;
    if (this.#peerEndedEarly) return;
    if (this.#state === 'open') {
      this.#endOnce(GONE, 'closed');
      this.#socket.destroy();
    } else {
      this.#leave();
    }
  }

  /** The socket is gone, whoever closed it. */
  socketClosed(): void {
    this.#endOnce(GONE, 'closed');
    this.#state = 'closed';
    this.#outbox.discard();
    this.#keeper.forget(this);
  }

  /** Tells the role, then the client. `next`: whether the client's close frame is awaited. */
  #closeWith(end: ConnectionEnd, next: 'closing' | 'ending'): void {
    this.#endOnce(end, next);
    this.#outbox.push(encodeClose(end.code, end.reason));
    if (next === 'ending') this.#leave();
  }

  /** The one place where a connection ends for its role. */
  #endOnce(end: ConnectionEnd, next: State): void {
    if (this.#state !== 'open') return;
    this.#state = next;
    this.#cutAtMs = this.#keeper.writer.nowMs() + LIMITS.closeHandshakeMs;
    this.resumeReading();
    this.#events.ended(this, end);
  }

  /** Says FIN behind everything queued; the keeper cuts what does not go away by itself. */
  #leave(): void {
    if (this.#state !== 'closed') this.#state = 'ending';
    this.#receiver = null;
    this.#outbox.finish();
  }
}

function onData(this: OwnedSocket, chunk: Buffer): void {
  this[OWNER]?.read(chunk);
}

function onEnd(this: OwnedSocket): void {
  this[OWNER]?.peerEnded();
}

function onError(this: OwnedSocket): void {
  // `close` follows in every case and says all that matters.
}

function onClose(this: OwnedSocket): void {
  this[OWNER]?.socketClosed();
}
