/**
 * One keep-alive HTTP connection that POSTs prepared requests, one at a time.
 *
 * An answer that is not a plain success ends the run. Loads own a caller for each request they keep
 * in flight.
 */
import type { Socket } from 'node:net';
import { dial } from './dial.ts';
import { HttpStream } from './http-message.ts';
import type { Address } from './orders.ts';

/** A `/send` request whose message, and whose target if all are of one length, can be patched. */
export interface SendRequest {
  readonly bytes: Buffer;
  readonly targetOffset: number;
  readonly messageOffset: number;
}

/** A `/send` of a blank message to one session or channel. */
export function sendRequest(address: Address, header: string, target: string, message: Buffer): SendRequest {
  const before = `POST /send HTTP/1.1\r\nHost: ${address.host}:${address.port}\r\n${header}: `;
  const after = `\r\nContent-Type: text/plain\r\nContent-Length: ${message.length}\r\n\r\n`;
  const head = Buffer.from(before + target + after, 'latin1');
  return {
    bytes: Buffer.concat([head, message]),
    targetOffset: before.length,
    messageOffset: head.length,
  };
}

/** Whether an answer, by its head and body, is what was asked for. */
type IsSuccess = (head: string, body: string) => boolean;

/** A connection to a server, of `/send` requests unless it is told how success looks. */
export class HttpCaller {
  readonly #socket: Socket;
  readonly #answers = new HttpStream();
  readonly #onAnswer: () => void;
  readonly #isSuccess: IsSuccess;

  constructor(address: Address, onAnswer: () => void, isSuccess: IsSuccess = isSent) {
    this.#onAnswer = onAnswer;
    this.#isSuccess = isSuccess;
    const buffer = Buffer.allocUnsafeSlow(16 * 1_024);
    this.#socket = dial(address, {
      onread: {
        buffer,
        callback: (bytes) => {
          this.#answers.push(buffer.subarray(0, bytes), (message, whole) => {
            this.#check(message.head, whole.toString('latin1', message.bodyStart, message.bodyEnd));
            this.#onAnswer();
          });
          return true;
        },
      },
    });
    this.#socket.on('error', (error) => {
      throw error;
    });
  }

  /** The bytes must not change before the answer. */
  post(bytes: Buffer): void {
    this.#socket.write(bytes);
  }

  close(): void {
    this.#socket.destroy();
  }

  #check(head: string, body: string): void {
    if (this.#isSuccess(head, body)) return;
    throw new Error(`a request was answered with ${head.slice(0, head.indexOf('\r\n'))} ${body}`);
  }
}

function isSent(head: string, body: string): boolean {
  return head.startsWith('HTTP/1.1 200 ') && body.includes('"result":"OK"') && !body.includes('"errors"');
}
