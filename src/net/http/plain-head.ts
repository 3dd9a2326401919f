/**
 * Reads the head of a plain POST, if it is one and all there; everything else is somebody else's.
 *
 * Strict where leniency lets two readers see two requests: one length, no other framing, whole line
 * ends, no folded lines. What is not understood here is not refused here either: node:http reads it.
 */
import type { RawHeaders } from '../types.ts';

/** A request that announced its length, up to its body. */
export interface PlainHead {
  /** Path and query. */
  readonly target: string;
  readonly rawHeaders: RawHeaders;
  /** Bytes of the head, and of the body behind it. */
  readonly headBytes: number;
  readonly bodyBytes: number;
}

/** Bounds of a head; beyond them it is left to others. */
export interface PlainHeadBounds {
  readonly headerBytesMax: number;
  readonly headerLinesMax: number;
}

const HEAD_END = Buffer.from('\r\n\r\n');
const REQUEST_LINE = /^POST (\/[\x21-\x7e]*) HTTP\/1\.1$/;
const HEADER_LINE = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[\t ]*([\t\x20-\x7e\x80-\xff]*?)[\t ]*$/;
const LENGTH = /^[0-9]{1,15}$/;

/** The head at the beginning of `bytes`; null: it is of another kind, or not all there. */
export function readPlainHead(bytes: Buffer, bounds: PlainHeadBounds): PlainHead | null {
  const end = bytes.indexOf(HEAD_END);
  if (end === -1 || end + HEAD_END.length > bounds.headerBytesMax) return null;
  const lines = bytes.toString('latin1', 0, end).split('\r\n');
  const target = REQUEST_LINE.exec(lines[0] as string)?.[1];
  if (target === undefined || lines.length - 1 > bounds.headerLinesMax) return null;
  const rawHeaders: string[] = [];
  let bodyBytes = -1;
  let hosts = 0;
  for (let place = 1; place < lines.length; place++) {
    const line = HEADER_LINE.exec(lines[place] as string);
    if (line === null) return null;
    const [, name, value] = line as unknown as [string, string, string];
    rawHeaders.push(name, value);
    const kind = kindOf(name);
    if (kind === 'other') continue;
    if (kind === 'host') hosts++;
    else if (kind === 'connection' && value.toLowerCase() === 'keep-alive') continue;
    else if (kind === 'length' && bodyBytes === -1 && LENGTH.test(value)) bodyBytes = Number(value);
    else return null;
  }
  if (hosts !== 1 || bodyBytes === -1) return null;
  return { target, rawHeaders, headBytes: end + HEAD_END.length, bodyBytes };
}

/** Nearly every name is known by its length to be none of these. */
function kindOf(name: string): 'host' | 'length' | 'connection' | 'framing' | 'other' {
  switch (name.length) {
    case 4:
      return name.toLowerCase() === 'host' ? 'host' : 'other';
    case 6:
      return name.toLowerCase() === 'expect' ? 'framing' : 'other';
    case 7:
      return /^(upgrade|trailer)$/i.test(name) ? 'framing' : 'other';
    case 10:
      return name.toLowerCase() === 'connection' ? 'connection' : 'other';
    case 14:
      return name.toLowerCase() === 'content-length' ? 'length' : 'other';
    case 17:
      return name.toLowerCase() === 'transfer-encoding' ? 'framing' : 'other';
    default:
      return 'other';
  }
}
