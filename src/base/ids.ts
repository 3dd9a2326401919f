/**
 * Names that must not be mixed up, and the source of new ones.
 *
 * Branded strings: the compiler refuses a channel where a session key is meant. Nothing here
 * draws time or randomness by itself; both come in through the doors of `ports.ts`.
 */
import type { Clock, Random } from './ports.ts';

declare const brand: unique symbol;
type Branded<Name extends string> = string & { readonly [brand]: Name };

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
const TIME_DIGITS = 10;
const RANDOM_BYTES = 10;

/** Draws ids that sort by the time of their making. */
export class IdSource {
  readonly #clock: Clock;
  readonly #random: Random;

  constructor(doors: { readonly clock: Clock; readonly random: Random }) {
    this.#clock = doors.clock;
    this.#random = doors.random;
  }

  /** 26 characters of Crockford base32: 50 bits of milliseconds, then 80 random bits. */
  next(): string {
    return encodeTime(this.#clock.wallMs()) + encodeBytes(this.#random.bytes(RANDOM_BYTES));
  }

  /** A fresh connection id. */
  connection(): ConnectionId {
    return this.next() as ConnectionId;
  }
}

/** The id of the one event that ends `connection`, computable by any process that knows it. */
export function closedEventId(connection: ConnectionId): EventId {
  return `${connection}.closed` as EventId;
}

function encodeTime(milliseconds: number): string {
  let rest = Math.max(0, Math.floor(milliseconds));
  let digits = '';
  for (let index = 0; index < TIME_DIGITS; index++) {
    digits = (ALPHABET[rest % 32] as string) + digits;
    rest = Math.floor(rest / 32);
  }
  return digits;
}

function encodeBytes(bytes: Uint8Array): string {
  let digits = '';
  let accumulator = 0;
  let bits = 0;
  for (const byte of bytes) {
    accumulator = ((accumulator << 8) | byte) & 0xfff;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      digits += ALPHABET[(accumulator >>> bits) & 31];
    }
  }
  return digits;
}
