/**
 * Reads one HTTP/1.1 answer from the bytes of a connection, however they are cut.
 *
 * Strict where leniency lets two readers see two answers: one length only, whole line ends, no
 * folded lines. It holds no socket and knows no request but that it was no HEAD. Bodies with a
 * length, in chunks, and up to the end of the connection are understood.
 */
import { findHeader, findHeaderLines } from '../http/header-lookup.ts';
import type { HttpAnswer } from '../types.ts';

/** What a reader has after some bytes. */
export type Reading = 'more' | 'whole' | 'malformed' | 'too_large';

const HEAD_BYTES_MAX = 16 * 1_024;
/** A chunk's size with its extensions, or a trailer. */
const LINE_BYTES_MAX = 4 * 1_024;
const HEAD_END = Buffer.from('\r\n\r\n');
const LINE_END = Buffer.from('\r\n');
const STATUS_LINE = /^HTTP\/1\.([01]) ([1-9][0-9]{2})(?: [\t\x20-\x7e\x80-\xff]*)?$/;
const HEADER_LINE = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[\t ]*([\t\x20-\x7e\x80-\xff]*?)[\t ]*$/;
const NO_BYTES: Buffer = Buffer.alloc(0);

type State = 'head' | 'length' | 'chunk_size' | 'chunk' | 'chunk_end' | 'trailer' | 'until_end' | 'whole';

/** One answer in the making. */
export class AnswerReader {
  readonly #bodyBytesMax: number;
  #state: State = 'head';
  /** Bytes that are not understood so far: part of a head or of a line. */
  #rest: Buffer = NO_BYTES;
  #status = 0;
  #rawHeaders: string[] = [];
  #body: Buffer[] = [];
  #bodyBytes = 0;
  /** Bytes still to come of the body or the chunk. */
  #missing = 0;
  #trailerBytes = 0;
  #reusable = false;

  constructor(bodyBytesMax: number) {
    this.#bodyBytesMax = bodyBytesMax;
  }

  /** True when nothing has come so far. */
  get isUntouched(): boolean {
    return this.#state === 'head' && this.#rest.length === 0;
  }

  /** Of a whole answer: whether the connection may carry another one. */
  get isReusable(): boolean {
    return this.#reusable;
  }

  /** The whole answer. */
  answer(): HttpAnswer {
    const rawHeaders = this.#rawHeaders;
    return {
      status: this.#status,
      rawHeaders,
      body: this.#body.length === 1 ? (this.#body[0] as Buffer) : Buffer.concat(this.#body, this.#bodyBytes),
      header: (name) => findHeader(rawHeaders, name),
      headerLines: (name) => findHeaderLines(rawHeaders, name),
    };
  }

  /** Takes the next bytes. What lies behind a whole answer was not asked for, and is malformed. */
  push(chunk: Buffer): Reading {
    let bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    this.#rest = NO_BYTES;
    while (bytes.length > 0) {
      if (this.#state === 'whole') return 'malformed';
      const taken = this.#take(bytes);
      if (typeof taken === 'string') return taken;
      if (taken === 0) {
        this.#rest = bytes;
        return 'more';
      }
      bytes = bytes.subarray(taken);
    }
    return this.#state === 'whole' ? 'whole' : 'more';
  }

  /** The connection has ended. */
  end(): Reading {
    if (this.#state === 'until_end') this.#state = 'whole';
    return this.#state === 'whole' ? 'whole' : 'malformed';
  }

  /** How many bytes were understood; 0: more are needed. */
  #take(bytes: Buffer): number | 'malformed' | 'too_large' {
    switch (this.#state) {
      case 'head':
        return this.#takeHead(bytes);
      case 'length':
      case 'chunk':
        return this.#takeBody(bytes.subarray(0, this.#missing));
      case 'until_end':
        return this.#takeBody(bytes);
      default:
        return this.#takeLine(bytes);
    }
  }

  #takeHead(bytes: Buffer): number | 'malformed' | 'too_large' {
    const end = bytes.indexOf(HEAD_END);
    if (end === -1) return bytes.length > HEAD_BYTES_MAX ? 'too_large' : 0;
    if (end > HEAD_BYTES_MAX) return 'too_large';
    const [first = '', ...lines] = bytes.toString('latin1', 0, end).split('\r\n');
    const status = STATUS_LINE.exec(first);
    if (status === null) return 'malformed';
    const rawHeaders: string[] = [];
    for (const line of lines) {
      const header = HEADER_LINE.exec(line);
      if (header === null) return 'malformed';
      rawHeaders.push(header[1] as string, header[2] as string);
    }
    this.#status = Number(status[2]);
    this.#rawHeaders = rawHeaders;
    // What comes before the answer proper (100, 103) says nothing that was asked for; 101 was not asked for.
    if (this.#status === 101) return 'malformed';
    if (this.#status < 200) return end + HEAD_END.length;
    if (!this.#frame(status[1] === '1')) return 'malformed';
    return this.#missing > this.#bodyBytesMax ? 'too_large' : end + HEAD_END.length;
  }

  /** Finds out where the body ends (RFC 9112 section 6.3). */
  #frame(isNewer: boolean): boolean {
    const wishes = findHeaderLines(this.#rawHeaders, 'connection').join(',').toLowerCase();
    this.#reusable = isNewer ? !/\bclose\b/.test(wishes) : /\bkeep-alive\b/.test(wishes);
    const lengths = findHeaderLines(this.#rawHeaders, 'content-length');
    const codings = findHeaderLines(this.#rawHeaders, 'transfer-encoding');
    if (this.#status === 204 || this.#status === 304) {
      this.#state = 'whole';
      return true;
    }
    if (codings.length > 0) {
      this.#state = 'chunk_size';
      return lengths.length === 0 && codings.length === 1 && codings[0]?.toLowerCase() === 'chunked';
    }
    if (lengths.length === 0) {
      this.#state = 'until_end';
      this.#reusable = false;
      return true;
    }
    if (lengths.length > 1 || !/^[0-9]{1,15}$/.test(lengths[0] as string)) return false;
    this.#missing = Number(lengths[0]);
    this.#state = this.#missing === 0 ? 'whole' : 'length';
    return true;
  }

  #takeBody(bytes: Buffer): number | 'too_large' {
    this.#bodyBytes += bytes.length;
    if (this.#bodyBytes > this.#bodyBytesMax) return 'too_large';
    this.#body.push(bytes);
    if (this.#state === 'until_end') return bytes.length;
    this.#missing -= bytes.length;
    if (this.#missing === 0) this.#state = this.#state === 'length' ? 'whole' : 'chunk_end';
    return bytes.length;
  }

  #takeLine(bytes: Buffer): number | 'malformed' | 'too_large' {
    const end = bytes.indexOf(LINE_END);
    if (end === -1 || end > LINE_BYTES_MAX) return bytes.length > LINE_BYTES_MAX ? 'malformed' : 0;
    return this.#followLine(bytes.toString('latin1', 0, end)) ? end + LINE_END.length : 'malformed';
  }

  /** One line between chunks or behind them. False: it does not belong there. */
  #followLine(line: string): boolean {
    if (this.#state === 'chunk_end') {
      this.#state = 'chunk_size';
      return line === '';
    }
    if (this.#state === 'trailer') {
      this.#trailerBytes += line.length;
      if (line === '') this.#state = 'whole';
      return this.#trailerBytes <= HEAD_BYTES_MAX;
    }
    const size = /^([0-9a-f]{1,8})(?:[\t ]*;.*)?$/i.exec(line);
    if (size === null) return false;
    this.#missing = Number.parseInt(size[1] as string, 16);
    this.#state = this.#missing === 0 ? 'trailer' : 'chunk';
    return true;
  }
}
