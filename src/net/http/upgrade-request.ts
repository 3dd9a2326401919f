/**
 * A request for a WebSocket that waits for its verdict.
 *
 * From here on the socket is ours: node:http has let go of it. While the application is asked, the
 * client may leave or speak too early; both are noticed, and what it says is bounded. Whether the
 * request deserves a WebSocket is decided elsewhere (`relay/`).
 */
import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { assert, ok, type Result } from '../../base/index.ts';
import { agreedDeflate } from '../../relay/index.ts';
import type { Connection, ConnectionEvents, RawHeaders, UpgradeRequest } from '../types.ts';
import type { ConnectionKeeper } from '../websocket/connection-keeper.ts';
import { EncodedFrame } from '../websocket/frame.ts';
import type { MessageCompression } from '../websocket/message-compression.ts';
import { RequestHead } from './http-exchange.ts';
import type { LingeringClose } from './lingering-close.ts';

/** RFC 6455 section 1.3. */
const HANDSHAKE_GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
const NO_BYTES = new Uint8Array(0);

/** A socket that somebody else answers. */
export interface HandedSocket {
  readonly socket: Socket;
  /** What the client said before it was answered. */
  readonly early: Buffer | null;
  /** Closes the socket behind a last answer, so that the client gets to read that. */
  linger(): void;
}

/** What answers and connections are made with; one for a whole server. */
export interface UpgradeDoors {
  readonly keeper: ConnectionKeeper;
  readonly lingering: LingeringClose;
  /** Null: no client is offered it. */
  readonly compression: MessageCompression | null;
  /** Called once with each request that has got its verdict or whose client has left. */
  settled(request: PendingUpgrade): void;
}

const OWNER = Symbol('upgrade');
type OwnedSocket = Socket & { [OWNER]?: PendingUpgrade | undefined };

/** The upgrade request that roles see through the door of this room. */
export class PendingUpgrade extends RequestHead implements UpgradeRequest {
  readonly #socket: OwnedSocket;
  readonly #doors: UpgradeDoors;
  /** Bytes that came before the answer, one chunk at most: then nothing more is read. */
  #early: Buffer | null;
  #state: 'waiting' | 'answered' | 'gone' = 'waiting';
  /** Called once if the client leaves while it waits; for this room only. */
  onLeave: (() => void) | null = null;

  constructor(message: IncomingMessage, socket: Socket, head: Buffer, doors: UpgradeDoors) {
    super(message);
    this.#socket = socket;
    this.#doors = doors;
    this.#early = head.length > 0 ? head : null;
    this.#socket[OWNER] = this;
    socket.setTimeout(0);
    socket.on('data', onData);
    socket.on('end', onGone);
    socket.on('error', onError);
    socket.on('close', onGone);
    if (this.#early === null) socket.resume();
    else socket.pause();
  }

  get earlyData(): boolean {
    return this.#early !== null;
  }

  get gone(): boolean {
    return this.#state === 'gone' || this.#socket.destroyed;
  }

  /** A request that becomes a WebSocket has no body; what follows its head is early data. */
  body(_bytesMax: number, done: (body: Result<Uint8Array, 'too_large' | 'gone'>) => void): void {
    done(ok(NO_BYTES));
  }

  refuse(status: number, headers: RawHeaders, body: string | Uint8Array): void {
    if (!this.#settle()) return;
    this.#doors.lingering.answer(this.#socket, { status, headers, body, method: this.method });
  }

  /** Path and query as sent; for this room only. */
  get target(): string {
    return this.message.url as string;
  }

  /** For this room only. */
  get incoming(): IncomingMessage {
    return this.message;
  }

  /** Lets go of the socket, paused if the client spoke early; null when it is gone. For this room only. */
  handOver(): HandedSocket | null {
    if (!this.#settle()) return null;
    const { lingering } = this.#doors;
    const socket: Socket = this.#socket;
    return { socket, early: this.#early, linger: () => lingering.end(socket) };
  }

  abandon(): void {
    if (this.#settle()) this.#socket.destroy();
  }

  accept<Context>(
    context: Context,
    events: ConnectionEvents<Context>,
    protocol: string | null = null,
  ): Connection<Context> | null {
    if (!this.#settle()) return null;
    const socket = this.#socket;
    // Early data is read as frames behind the 101, in the order in which it came.
    if (this.#early !== null) socket.unshift(this.#early);
    const { compression } = this.#doors;
    const extensions =
      compression === null
        ? null
        : agreedDeflate(this.headerLines('sec-websocket-extensions'), compression.windowBits);
    const agreed = extensions === null ? null : compression;
    const connection = this.#doors.keeper.admit(socket, context, events, agreed);
    const key = this.header('sec-websocket-key') ?? '';
    connection.writeHandshake(new EncodedFrame(handshake(key, protocol, extensions), 0));
    return connection;
  }

  /** Bytes before the answer. */
  spoke(chunk: Buffer): void {
    this.#early = chunk;
    this.#socket.pause();
  }

  /** The client left, or the server cuts what is left. */
  leave(): void {
    if (this.#state !== 'waiting') return;
    this.#release('gone');
    this.#socket.destroy();
    this.onLeave?.();
  }

  /** False when the client has left; then there is nothing to answer. */
  #settle(): boolean {
    assert(this.#state !== 'answered', 'an upgrade request is answered once');
    if (this.#state === 'gone') return false;
    if (this.#socket.destroyed) this.leave();
    else this.#release('answered');
    return this.#state !== ('gone' as string);
  }

  #release(state: 'answered' | 'gone'): void {
    this.#state = state;
    const socket = this.#socket;
    socket[OWNER] = undefined;
    socket.off('data', onData);
    socket.off('end', onGone);
    socket.off('close', onGone);
    if (state === 'answered') socket.off('error', onError);
    this.#doors.settled(this);
  }
}

/** What `Sec-WebSocket-Accept` says to that `Sec-WebSocket-Key`. */
export function acceptOf(key: string): string {
  return createHash('sha1')
    .update(key.trim() + HANDSHAKE_GUID)
    .digest('base64');
}

function handshake(key: string, protocol: string | null, extensions: string | null): Buffer {
  const agreed =
    (protocol === null ? '' : `Sec-WebSocket-Protocol: ${protocol}\r\n`) +
    (extensions === null ? '' : `Sec-WebSocket-Extensions: ${extensions}\r\n`);
  const accept = acceptOf(key);
  return Buffer.from(
    'HTTP/1.1 101 Switching Protocols\r\n' +
      'Upgrade: websocket\r\n' +
      'Connection: Upgrade\r\n' +
      `Sec-WebSocket-Accept: ${accept}\r\n${agreed}\r\n`,
    'latin1',
  );
}

function onData(this: OwnedSocket, chunk: Buffer): void {
  this[OWNER]?.spoke(chunk);
}

function onGone(this: OwnedSocket): void {
  this[OWNER]?.leave();
}

function onError(): void {
  // `close` follows in every case.
}
