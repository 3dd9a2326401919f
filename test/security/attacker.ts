/**
 * Sockets that say whatever they like, and the account of what that took and brought.
 *
 * An attacker pays for each byte it says, and for the headers of TCP/IP around them: forty bytes for
 * each write, and eighty for each connection (SYN and ACK), which is the least that can be had.
 */
import { connect as connectSocket, type Socket } from 'node:net';
import { encodeClientFrame, handshakeText, OPCODE } from '../support/index.ts';

const SEGMENT_HEADER_BYTES = 40;
const CONNECT_SEGMENTS = 2;
/** As many of the first bytes of an answer are kept as tests look at. */
const KEPT_CHARACTERS_MAX = 4_096;
/** Whoever takes nothing for this long has said enough by that. */
const STALLED_MS = 500;

/** Several sockets with one account. */
export class Attacker {
  readonly sockets: AttackSocket[] = [];
  /** What was said, what it took on the wire, and what was answered. */
  payloadBytes = 0;
  wireBytes = 0;
  answeredBytes = 0;

  /** Connects; `bytes` are said at once. */
  open(port: number, bytes: string | Uint8Array = ''): AttackSocket {
    this.wireBytes += CONNECT_SEGMENTS * SEGMENT_HEADER_BYTES;
    const socket = new AttackSocket(this, connectSocket({ host: '127.0.0.1', port }));
    this.sockets.push(socket);
    if (bytes.length > 0) socket.say(bytes);
    return socket;
  }

  /** Opens a WebSocket; rejects when it is refused. */
  async openWebSocket(port: number, path = '/connect'): Promise<AttackSocket> {
    const socket = this.open(port, handshakeText({ port, path }));
    await socket.hears('\r\n\r\n');
    if (!socket.words.startsWith('HTTP/1.1 101 ')) throw new Error(`refused: ${socket.words}`);
    return socket;
  }

  /** `count` times `one`, `width` of them at a time. */
  async crowd(count: number, width: number, one: (number: number) => Promise<unknown>): Promise<void> {
    let next = 0;
    const worker = async (): Promise<void> => {
      while (next < count) await one(next++);
    };
    await Promise.all(Array.from({ length: width }, worker));
  }

  /** Leaves with a reset, everywhere. */
  leave(): void {
    for (const { socket } of this.sockets) socket.resetAndDestroy();
  }
}

/** One connection of an attacker. */
export class AttackSocket {
  readonly socket: Socket;
  /** The first of what was answered. */
  words = '';
  /** Resolves when the connection is over, whoever ended it. */
  readonly closed: Promise<void>;
  readonly #account: Attacker;
  #listeners: (() => void)[] = [];
  #over = false;
  #heardBytes = 0;

  constructor(account: Attacker, socket: Socket) {
    this.#account = account;
    this.socket = socket;
    socket.setNoDelay(true);
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => {
      account.answeredBytes += chunk.length;
      this.#heardBytes += chunk.length;
      if (this.words.length < KEPT_CHARACTERS_MAX) this.words += chunk.toString('latin1');
      this.#wake();
    });
    this.closed = new Promise((resolve) => {
      socket.on('close', () => {
        this.#over = true;
        this.#wake();
        resolve();
      });
    });
  }

  /** Says something in one segment; false when the other side takes no more for now. */
  say(bytes: string | Uint8Array): boolean {
    if (this.#over) return false;
    this.#account.payloadBytes += bytes.length;
    this.#account.wireBytes += bytes.length + SEGMENT_HEADER_BYTES;
    return typeof bytes === 'string' ? this.socket.write(bytes, 'latin1') : this.socket.write(bytes);
  }

  /** Says it again and again, as fast as it is taken; ends with the connection. */
  async flood(bytes: string | Uint8Array, times: number): Promise<void> {
    for (let n = 0; n < times && !this.#over; n++) {
      if (!this.say(bytes) && !(await this.#drained())) return;
    }
  }

  /** Says it a piece at a time, each in a segment of its own that has left before the next. */
  async drip(bytes: string | Uint8Array, pieceBytes = 1): Promise<void> {
    const all = typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes;
    for (let at = 0; at < all.length && !this.#over; at += pieceBytes) {
      this.say(all.subarray(at, at + pieceBytes));
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** Resolves when `text` was among the first words, or the connection is over. */
  async hears(text: string): Promise<void> {
    while (!this.words.includes(text) && !this.#over) await this.#more();
  }

  /** Says it and resolves with the next that is answered, or with the end. */
  async ask(bytes: string | Uint8Array): Promise<void> {
    const before = this.#heardBytes;
    this.say(bytes);
    while (this.#heardBytes === before && !this.#over) await this.#more();
  }

  /** Resolves when everything said on this WebSocket so far was read, or the connection is over. */
  async settled(): Promise<void> {
    await this.ask(encodeClientFrame({ opcode: OPCODE.ping }));
  }

  #more(): Promise<void> {
    return new Promise((resolve) => this.#listeners.push(resolve));
  }

  #wake(): void {
    const listeners = this.#listeners;
    this.#listeners = [];
    for (const listener of listeners) listener();
  }

  #drained(): Promise<boolean> {
    return new Promise((resolve) => {
      const done = (drained: boolean) => {
        clearTimeout(timer);
        this.socket.off('drain', ready);
        this.socket.off('close', ready);
        resolve(drained);
      };
      const ready = () => done(true);
      const timer = setTimeout(done, STALLED_MS, false);
      this.socket.on('drain', ready);
      this.socket.on('close', ready);
    });
  }
}
