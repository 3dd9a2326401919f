/**
 * permessage-deflate for all connections of a worker: who is compressed for, and at which cost.
 *
 * A frame keeps its compressed form, so a broadcast is compressed once, when the first connection
 * that agreed to it is sent to. Neither direction keeps state between messages. What compressing
 * and inflating may take of one turn is bounded: beyond it messages go out as they are, and come in
 * a turn later. There is one object a worker, and none where compression is off.
 */
import { LIMITS, type Meter, type Result, type Timers } from '../../base/index.ts';
import {
  type DeflateSettings,
  deflateMessage,
  type InflateFailure,
  inflateMessage,
} from './deflate-codec.ts';
import { type EncodedFrame, encodeCompressed, payloadOf } from './frame.ts';

/** How messages are compressed, and up to which size. */
export interface CompressionSettings extends DeflateSettings {
  /** Shorter messages go out as they are. */
  readonly thresholdBytes: number;
  /** Bytes that may be compressed within one turn; what goes beyond goes out as it is. */
  readonly turnBytesMax: number;
  /** The compressed form of a client's message; a longer one ends the connection with 1009. */
  readonly wireBytesMax: number;
}

/** A message that waits to be inflated. */
export interface InflateJob {
  /** Called once, later in this turn or in one of the next. */
  run(): void;
}

/** An inflated message costs at least as much time as this many bytes. */
const INFLATE_COST_BYTES_MIN = 4_096;

/** Compresses and inflates for one worker. */
export class MessageCompression {
  readonly windowBits: number;
  #settings: CompressionSettings;
  readonly #timers: Timers;
  readonly #refused: { add(amount: number, labels: { cause: InflateFailure }): void };
  readonly #counts = { deflated: 0, deflatedFrom: 0, deflatedTo: 0, skipped: 0 };
  readonly #inflated = { messages: 0, from: 0, to: 0 };
  #deflatedInTurn = 0;
  #inflatedInTurn = 0;
  #endAwaited = false;
  /** In the order in which they came; one a connection at the most. */
  readonly #waiting = new Set<InflateJob>();

  constructor(settings: CompressionSettings, doors: { readonly timers: Timers; readonly meter: Meter }) {
    this.#settings = settings;
    this.#timers = doors.timers;
    this.windowBits = settings.windowBits;
    this.#refused = doors.meter.counter({
      name: 'arrokoth_inflate_refusals_total',
      help: 'Compressed messages of clients that were too large or invalid, and ended their connection.',
      labels: ['cause'],
    });
    this.#show(doors.meter);
  }

  /** The compressed form of a client's message is no longer. */
  get wireBytesMax(): number {
    return this.#settings.wireBytesMax;
  }

  /** Other settings from the next message on. The window stays: clients were told. */
  adjust(settings: CompressionSettings): void {
    this.#settings = { ...settings, windowBits: this.windowBits };
  }

  /** What a client that agreed to compression is sent in place of `frame`: another frame, or itself. */
  formOf(frame: EncodedFrame): EncodedFrame {
    if (frame.compressed === null) frame.compressed = this.#compress(frame);
    return frame.compressed;
  }

  /** Lets `job` run now or in its turn; true when it has to wait for another turn. */
  queue(job: InflateJob): boolean {
    const waits = this.#waiting.size > 0 || this.#inflatedInTurn >= LIMITS.inflateTurnBytesMax;
    if (waits) {
      this.#waiting.add(job);
      this.#awaitEnd();
    } else {
      // The parser has to return before it can be told.
      queueMicrotask(() => job.run());
    }
    return waits;
  }

  /** Inflates one message of a client, and puts it down to this turn. */
  inflate(fragments: readonly Uint8Array[], bytesMax: number): Result<Buffer, InflateFailure> {
    let wireBytes = 0;
    for (const fragment of fragments) wireBytes += fragment.length;
    const outcome = inflateMessage(fragments, bytesMax);
    const madeBytes = outcome.ok ? outcome.value.length : bytesMax;
    this.#inflatedInTurn += Math.max(madeBytes, INFLATE_COST_BYTES_MIN);
    this.#awaitEnd();
    if (outcome.ok) {
      this.#inflated.messages++;
      this.#inflated.from += wireBytes;
      this.#inflated.to += madeBytes;
    } else {
      this.refuse(outcome.error);
    }
    return outcome;
  }

  /** Counts a message that ends its connection. */
  refuse(cause: InflateFailure): void {
    this.#refused.add(1, { cause });
  }

  #compress(frame: EncodedFrame): EncodedFrame {
    if (frame.messages === 0) return frame;
    const payload = payloadOf(frame);
    if (payload.length < this.#settings.thresholdBytes) return frame;
    if (this.#deflatedInTurn + payload.length > this.#settings.turnBytesMax) {
      this.#counts.skipped++;
      return frame;
    }
    this.#deflatedInTurn += payload.length;
    this.#awaitEnd();
    const compressed = deflateMessage(payload, this.#settings);
    this.#counts.deflated++;
    this.#counts.deflatedFrom += payload.length;
    this.#counts.deflatedTo += Math.min(compressed.length, payload.length);
    return compressed.length < payload.length ? encodeCompressed(frame, compressed) : frame;
  }

  #awaitEnd(): void {
    if (this.#endAwaited) return;
    this.#endAwaited = true;
    this.#timers.endOfTurn(this.#endTurn);
  }

  readonly #endTurn = (): void => {
    this.#endAwaited = false;
    this.#deflatedInTurn = 0;
    this.#inflatedInTurn = 0;
    // Who has more to say comes again behind all others, within the same loop.
    for (const job of this.#waiting) {
      if (this.#inflatedInTurn >= LIMITS.inflateTurnBytesMax) break;
      this.#waiting.delete(job);
      job.run();
    }
    // What was spent here counts for the turn that begins, so that everything else has its share.
    if (this.#waiting.size > 0) this.#awaitEnd();
  };

  #show(meter: Meter): void {
    const counter = (name: string, help: string, read: () => number): void =>
      meter.observed({ name: `arrokoth_${name}`, help, type: 'counter' }, read);
    const out = this.#counts;
    const into = this.#inflated;
    counter('deflated_messages_total', 'Messages that were compressed, each once.', () => out.deflated);
    counter(
      'deflated_input_bytes_total',
      'Bytes of those messages before they were compressed.',
      () => out.deflatedFrom,
    );
    counter('deflated_output_bytes_total', 'Bytes of those messages as they go out.', () => out.deflatedTo);
    counter(
      'deflate_skips_total',
      'Messages that went out as they are because a turn had no room for compressing them.',
      () => out.skipped,
    );
    counter('inflated_messages_total', 'Compressed messages of clients.', () => into.messages);
    counter('inflated_input_bytes_total', 'Bytes of those messages as they came.', () => into.from);
    counter('inflated_output_bytes_total', 'Bytes of those messages once inflated.', () => into.to);
  }
}
