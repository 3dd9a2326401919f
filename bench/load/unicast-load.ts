/**
 * Requests to single sessions, drawn at random; each caller sends its next when the last was
 * answered and delivered.
 */
import { type Crowd, sessionKeyOf } from './crowd.ts';
import type { MessageSink } from './frame-walker.ts';
import { HttpCaller, type SendRequest, sendRequest } from './http-caller.ts';
import type { Load } from './load.ts';
import type { MeasuringWindow } from './measuring-window.ts';
import { blankMessage, numberOf, senderOf, stamp } from './message.ts';
import type { Address } from './orders.ts';

interface Caller {
  readonly caller: HttpCaller;
  readonly request: SendRequest;
  number: number;
  sentMs: number;
  target: number;
  delivered: boolean;
  answered: boolean;
}

/** The unicast load. */
export class UnicastLoad implements Load, MessageSink {
  readonly #crowd: Crowd;
  readonly #window: MeasuringWindow;
  readonly #callers: Caller[] = [];
  #stopped: (() => void) | null = null;
  #busy = 0;

  constructor(options: { crowd: Crowd; window: MeasuringWindow; address: Address; inFlight: number }) {
    this.#crowd = options.crowd;
    this.#window = options.window;
    for (let index = 0; index < options.inFlight; index += 1) {
      this.#callers.push({
        caller: new HttpCaller(options.address, () => this.#answered(index)),
        request: sendRequest(options.address, 'X-Kuiperbelt-Session', sessionKeyOf(0), blankMessage()),
        number: 0,
        sentMs: 0,
        target: 0,
        delivered: false,
        answered: false,
      });
    }
  }

  start(): void {
    this.#crowd.sink = this;
    this.#busy = this.#callers.length;
    for (let index = 0; index < this.#callers.length; index += 1) this.#post(index);
  }

  stop(done: () => void): void {
    this.#stopped = () => {
      for (const { caller } of this.#callers) caller.close();
      done();
    };
  }

  missing(): string {
    const open = this.#callers.filter(({ delivered, answered }) => !delivered || !answered);
    return open
      .map(({ target, delivered }) => `${sessionKeyOf(target)} ${delivered ? '(delivered)' : ''}`)
      .join('; ');
  }

  message(client: number, buffer: Buffer, start: number, end: number, nowMs: number): void {
    const index = senderOf(buffer, start);
    const caller = this.#callers[index];
    if (caller === undefined || caller.target !== client || caller.delivered) {
      throw new Error(
        `client ${client} got a message that is not its own: ${buffer.toString('latin1', start, end)}`,
      );
    }
    if (numberOf(buffer, start) !== caller.number) {
      throw new Error(`client ${client} got message ${numberOf(buffer, start)} of ${caller.number}`);
    }
    caller.delivered = true;
    this.#window.count(nowMs - caller.sentMs);
    this.#advance(index, caller);
  }

  #answered(index: number): void {
    const caller = this.#callers[index] as Caller;
    caller.answered = true;
    this.#advance(index, caller);
  }

  #advance(index: number, caller: Caller): void {
    if (!caller.answered || !caller.delivered) return;
    if (this.#stopped === null) {
      this.#post(index);
      return;
    }
    this.#busy -= 1;
    if (this.#busy === 0) this.#stopped();
  }

  #post(index: number): void {
    const caller = this.#callers[index] as Caller;
    const { bytes, targetOffset, messageOffset } = caller.request;
    caller.number += 1;
    caller.target = Math.floor(Math.random() * this.#crowd.size);
    caller.delivered = false;
    caller.answered = false;
    bytes.write(sessionKeyOf(caller.target), targetOffset, 'latin1');
    stamp(bytes, messageOffset, index, caller.number);
    caller.sentMs = performance.now();
    caller.caller.post(bytes);
  }
}
