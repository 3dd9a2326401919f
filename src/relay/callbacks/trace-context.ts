/**
 * W3C Trace Context: which trace a connection belongs to, and how its callbacks say so.
 *
 * A connection is in the trace that its client named, if it named one in due form, else in one of
 * its own whose id follows from the connection's: nothing is kept for it, and whoever tells of the
 * connection's end after a crash names the same trace. Ids that are drawn come in as bytes.
 */
import type { ConnectionId } from '../../base/index.ts';

/** A trace as a client named it. */
export interface Trace {
  /** 32 hexadecimal digits. */
  readonly id: string;
  readonly sampled: boolean;
  /** What tracing systems noted in `tracestate`; null: nothing. */
  readonly state: string | null;
}

const TRACEPARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const ALL_ZERO = /^0+$/;
const SAMPLED = 0x01;
/** What the specification asks everybody to pass on; the first members are the newest. */
const STATE_CHARACTERS_MAX = 512;
const STATE_MEMBERS_MAX = 32;
/** A state of more lines or elements, empty ones included, is only long to be long. */
const STATE_LINES_MAX = 64;
const STATE_ELEMENTS_MAX = 64;
const STATE_MEMBER = /^([a-z0-9][a-z0-9_*/@-]{0,255})=[\x20-\x2b\x2d-\x3c\x3e-\x7e]{1,256}$/;

const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';
/** Digits of a connection id that hold its time, and of those that hold randomness. */
const TIME_DIGITS = 10;
const RANDOM_DIGITS = 16;
/** Values of digits by character code; what is no digit counts as 0. */
const DIGITS = Uint8Array.from({ length: 128 }, (_, code) =>
  Math.max(0, ALPHABET.indexOf(String.fromCharCode(code))),
);
/** What no span may be called. */
const NO_SPAN = '0000000000000000';
const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

/** The trace of a request with these lines, or null when they name none in due form. */
export function readTrace(traceparents: readonly string[], tracestates: readonly string[]): Trace | null {
  const match = traceparents.length === 1 ? TRACEPARENT.exec(traceparents[0] as string) : null;
  if (match === null) return null;
  const [, version, id = '', parent = '', flags = '', more] = match;
  // Later versions may say more behind a dash; this one must not.
  if (version === 'ff' || (version === '00' && more !== undefined)) return null;
  if (ALL_ZERO.test(id) || ALL_ZERO.test(parent)) return null;
  const sampled = (Number.parseInt(flags, 16) & SAMPLED) !== 0;
  return { id, sampled, state: readState(tracestates) };
}

/** A state that breaks the rules is left out as a whole; one that is too long loses its oldest members. */
function readState(lines: readonly string[]): string | null {
  const members = lines
    .slice(0, STATE_LINES_MAX)
    .flatMap((line) => line.split(',', STATE_ELEMENTS_MAX))
    .map((member) => member.replace(/^[\t ]+|[\t ]+$/g, ''))
    .filter((member) => member !== '');
  if (members.length > STATE_MEMBERS_MAX) return null;
  const keys = new Set<string>();
  let state = '';
  let full = false;
  for (const member of members) {
    const key = STATE_MEMBER.exec(member)?.[1];
    if (key === undefined || keys.has(key)) return null;
    keys.add(key);
    const longer = state === '' ? member : `${state},${member}`;
    full ||= longer.length > STATE_CHARACTERS_MAX;
    if (!full) state = longer;
  }
  return state === '' ? null : state;
}

/** The id of the trace of a connection whose client named none. */
export function traceIdOf(connection: ConnectionId): string {
  // 50 bits of milliseconds; the upper two are zero for the next nine thousand years.
  let id = HEX[((digitAt(connection, 0) << 5) & 0xff) | digitAt(connection, 1)] as string;
  for (let at = 2; at < TIME_DIGITS + RANDOM_DIGITS; at += 8) id += fiveBytesOf(connection, at);
  return id;
}

/** Eight digits of five bits as five bytes. */
function fiveBytesOf(connection: ConnectionId, at: number): string {
  const upper = twentyBits(connection, at);
  const lower = twentyBits(connection, at + 4);
  const middle = HEX[((upper & 0x0f) << 4) | (lower >>> 16)] as string;
  return (
    hexOf(upper >>> 12) +
    hexOf((upper >>> 4) & 0xff) +
    middle +
    hexOf((lower >>> 8) & 0xff) +
    hexOf(lower & 0xff)
  );
}

function twentyBits(connection: ConnectionId, at: number): number {
  return (
    (digitAt(connection, at) << 15) |
    (digitAt(connection, at + 1) << 10) |
    (digitAt(connection, at + 2) << 5) |
    digitAt(connection, at + 3)
  );
}

function hexOf(byte: number): string {
  return HEX[byte] as string;
}

function digitAt(connection: ConnectionId, at: number): number {
  return DIGITS[connection.charCodeAt(at) & 0x7f] as number;
}

/** The id of a span from eight random bytes. */
export function spanIdOf(bytes: Uint8Array): string {
  let id = '';
  for (let index = 0; index < bytes.length; index++) id += HEX[bytes[index] as number] as string;
  return id === NO_SPAN ? '0000000000000001' : id;
}

/** The lines of a request as a span of a trace; whatever they said of traces before is gone. */
export function inTrace(headers: readonly string[], trace: Trace, spanId: string): string[] {
  const lines = saysTraces(headers)
    ? headers.filter((_, at) => !isOfTraces(nameAt(headers, at)))
    : [...headers];
  lines.push('traceparent', `00-${trace.id}-${spanId}-${trace.sampled ? '01' : '00'}`);
  if (trace.state !== null) lines.push('tracestate', trace.state);
  return lines;
}

function saysTraces(headers: readonly string[]): boolean {
  for (let at = 0; at < headers.length; at += 2) if (isOfTraces(headers[at] as string)) return true;
  return false;
}

/** The name of the line that this name or value belongs to. */
function nameAt(headers: readonly string[], at: number): string {
  return headers[at - (at % 2)] as string;
}

/** Most names are known by their length not to be one of the two. */
function isOfTraces(name: string): boolean {
  if (name.length !== 11 && name.length !== 10) return false;
  const lower = name.toLowerCase();
  return lower === 'traceparent' || lower === 'tracestate';
}
