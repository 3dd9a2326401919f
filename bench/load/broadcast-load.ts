/**
 * Publishers that send to the channel of all clients; each sends its next message when the last was
 * answered and has reached everybody.
 *
 * Each client must get each publisher's messages 1, 2, 3 ... : a lost, repeated or reordered one is
 * seen at once.
 */
import { CHANNEL, type Crowd } from './crowd.ts';
import type { MessageSink } from './frame-walker.ts';
import { HttpCaller, type SendRequest, sendRequest } from './http-caller.ts';
import { InflatingSink } from './inflating-sink.ts';
import type { Load } from './load.ts';
import type { MeasuringWindow } from './measuring-window.ts';
import { blankJsonMessage, blankMessage, numberOf, senderOf, stamp } from './message.ts';
import type { Address } from './orders.ts';

interface Publisher {
  readonly caller: HttpCaller;
  readonly request: SendRequest;
  number: number;
  sentMs: number;
  reached: number;
  answered: boolean;
}

/** The broadcast load. */
export class BroadcastLoad implements Load, MessageSink {
  readonly #crowd: Crowd;
  readonly #window: MeasuringWindow;
  readonly #publishers: Publisher[] = [];
  readonly #compressed: boolean;
  readonly #messageBytes: number;
  /** Number of the last message of each publisher that each client has seen. */
  readonly #seen: Uint32Array;
  #stopped: (() => void) | null = null;
  #busy = 0;

  constructor(options: {
    readonly crowd: Crowd;
    readonly window: MeasuringWindow;
    readonly address: Address;
    readonly publishers: number;
    /** Whether messages are JSON and have to come compressed. */
    readonly compressed: boolean;
  }) {
    const message = options.compressed ? blankJsonMessage() : blankMessage();
    this.#compressed = options.compressed;
    this.#messageBytes = message.length;
    this.#crowd = options.crowd;
    this.#window = options.window;
    this.#seen = new Uint32Array(options.crowd.size * options.publishers);
    for (let index = 0; index < options.publishers; index += 1) {
      this.#publishers.push({
        caller: new HttpCaller(options.address, () => this.#answered(index)),
        request: sendRequest(options.address, 'X-Kuiperbelt-Channel', CHANNEL, message),
        number: 0,
        sentMs: 0,
        reached: 0,
        answered: false,
      });
    }
  }

  start(): void {
    this.#crowd.sink = this.#compressed ? new InflatingSink(this) : this;
    this.#busy = this.#publishers.length;
    for (let index = 0; index < this.#publishers.length; index += 1) this.#post(index);
  }

  stop(done: () => void): void {
    this.#stopped = () => {
      for (const publisher of this.#publishers) publisher.caller.close();
      done();
    };
  }

  missing(): string {
    const lines: string[] = [];
    for (const [index, { number, reached, answered }] of this.#publishers.entries()) {
      if (reached < this.#crowd.size)
        lines.push(`message ${number} of publisher ${index} reached ${reached}`);
      if (!answered) lines.push(`message ${number} of publisher ${index} was not answered`);
    }
    return lines.join('; ');
  }

  message(client: number, buffer: Buffer, start: number, end: number, nowMs: number): void {
    const index = senderOf(buffer, start);
    const publisher = this.#publishers[index];
    const number = numberOf(buffer, start);
    const slot = client * this.#publishers.length + index;
    if (publisher === undefined || end - start !== this.#messageBytes || number !== publisher.number) {
      throw new Error(
        `client ${client} got a message that was not sent: ${buffer.toString('latin1', start, end)}`,
      );
    }
    if (number !== (this.#seen[slot] as number) + 1) {
      throw new Error(
        `client ${client} got message ${number} of publisher ${index} after ${this.#seen[slot]}`,
      );
    }
    this.#seen[slot] = number;
    this.#window.count(nowMs - publisher.sentMs);
    publisher.reached += 1;
    if (publisher.reached === this.#crowd.size) this.#advance(index, publisher);
  }

  #answered(index: number): void {
    const publisher = this.#publishers[index] as Publisher;
    publisher.answered = true;
    this.#advance(index, publisher);
  }

  #advance(index: number, publisher: Publisher): void {
    if (!publisher.answered || publisher.reached < this.#crowd.size) return;
    if (this.#stopped === null) {
      this.#post(index);
      return;
    }
    this.#busy -= 1;
    if (this.#busy === 0) this.#stopped();
  }

  #post(index: number): void {
    const publisher = this.#publishers[index] as Publisher;
    publisher.number += 1;
    publisher.reached = 0;
    publisher.answered = false;
    stamp(publisher.request.bytes, publisher.request.messageOffset, index, publisher.number);
    publisher.sentMs = performance.now();
    publisher.caller.post(publisher.request.bytes);
  }
}
