/**
 * Clients that speak: each sends its next message when the callback of the last was answered.
 *
 * The application is part of the maker, so the round trip is seen from both of its ends: client
 * message, callback at the application, its answer.
 */
import type { Application, ReceiveSink } from './application.ts';
import type { Crowd } from './crowd.ts';
import type { Load } from './load.ts';
import type { MeasuringWindow } from './measuring-window.ts';
import { blankMessage, MESSAGE_BYTES, numberOf, senderOf, stamp } from './message.ts';

interface Speaker {
  readonly frame: Buffer;
  number: number;
  sentMs: number;
}

/** FIN and text; masked with zeros, which the server must still undo, and the payload's length. */
const FRAME_HEAD = Buffer.from([0x81, 0x80 | MESSAGE_BYTES, 0, 0, 0, 0]);

/** The callback load. */
export class CallbackLoad implements Load, ReceiveSink {
  readonly #crowd: Crowd;
  readonly #window: MeasuringWindow;
  readonly #application: Application;
  readonly #speakers: Speaker[] = [];
  #stopped: (() => void) | null = null;
  #busy = 0;

  constructor(options: {
    crowd: Crowd;
    window: MeasuringWindow;
    application: Application;
    speakers: number;
  }) {
    this.#crowd = options.crowd;
    this.#window = options.window;
    this.#application = options.application;
    for (let index = 0; index < options.speakers; index += 1) {
      this.#speakers.push({ frame: Buffer.concat([FRAME_HEAD, blankMessage()]), number: 0, sentMs: 0 });
    }
  }

  start(): void {
    this.#application.sink = this;
    this.#busy = this.#speakers.length;
    for (let index = 0; index < this.#speakers.length; index += 1) this.#speak(index);
  }

  stop(done: () => void): void {
    this.#stopped = done;
  }

  missing(): string {
    return `${this.#busy} of ${this.#speakers.length} clients wait for their callback`;
  }

  received(buffer: Buffer, start: number, end: number): void {
    const index = senderOf(buffer, start);
    const speaker = this.#speakers[index];
    if (
      speaker === undefined ||
      end - start !== MESSAGE_BYTES ||
      numberOf(buffer, start) !== speaker.number
    ) {
      throw new Error(
        `the application got a message that was not sent: ${buffer.toString('latin1', start, end)}`,
      );
    }
    this.#window.count(performance.now() - speaker.sentMs);
    if (this.#stopped === null) {
      this.#speak(index);
      return;
    }
    this.#busy -= 1;
    if (this.#busy === 0) this.#stopped();
  }

  #speak(index: number): void {
    const speaker = this.#speakers[index] as Speaker;
    speaker.number += 1;
    stamp(speaker.frame, FRAME_HEAD.length, index, speaker.number);
    speaker.sentMs = performance.now();
    this.#crowd.client(index).write(speaker.frame);
  }
}
