/**
 * One request of a `PlainLane` and its answer, as the door of this room has them.
 *
 * Holds what has come of the body until somebody asks for it. The connection is told what to write
 * and how to go on; which bytes belong to whom is decided there.
 */
import { assert, failed, ok, type Result } from '../../base/index.ts';
import type { HttpRequest, HttpResponse, LongAnswer, RawHeaders } from '../types.ts';
import { findHeader, findHeaderLines } from './header-lookup.ts';
import type { PlainHead } from './plain-head.ts';

/** What a call wants of its connection. */
export interface PlainCallDoors {
  readonly remoteAddress: string;
  /** Somebody waits for the rest of the body. */
  bodyWanted(): void;
  answer(status: number, headers: RawHeaders, body: string | Uint8Array): void;
  /** Closes the connection without a word. */
  cut(): void;
}

type BodyDone = (body: Result<Uint8Array, 'too_large' | 'gone'>) => void;

/** A request whose head has come. */
export class PlainCall implements HttpRequest, HttpResponse {
  readonly method = 'POST';
  readonly httpVersion = '1.1';
  readonly tls = null;
  readonly path: string;
  readonly query: string;
  readonly rawHeaders: RawHeaders;
  readonly #doors: PlainCallDoors;
  readonly #bodyBytes: number;
  #chunks: Buffer[];
  #missingBytes: number;
  #done: BodyDone | null = null;
  #isRefused = false;
  #isAnswered = false;
  #isGone = false;

  /** `first`: what came of the body along with the head. */
  constructor(doors: PlainCallDoors, { target, rawHeaders, bodyBytes }: PlainHead, first: Buffer) {
    const queryAt = target.indexOf('?');
    this.path = queryAt === -1 ? target : target.slice(0, queryAt);
    this.query = queryAt === -1 ? '' : target.slice(queryAt + 1);
    this.rawHeaders = rawHeaders;
    this.#doors = doors;
    this.#bodyBytes = bodyBytes;
    this.#chunks = [first];
    this.#missingBytes = bodyBytes - first.length;
  }

  get remoteAddress(): string {
    return this.#doors.remoteAddress;
  }

  get gone(): boolean {
    return this.#isGone;
  }

  /** What is still to come of the body. */
  get missingBytes(): number {
    return this.#missingBytes;
  }

  /** Nobody takes the body before it is asked for. */
  get isBodyWanted(): boolean {
    return this.#done !== null;
  }

  /** False: what follows on the connection may still belong to this request. */
  get isRead(): boolean {
    return this.#missingBytes === 0 && !this.#isRefused;
  }

  header(name: string): string | undefined {
    return findHeader(this.rawHeaders, name);
  }

  headerLines(name: string): string[] {
    return findHeaderLines(this.rawHeaders, name);
  }

  body(bytesMax: number, done: BodyDone): void {
    if (this.#isGone) return done(failed('gone'));
    this.#isRefused = this.#bodyBytes > bytesMax;
    if (this.#isRefused) return done(failed('too_large'));
    this.#done = done;
    if (this.#missingBytes === 0) this.#hand();
    else this.#doors.bodyWanted();
  }

  send(status: number, headers: RawHeaders, body: string | Uint8Array): void {
    assert(!this.#isAnswered, 'a request is answered once');
    this.#isAnswered = true;
    if (!this.#isGone) this.#doors.answer(status, headers, body);
  }

  sendLast(status: number, headers: RawHeaders, body: string | Uint8Array): void {
    this.#isRefused = true;
    this.send(status, headers, body);
  }

  /** Held until it is whole: what is asked for on a lane is answered in few bytes. */
  begin(status: number, headers: RawHeaders): LongAnswer {
    const parts: Uint8Array[] = [];
    return {
      write: (part, done) => {
        parts.push(part);
        queueMicrotask(() => done(!this.#isGone));
      },
      end: () => this.send(status, headers, Buffer.concat(parts)),
      breakOff: () => this.#doors.cut(),
    };
  }

  /** More of the body, and nothing behind it. */
  push(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#missingBytes -= chunk.length;
    if (this.#missingBytes === 0) this.#hand();
  }

  /** The client has left. */
  leave(): void {
    this.#isGone = true;
    const done = this.#done;
    this.#done = null;
    done?.(failed('gone'));
  }

  #hand(): void {
    const chunks = this.#chunks;
    const done = this.#done;
    this.#chunks = [];
    this.#done = null;
    done?.(ok(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks, this.#bodyBytes)));
  }
}
