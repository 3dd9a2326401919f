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
  for (let at = 2; at < TIME_DIGITS + RANDOM_DIGITS; at += 4) id += fiveOf(connection, at);
  return id;
}

/** Four digits of five bits as five of four. */
function fiveOf(connection: ConnectionId, at: number): string {
  const bits =
    (digitAt(connection, at) << 15) |
    (digitAt(connection, at + 1) << 10) |
    (digitAt(connection, at + 2) << 5) |
    digitAt(connection, at + 3);
  // A leading one keeps the zeros behind it.
  return (bits | 0x100000).toString(16).slice(1);
}

function digitAt(connection: ConnectionId, at: number): number {
  return DIGITS[connection.charCodeAt(at) & 0x7f] as number;
}

/** The id of a span from eight random bytes. */
export function spanIdOf(bytes: Uint8Array): string {
  let id = '';
  for (let index = 0; index < bytes.length; index++) id += HEX[bytes[index] as number] as string;
  return ALL_ZERO.test(id) ? '0000000000000001' : id;
}

/** The same request as a span of a trace; whatever it said of traces before is gone. */
export function inTrace<Request extends { readonly headers: readonly string[] }>(
  request: Request,
  trace: Trace,
  spanId: string,
): Request & { readonly headers: readonly string[] } {
  const headers: string[] = [];
  for (let index = 0; index + 1 < request.headers.length; index += 2) {
    const name = request.headers[index] as string;
    if (!isOfTraces(name)) headers.push(name, request.headers[index + 1] as string);
  }
  headers.push('traceparent', `00-${trace.id}-${spanId}-${trace.sampled ? '01' : '00'}`);
  if (trace.state !== null) headers.push('tracestate', trace.state);
  return { ...request, headers };
}

/** Most names are known by their length not to be one of the two. */
function isOfTraces(name: string): boolean {
  if (name.length !== 11 && name.length !== 10) return false;
  const lower = name.toLowerCase();
  return lower === 'traceparent' || lower === 'tracestate';
}
