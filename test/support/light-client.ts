/**
 * WebSocket clients by the thousand: one socket, a few fields and no stream each.
 *
 * They keep the rules (answer pings and close frames) and hand each text message to one function.
 * Unfragmented messages only, which is all that a node sends. For bytes see `raw-client.ts`.
 */
import { connect as connectSocket, type Socket } from 'node:net';
import { closePayload, encodeClientFrame, type FrameToSend, OPCODE } from './frames.ts';
import { handshakeText } from './handshake-text.ts';

/** Where to connect, and what to do with what comes. */
export interface LightTarget {
  /** Absent when `socketPath` is given. */
  readonly port?: number;
  readonly host?: string;
  /** A unix socket instead of host and port. */
  readonly socketPath?: string;
  /** Address to connect from; 127.0.0.0/8 has more ports than 127.0.0.1 alone. */
  readonly localAddress?: string;
  readonly path?: string;
  readonly headers?: readonly string[];
  readonly message?: (client: LightClient, text: string) => void;
  /** False: pings are not answered. */
  readonly answersPings?: boolean;
}

/** Why a handshake came to nothing. */
export class HandshakeRefused extends Error {
  /** 0: there was no answer. */
  readonly status: number;
  /** The socket's error, such as `ECONNREFUSED`, or empty. */
  readonly errorCode: string;

  constructor(status: number, errorCode: string) {
    super(`the handshake was answered with ${status}${errorCode === '' ? '' : ` (${errorCode})`}`);
    this.status = status;
    this.errorCode = errorCode;
  }
}

// Bytes are read and used within one callback, so all clients of a process share the memory.
const SHARED = Buffer.allocUnsafe(256 * 1_024);

/** One connection. Made by `LightClient.open`. */
export class LightClient {
  /** Text and binary messages received. */
  messages = 0;
  /** The code of the first close frame received, or null. */
  closeCode: number | null = null;
  closeReason = '';
  /** The socket's error, such as `ECONNRESET`, or empty. */
  errorCode = '';
  /** Resolves when the socket is closed, whoever closed it. */
  readonly closed: Promise<void>;
  readonly socket: Socket;
  readonly #message: LightTarget['message'];
  readonly #answersPings: boolean;
  #rest: Buffer | null = null;
  #upgraded = false;
  #opened: ((status: number) => void) | null;

  private constructor(target: LightTarget, opened: (status: number) => void) {
    this.#message = target.message;
    this.#answersPings = target.answersPings ?? true;
    this.#opened = opened;
    const host = target.host ?? '127.0.0.1';
    this.socket = connectSocket({
      ...(target.socketPath === undefined ? { host, port: target.port ?? 0 } : { path: target.socketPath }),
      ...(target.localAddress === undefined ? {} : { localAddress: target.localAddress }),
      onread: {
        buffer: SHARED,
        callback: (count, buffer) => {
          this.#take(Buffer.from(buffer.buffer, buffer.byteOffset, count));
          return true;
        },
      },
    });
    this.socket.setNoDelay(true);
    this.socket.on('error', (error: NodeJS.ErrnoException) => {
      // `close` follows and tells whoever waits.
      this.errorCode = error.code ?? 'UNKNOWN';
    });
    this.closed = new Promise((resolve) => {
      this.socket.on('close', () => {
        this.#answer(0);
        resolve();
      });
    });
    this.socket.write(handshakeText({ ...target, host }));
  }

  /** Resolves with an open client; rejects with `HandshakeRefused`. */
  static open(target: LightTarget): Promise<LightClient> {
    return new Promise((resolve, reject) => {
      const client = new LightClient(target, (status) => {
        if (status === 101) resolve(client);
        else reject(new HandshakeRefused(status, client.errorCode));
      });
    });
  }

  /** Sends the handshake; `answered` hears the status, 0 when there is none, and may not care. */
  static ask(target: LightTarget, answered: (status: number) => void = () => undefined): LightClient {
    return new LightClient(target, answered);
  }

  /** Whether the socket is still open. */
  get open(): boolean {
    return !this.socket.destroyed;
  }

  sendText(text: string): void {
    this.socket.write(encodeClientFrame({ payload: text }));
  }

  /** Starts the closing handshake. */
  close(code = 1000, reason = ''): void {
    this.socket.write(encodeClientFrame({ opcode: OPCODE.close, payload: closePayload(code, reason) }));
  }

  /** Sends a frame that may be wrong in any way. */
  sendFrame(frame: FrameToSend): void {
    this.socket.write(encodeClientFrame(frame));
  }

  /** Ends the stream without a close frame. */
  end(): void {
    this.socket.end();
  }

  /** Breaks the connection with a reset. */
  reset(): void {
    this.socket.resetAndDestroy();
  }

  /** Cuts the connection. */
  destroy(): void {
    this.socket.destroy();
  }

  #answer(status: number): void {
    const opened = this.#opened;
    this.#opened = null;
    opened?.(status);
  }

  #take(chunk: Buffer): void {
    const bytes = this.#rest === null ? chunk : Buffer.concat([this.#rest, chunk]);
    const used = this.#upgraded ? this.#takeFrames(bytes, 0) : this.#takeHead(bytes);
    // What is kept must be copied out of the shared memory.
    this.#rest = used === bytes.length ? null : Buffer.from(bytes.subarray(used));
  }

  #takeHead(bytes: Buffer): number {
    const end = bytes.indexOf('\r\n\r\n');
    if (end < 0) return 0;
    const status = Number(bytes.subarray(9, 12).toString('latin1'));
    this.#upgraded = status === 101;
    this.#answer(status);
    if (!this.#upgraded) {
      this.socket.destroy();
      return bytes.length;
    }
    return this.#takeFrames(bytes, end + 4);
  }

  #takeFrames(bytes: Buffer, start: number): number {
    let offset = start;
    while (bytes.length - offset >= 2) {
      let length = (bytes[offset + 1] as number) & 0x7f;
      let body = offset + 2;
      if (length === 126) {
        if (bytes.length - offset < 4) break;
        length = bytes.readUInt16BE(offset + 2);
        body = offset + 4;
      } else if (length === 127) {
        if (bytes.length - offset < 10) break;
        length = Number(bytes.readBigUInt64BE(offset + 2));
        body = offset + 10;
      }
      if (bytes.length < body + length) break;
      this.#frame((bytes[offset] as number) & 0x0f, bytes, body, body + length);
      offset = body + length;
    }
    return offset;
  }

  #frame(opcode: number, bytes: Buffer, start: number, end: number): void {
    if (opcode === OPCODE.text || opcode === OPCODE.binary) {
      this.messages += 1;
      this.#message?.(this, bytes.toString('utf8', start, end));
    } else if (opcode === OPCODE.ping && this.#answersPings) {
      this.socket.write(encodeClientFrame({ opcode: OPCODE.pong, payload: bytes.subarray(start, end) }));
    } else if (opcode === OPCODE.close && this.closeCode === null) {
      this.closeCode = end - start >= 2 ? bytes.readUInt16BE(start) : 1005;
      this.closeReason = bytes.toString('utf8', Math.min(start + 2, end), end);
      this.socket.write(encodeClientFrame({ opcode: OPCODE.close, payload: bytes.subarray(start, end) }));
    }
  }
}
