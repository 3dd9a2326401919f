/**
 * One WebSocket client, as cheap as Node lets it be: a raw socket, one shared read buffer, no
 * WebSocket library. `Crowd` makes and drives it.
 */
import type { Socket } from 'node:net';
import { dial } from './dial.ts';
import { type MessageSink, walkFrames } from './frame-walker.ts';
import { findMessage } from './http-message.ts';
import type { Address } from './orders.ts';

/**
 * All sockets of the process read into one buffer: a read and its callback happen in one go, and
 * what is left over of a chunk is copied.
 */
const SHARED_BUFFER = Buffer.allocUnsafeSlow(256 * 1_024);

/** What a client tells its crowd. */
export interface ClientOwner {
  /** Gets the messages; asked for each chunk, because it changes with the load. */
  readonly sink: MessageSink;
  opened(client: Client): void;
  failed(client: Client, reason: string): void;
}

/** A client; `index` is its number in the crowd. */
export class Client {
  readonly index: number;
  readonly #owner: ClientOwner;
  readonly #socket: Socket;
  #upgraded = false;
  #rest: Buffer | null = null;

  constructor(options: {
    readonly index: number;
    readonly owner: ClientOwner;
    readonly address: Address;
    readonly localAddress: string;
    readonly path: string;
    readonly compression: boolean;
  }) {
    const { address, localAddress } = options;
    this.index = options.index;
    this.#owner = options.owner;
    this.#socket = dial(address, {
      localAddress,
      onread: { buffer: SHARED_BUFFER, callback: (bytes) => this.#read(bytes) },
    });
    this.#socket.on('error', (error) => this.#owner.failed(this, error.message));
    this.#socket.on('end', () => this.#owner.failed(this, 'the server ended the connection'));
    this.#socket.write(upgradeRequest(options.path, address, options.compression));
  }

  /** Sends bytes as they are; frames come masked from the caller. */
  write(bytes: Buffer): void {
    this.#socket.write(bytes);
  }

  #read(bytes: number): boolean {
    let buffer = SHARED_BUFFER;
    let end = bytes;
    if (this.#rest !== null) {
      buffer = Buffer.concat([this.#rest, SHARED_BUFFER.subarray(0, bytes)]);
      end = buffer.length;
    }
    let start = 0;
    if (!this.#upgraded) {
      const answer = findMessage(buffer.subarray(0, end), 0);
      start = answer === null ? 0 : answer.end;
      if (answer !== null) this.#readUpgradeAnswer(answer.head);
    }
    if (this.#upgraded) {
      start = walkFrames(buffer, start, end, this.#owner.sink, this.index, performance.now());
    }
    this.#rest = start === end ? null : Buffer.from(buffer.subarray(start, end));
    return true;
  }

  #readUpgradeAnswer(head: string): void {
    if (head.startsWith('HTTP/1.1 101 ')) {
      this.#upgraded = true;
      this.#owner.opened(this);
    } else {
      this.#owner.failed(this, `the server answered ${head.slice(0, head.indexOf('\r\n'))}`);
    }
  }
}

function upgradeRequest(path: string, address: Address, compression: boolean): string {
  const offer = compression ? 'Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n' : '';
  return (
    `GET ${path} HTTP/1.1\r\nHost: ${address.host}:${address.port}\r\nUpgrade: websocket\r\n` +
    `Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n${offer}` +
    'Sec-WebSocket-Key: YXJyb2tvdGggYmVuY2ghIQ==\r\n\r\n'
  );
}
