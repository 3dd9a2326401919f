/**
 * Finds whole HTTP/1.1 messages in a stream of bytes; requests and answers alike.
 *
 * It knows Content-Length and chunked bodies and nothing else of HTTP. Of a chunked body it shows
 * the first chunk, which is all of it for the small messages of a benchmark. The publishers read
 * answers with it, the application reads requests.
 */

/** One message; `bodyStart` and `bodyEnd` point into the buffer it was found in. */
export interface HttpMessage {
  /** Start line and header lines, without the blank line. */
  readonly head: string;
  readonly bodyStart: number;
  readonly bodyEnd: number;
  /** Where the next message begins. */
  readonly end: number;
}

const BLANK_LINE = '\r\n\r\n';
const CONTENT_LENGTH = /\r\ncontent-length: *(\d+)/i;
const CHUNKED = /\r\ntransfer-encoding: *chunked/i;

/** The message that begins at `start`, or null when it is not whole yet. */
export function findMessage(buffer: Buffer, start: number): HttpMessage | null {
  const blank = buffer.indexOf(BLANK_LINE, start, 'latin1');
  if (blank < 0) return null;
  const head = buffer.toString('latin1', start, blank);
  const bodyStart = blank + BLANK_LINE.length;
  const length = CONTENT_LENGTH.exec(head);
  if (length !== null) {
    const bodyEnd = bodyStart + Number(length[1]);
    return bodyEnd > buffer.length ? null : { head, bodyStart, bodyEnd, end: bodyEnd };
  }
  if (CHUNKED.test(head)) return findChunked(buffer, head, bodyStart);
  return { head, bodyStart, bodyEnd: bodyStart, end: bodyStart };
}

function findChunked(buffer: Buffer, head: string, start: number): HttpMessage | null {
  let at = start;
  let bodyStart = -1;
  let bodyEnd = -1;
  for (;;) {
    const line = buffer.indexOf('\r\n', at, 'latin1');
    if (line < 0) return null;
    const size = Number.parseInt(buffer.toString('latin1', at, line), 16);
    if (Number.isNaN(size)) throw new Error('a chunk size is no number');
    const next = line + 2 + size + 2;
    if (next > buffer.length) return null;
    if (bodyStart < 0) {
      bodyStart = line + 2;
      bodyEnd = bodyStart + size;
    }
    if (size === 0) return { head, bodyStart, bodyEnd, end: next };
    at = next;
  }
}

/** Keeps what is left of a stream between its chunks and hands out every whole message. */
export class HttpStream {
  #rest: Buffer | null = null;

  /** `onMessage` must be done with `buffer` when it returns. */
  push(chunk: Buffer, onMessage: (message: HttpMessage, buffer: Buffer) => void): void {
    const buffer = this.#rest === null ? chunk : Buffer.concat([this.#rest, chunk]);
    let at = 0;
    while (at < buffer.length) {
      const message = findMessage(buffer, at);
      if (message === null) break;
      at = message.end;
      onMessage(message, buffer);
    }
    // The chunk may be a view of a buffer that is used again, so the rest is copied.
    this.#rest = at === buffer.length ? null : Buffer.from(buffer.subarray(at));
  }
}
