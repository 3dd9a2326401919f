/**
 * The compressed messages of one client on their way through the parser.
 *
 * The parser of `ws` takes it for its own extension: it hands over each piece of a compressed
 * message and reads nothing further until it is told what became of it, so messages and control
 * frames keep their order. Made with the parser of a connection, so a client that never speaks has
 * none; between two messages it holds nothing.
 */
import type { MessageCompression } from './message-compression.ts';

/** What the inflater needs of its connection. */
export interface InflatingReader {
  readonly messageBytesMax: number;
  readonly open: boolean;
  /** Its role does not want to hear more at present. */
  readonly readingPaused: boolean;
  /** Nothing can be parsed before another turn. */
  parserWaits(): void;
  /** Everything that was handed over is done with; called after each message without another behind it. */
  parserCaughtUp(): void;
}

/** How the parser is told: an error with one of the codes of `frame-receiver.ts`, or bytes. */
type Done = (error: Error | null, bytes?: Buffer) => void;

/** The code under which `frame-receiver.ts` knows data that cannot be inflated. */
export const INVALID_DEFLATE = 'ERR_INVALID_DEFLATE';
const TOO_LARGE = 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH';
const NOTHING = Buffer.alloc(0);

/** Collects and inflates the messages of one connection. */
export class MessageInflater {
  readonly #reader: InflatingReader;
  readonly #compression: MessageCompression;
  #fragments: Buffer[] = [];
  #wireBytes = 0;
  #done: Done | null = null;
  /** `held`: its role is to ask for it. `queued`: `run` will be called, once. */
  #state: 'idle' | 'collecting' | 'held' | 'queued' = 'idle';
  #waits = false;

  constructor(reader: InflatingReader, compression: MessageCompression) {
    this.#reader = reader;
    this.#compression = compression;
  }

  /** True while a piece is handed over and not done with. */
  get busy(): boolean {
    return this.#state !== 'idle';
  }

  /** True while nothing is read because of it. */
  get waits(): boolean {
    return this.#waits;
  }

  /** A piece of a compressed message. Called by the parser, which stands still until `done`. */
  decompress(piece: Buffer, final: boolean, done: Done): void {
    this.#wireBytes += piece.length;
    if (this.#wireBytes > this.#compression.wireBytesMax) {
      this.#compression.refuse('too_large');
      return done(failure(TOO_LARGE));
    }
    this.#fragments.push(piece);
    this.#done = done;
    this.#state = 'collecting';
    // The parser cannot be told from within its own call.
    if (final) this.#proceed();
    else queueMicrotask(() => this.#finish(null, NOTHING));
  }

  /** The role wants to hear more. */
  resume(): void {
    if (this.#state === 'held') this.#proceed();
  }

  /** Inflates the message that is complete. Called by the compression in its turn. */
  run(): void {
    if (this.#isHeld) return this.#hold();
    const fragments = this.#fragments;
    this.#fragments = [];
    this.#wireBytes = 0;
    // A connection that has ended is read only for the client's close frame.
    if (!this.#reader.open) return this.#finish(null, NOTHING);
    const outcome = this.#compression.inflate(fragments, this.#reader.messageBytesMax);
    if (outcome.ok) this.#finish(null, outcome.value);
    else this.#finish(failure(outcome.error === 'too_large' ? TOO_LARGE : INVALID_DEFLATE), NOTHING);
  }

  get #isHeld(): boolean {
    return this.#reader.open && this.#reader.readingPaused;
  }

  #hold(): void {
    this.#state = 'held';
    this.#wait();
  }

  #proceed(): void {
    if (this.#isHeld) return this.#hold();
    this.#state = 'queued';
    if (this.#compression.queue(this)) this.#wait();
  }

  #wait(): void {
    if (this.#waits) return;
    this.#waits = true;
    this.#reader.parserWaits();
  }

  #finish(error: Error | null, bytes: Buffer): void {
    const done = this.#done as Done;
    this.#done = null;
    this.#state = 'idle';
    this.#waits = false;
    // Within this call the parser may come with the next message.
    done(error, bytes);
    if (!this.busy) this.#reader.parserCaughtUp();
  }
}

function failure(code: string): Error {
  return Object.assign(new Error('a compressed message is refused'), { code });
}
