/**
 * Names that must not be mixed up, and the source of new ones.
 *
 * Branded strings: the compiler refuses a channel where a session key is meant. Nothing here
 * draws time or randomness by itself; both come in through the doors of `ports.ts`.
 */
import type { Clock, Random } from './ports.ts';

declare const brand: unique symbol;
/** A string that is not any other string. */
export type Branded<Name extends string> = string & { readonly [brand]: Name };

/** One client WebSocket for its whole life; drawn when the application admits it. */
export type ConnectionId = Branded<'ConnectionId'>;
/** The name that the application gave to a connection (kuiperbelt: the session). */
export type SessionKey = Branded<'SessionKey'>;
/** A named group of connections. */
export type ChannelName = Branded<'ChannelName'>;
/** One end of one connection; the same whoever reports it, however often. */
export type EventId = Branded<'EventId'>;

/** The place of a worker in its node, counted from 0; a replacement takes the same slot. */
export type WorkerSlot = number;

const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';
/** Two digits for each ten bits: half as many steps for an id, and one goes with every callback. */
const PAIRS = Array.from({ length: 1_024 }, (_, bits) => digitOf(bits >>> 5) + digitOf(bits & 31));
const TIME_DIGITS = 10;
const RANDOM_BYTES = 10;

/** Draws ids that sort by the time of their making. */
export class IdSource {
  readonly #clock: Clock;
  readonly #random: Random;
  /** The millisecond of the last id, and how it is written. */
  #lastMs = -1;
  #lastTime = '';

  constructor(doors: { readonly clock: Clock; readonly random: Random }) {
    this.#clock = doors.clock;
    this.#random = doors.random;
  }

  /** 26 characters of Crockford base32: 50 bits of milliseconds, then 80 random bits. */
  next(): string {
    const nowMs = Math.max(0, Math.floor(this.#clock.wallMs()));
    if (nowMs !== this.#lastMs) {
      this.#lastMs = nowMs;
      this.#lastTime = encodeTime(nowMs);
    }
    return this.#lastTime + encodeBytes(this.#random.bytes(RANDOM_BYTES));
  }

  /** A fresh connection id. */
  connection(): ConnectionId {
    return this.next() as ConnectionId;
  }
}

/** When `id` was drawn, in milliseconds since 1970. */
export function idTimeMs(id: string): number {
  let timeMs = 0;
  for (const digit of id.slice(0, TIME_DIGITS)) timeMs = timeMs * 32 + ALPHABET.indexOf(digit);
  return timeMs;
}

/** The id of the one event that ends `connection`, computable by any process that knows it. */
export function closedEventId(connection: ConnectionId): EventId {
  return `${connection}.closed` as EventId;
}

function digitOf(bits: number): string {
  return ALPHABET[bits] as string;
}

function encodeTime(milliseconds: number): string {
  let rest = milliseconds;
  let digits = '';
  for (let index = 0; index < TIME_DIGITS; index++) {
    digits = digitOf(rest % 32) + digits;
    rest = Math.floor(rest / 32);
  }
  return digits;
}

/** Five bytes are four pairs of digits, without a bit left over. */
function encodeBytes(bytes: Uint8Array): string {
  let digits = '';
  for (let at = 0; at + 4 < bytes.length; at += 5) {
    const b = bytes[at + 1] as number;
    const c = bytes[at + 2] as number;
    const d = bytes[at + 3] as number;
    const first = PAIRS[((bytes[at] as number) << 2) | (b >>> 6)] as string;
    const second = PAIRS[((b & 0x3f) << 4) | (c >>> 4)] as string;
    const third = PAIRS[((c & 0x0f) << 6) | (d >>> 2)] as string;
    const fourth = PAIRS[((d & 0x03) << 8) | (bytes[at + 4] as number)] as string;
    digits += first + second + third + fourth;
  }
  return digits;
}
