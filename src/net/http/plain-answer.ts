/**
 * Answers on connections that go on, as text that is written in one piece.
 *
 * `plain-response.ts` has the answers after which a connection closes.
 */
import { STATUS_CODES } from 'node:http';
import { HeaderText, mayHaveBody, type PlainAnswer } from './plain-response.ts';

/** Bytes of an answer: one character a byte, and a body that is none of text, if there is one. */
export interface AnswerText {
  readonly text: string;
  readonly rest: Uint8Array | null;
}

const headerText = new HeaderText();
let lastSecond = Number.NaN;
let lastDate = '';

/** A whole answer. `isLast`: the connection closes behind it. */
export function plainAnswer(
  { status, headers, body }: PlainAnswer,
  wallMs: number,
  isLast: boolean,
): AnswerText {
  const reason = STATUS_CODES[status] ?? 'Unknown';
  const head = `HTTP/1.1 ${status} ${reason}\r\n${headerText.of(headers)}${dateAt(wallMs)}`;
  const connection = isLast ? 'Connection: close\r\n' : '';
  if (!mayHaveBody(status)) return { text: `${head}${connection}\r\n`, rest: null };
  const bytes = typeof body === 'string' ? Buffer.byteLength(body) : body.length;
  const whole = `${head}${connection}Content-Length: ${bytes}\r\n\r\n`;
  // As many bytes as characters: then both mean the same in either encoding.
  if (typeof body === 'string' && bytes === body.length) return { text: whole + body, rest: null };
  return { text: whole, rest: typeof body === 'string' ? Buffer.from(body) : body };
}

/** A date has seconds only. */
function dateAt(wallMs: number): string {
  const second = Math.floor(wallMs / 1_000);
  if (second !== lastSecond) lastDate = `Date: ${new Date(second * 1_000).toUTCString()}\r\n`;
  lastSecond = second;
  return lastDate;
}
