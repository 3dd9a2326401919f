/**
 * A WebSocket client that shows and sends every byte.
 *
 * It keeps no rules: it answers no ping and no close frame unless told to, and sends whatever it
 * is given. For thousands of well-behaved clients see `light-client.ts`.
 */
import { connect as connectSocket, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import { AwaitedList } from './awaited-list.ts';
import { cleanUpAfterwards } from './cleanup.ts';
import {
  closePayload,
  encodeClientFrame,
  FrameReader,
  type FrameToSend,
  OPCODE,
  type ReceivedFrame,
} from './frames.ts';
import { type HandshakeRequest, handshakeText } from './handshake-text.ts';
import { linesNamed } from './http.ts';

/** Where and how to connect. */
export interface RawTarget extends HandshakeRequest {
  /** A unix socket instead of host and port. */
  readonly socketPath?: string | null;
  /** The address of this side, such as 127.0.0.2. */
  readonly localAddress?: string;
  /** Speaks TLS, as these options say. */
  readonly tls?: ConnectionOptions;
  /** Sent before anything else, TLS included. */
  readonly preamble?: string | Uint8Array;
  /** Sent instead of a handshake. */
  readonly rawRequest?: string | Uint8Array;
}

/** The answer to the handshake. */
export interface HandshakeAnswer {
  readonly status: number;
  readonly statusText: string;
  readonly rawHeaders: readonly string[];
  /** Everything after the head, for answers that are not a 101. */
  readonly body: string;
  header(name: string): string | undefined;
}

/** How a connection ended, as this side saw it. */
export interface ClientEnd {
  /** The first close frame received, or null. */
  readonly closeFrame: { readonly code: number; readonly reason: string } | null;
  /** What the client's user would be told: the code of the close frame, or 1006. */
  readonly code: number;
  /** True when the server ended the stream in order, false for a reset. */
  readonly orderly: boolean;
}

interface HeadWaiter {
  resolve(answer: HandshakeAnswer): void;
  reject(reason: Error): void;
}

/** One connection. Made by `openWebSocket` or `handshake`. */
export class RawClient {
  readonly socket: Socket;
  /** Resolves when the socket is closed, whoever closed it. */
  readonly closed: Promise<ClientEnd>;
  /** Every frame received so far. */
  readonly frames = new AwaitedList<ReceivedFrame>('frames');
  readonly #reader = new FrameReader();
  readonly #headWaiter: HeadWaiter;
  readonly answered: Promise<HandshakeAnswer>;
  #head: Buffer = Buffer.alloc(0);
  #answer: HandshakeAnswer | null = null;
  #framesTaken = 0;
  #closeFrame: ReceivedFrame | null = null;

  constructor(socket: Socket) {
    this.socket = socket;
    let orderly = false;
    let waiter: HeadWaiter | undefined;
    this.answered = new Promise((resolve, reject) => {
      waiter = { resolve, reject };
    });
    this.#headWaiter = waiter as unknown as HeadWaiter;
    // Whoever does not ask for the answer must not die of its absence.
    this.answered.catch(() => undefined);
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => this.#take(chunk));
    socket.on('end', () => {
      orderly = true;
      this.#completeBody();
    });
    socket.on('error', () => {
      orderly = false;
    });
    this.closed = new Promise((resolve) => {
      socket.on('close', () => {
        this.#headWaiter.reject(new Error('the connection ended before the handshake was answered'));
        const frame = this.#closeFrame;
        const closeFrame =
          frame === null ? null : { code: frame.closeCode as number, reason: frame.closeReason as string };
        this.frames.end(new Error(`the connection ended; close frame: ${JSON.stringify(closeFrame)}`));
        resolve({ closeFrame, code: closeFrame?.code ?? 1006, orderly });
      });
    });
  }

  /** The next frame that no earlier call has returned; fails when the connection ends first. */
  async nextFrame(timeoutMs?: number): Promise<ReceivedFrame> {
    this.#framesTaken += 1;
    const place = this.#framesTaken;
    const all = await this.frames.atLeast(place, () => true, timeoutMs);
    return all[place - 1] as ReceivedFrame;
  }

  /** The text of the next frame, which has to be a whole text message. */
  async nextText(timeoutMs?: number): Promise<string> {
    const frame = await this.nextFrame(timeoutMs);
    if (frame.opcode !== OPCODE.text || !frame.fin) {
      throw new Error(`expected a text message, got ${JSON.stringify(frame)}`);
    }
    return frame.text;
  }

  sendBytes(bytes: string | Uint8Array): void {
    this.socket.write(bytes);
  }

  sendFrame(frame: FrameToSend): void {
    this.socket.write(encodeClientFrame(frame));
  }

  sendText(text: string): void {
    this.sendFrame({ opcode: OPCODE.text, payload: text });
  }

  sendBinary(payload: Uint8Array): void {
    this.sendFrame({ opcode: OPCODE.binary, payload });
  }

  ping(payload = ''): void {
    this.sendFrame({ opcode: OPCODE.ping, payload });
  }

  pong(payload: string | Uint8Array = ''): void {
    this.sendFrame({ opcode: OPCODE.pong, payload });
  }

  /** Sends a close frame; what the server does then shows in `closed`. */
  sendClose(code?: number, reason = ''): void {
    this.sendFrame({ opcode: OPCODE.close, payload: code === undefined ? '' : closePayload(code, reason) });
  }

  /** Reads nothing any more, so that the server's writes pile up. */
  pause(): void {
    this.socket.pause();
  }

  resume(): void {
    this.socket.resume();
  }

  /** Ends the stream in order, without a close frame. */
  end(): void {
    this.socket.end();
  }

  /** Breaks the connection with a reset. */
  reset(): void {
    this.socket.resetAndDestroy();
  }

  #take(chunk: Buffer): void {
    if (this.#answer?.status === 101) {
      this.#takeFrames(chunk);
      return;
    }
    this.#head = Buffer.concat([this.#head, chunk]);
    const end = this.#head.indexOf('\r\n\r\n');
    if (end < 0) return;
    const answer = answerOf(this.#head.subarray(0, end).toString('latin1'), '');
    if (answer.status !== 101) {
      const length = Number(answer.header('Content-Length') ?? Number.NaN);
      if (this.#head.length >= end + 4 + length) this.#completeBody();
      return;
    }
    this.#answer = answer;
    const rest = this.#head.subarray(end + 4);
    this.#headWaiter.resolve(answer);
    if (rest.length > 0) this.#takeFrames(rest);
  }

  #takeFrames(chunk: Buffer): void {
    for (const frame of this.#reader.read(chunk)) {
      if (frame.opcode === OPCODE.close) this.#closeFrame ??= frame;
      this.frames.push(frame);
    }
  }

  #completeBody(): void {
    const end = this.#head.indexOf('\r\n\r\n');
    if (this.#answer !== null || end < 0) return;
    const body = this.#head.subarray(end + 4).toString('utf8');
    this.#answer = answerOf(this.#head.subarray(0, end).toString('latin1'), body);
    this.#headWaiter.resolve(this.#answer);
  }
}

/** Connects and sends the handshake (or `rawRequest`); does not wait for the answer. */
export function handshake(target: RawTarget): RawClient {
  const accepted =
    target.socketPath === undefined || target.socketPath === null
      ? connectSocket({
          host: target.host ?? '127.0.0.1',
          port: target.port ?? 0,
          ...(target.localAddress === undefined ? {} : { localAddress: target.localAddress }),
        })
      : connectSocket({ path: target.socketPath });
  if (target.preamble !== undefined) accepted.write(target.preamble);
  const socket =
    target.tls === undefined ? accepted : connectTls({ servername: '', ...target.tls, socket: accepted });
  const client = new RawClient(socket);
  socket.write(target.rawRequest ?? handshakeText(target));
  cleanUpAfterwards(() => {
    socket.destroy();
  });
  return client;
}

/** Connects and resolves with an open WebSocket; rejects when the answer is not a 101. */
export async function openWebSocket(target: RawTarget): Promise<RawClient> {
  const client = handshake(target);
  const answer = await client.answered;
  if (answer.status !== 101) {
    throw new Error(`the handshake was answered with ${answer.status} ${JSON.stringify(answer.body)}`);
  }
  return client;
}

function answerOf(head: string, body: string): HandshakeAnswer {
  const [statusLine = '', ...lines] = head.split('\r\n');
  const [, status = '0', ...words] = statusLine.split(' ');
  const rawHeaders = lines.flatMap((line) => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon), line.slice(colon + 1).trim()];
  });
  return {
    status: Number(status),
    statusText: words.join(' '),
    rawHeaders,
    body,
    header: (name) => linesNamed(rawHeaders, name)[0],
  };
}
