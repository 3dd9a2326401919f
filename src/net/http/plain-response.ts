/**
 * HTTP answers as bytes, for sockets that node:http no longer writes to.
 *
 * A refused upgrade, a request that could not be parsed and a body that is too large are answered
 * this way. Also home of the rule which header lines may go onto a wire at all.
 */
import { STATUS_CODES } from 'node:http';
import type { RawHeaders } from '../types.ts';

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const FORBIDDEN_IN_VALUES = /[^\t\x20-\x7e\x80-\xff]/;

/** What an answer says. */
export interface PlainAnswer {
  readonly status: number;
  readonly headers: RawHeaders;
  readonly body: string | Uint8Array;
  /** Of the request; the answer to HEAD says how long its body would be, and has none. */
  readonly method?: string | undefined;
  /** True: all header names are in lower case, and sorted. */
  readonly lowerCase?: boolean;
}

/** A whole response after which the connection closes. */
export function closingResponse(answer: PlainAnswer, wallMs: number): Buffer {
  const { status, headers, body, method, lowerCase = false } = answer;
  const bytes = typeof body === 'string' ? Buffer.from(body) : body;
  let head = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'Unknown'}\r\n`;
  const ours = ['Date', new Date(wallMs).toUTCString(), 'Connection', 'close'];
  if (mayHaveBody(status)) ours.push('Content-Length', String(bytes.length));
  const all = [...safeHeaders(headers), ...ours];
  const lines = lowerCase ? inLowerCase(all) : all;
  for (let index = 0; index < lines.length; index += 2) head += `${lines[index]}: ${lines[index + 1]}\r\n`;
  // Header values are bytes of latin1 on the wire, the body is what the caller made of it.
  const headBytes = Buffer.from(`${head}\r\n`, 'latin1');
  return mayHaveBody(status) && method !== 'HEAD' ? Buffer.concat([headBytes, bytes]) : headBytes;
}

/** RFC 9110 section 6.4.1: these answers have no body and therefore no length. */
export function mayHaveBody(status: number): boolean {
  return status >= 200 && status !== 204 && status !== 304;
}

/**
 * The lines that can be written safely. Values come from applications and may hold anything; one
 * line break too many would let them forge headers, so such a line is left out.
 */
export function safeHeaders(headers: RawHeaders): string[] {
  if (headers !== lastGiven) {
    lastSafe = withoutUnsafe(headers);
    lastGiven = headers;
  }
  return lastSafe.slice();
}

/** The lines of the answer before: nearly every call of an application is answered by the same ones. */
let lastGiven: RawHeaders = [];
let lastSafe: readonly string[] = [];

/** Header lines as they are written. Those that are the same array as the last time are not built again. */
export class HeaderText {
  #headers: RawHeaders | null = null;
  #text = '';

  /** Each line with its end. */
  of(headers: RawHeaders): string {
    if (headers === this.#headers) return this.#text;
    let text = '';
    const safe = withoutUnsafe(headers);
    for (let index = 0; index < safe.length; index += 2) text += `${safe[index]}: ${safe[index + 1]}\r\n`;
    this.#headers = headers;
    this.#text = text;
    return text;
  }
}

function withoutUnsafe(headers: RawHeaders): string[] {
  const safe: string[] = [];
  for (let index = 0; index + 1 < headers.length; index += 2) {
    const name = headers[index] as string;
    const value = headers[index + 1] as string;
    if (TOKEN.test(name) && !FORBIDDEN_IN_VALUES.test(value)) safe.push(name, value);
  }
  return safe;
}

/** The same lines, sorted by their names in lower case. */
export function inLowerCase(lines: RawHeaders): string[] {
  const pairs: [string, string][] = [];
  for (let index = 0; index + 1 < lines.length; index += 2) {
    pairs.push([(lines[index] as string).toLowerCase(), lines[index + 1] as string]);
  }
  return pairs.sort(([left], [right]) => (left < right ? -1 : left > right ? 1 : 0)).flat();
}
