/**
 * What a benchmark message says: who sent it and the how-manieth of that sender it is.
 *
 * 100 bytes of printable text, or 1 KiB of JSON where it is to be compressed. Sender and number are
 * written as base-64 digits that follow '0' in ASCII, so that the maker reads them with two shifts and
 * no parsing. The time of sending is not on the wire: the maker is both ends and remembers it.
 */

/** Size of every message, a chat line or a small state change. */
export const MESSAGE_BYTES = 100;
/** Size of a message that is to be compressed: some rows of a table. */
export const JSON_MESSAGE_BYTES = 1_024;
/** Senders that two digits can name. */
export const SENDERS_MAX = 4_096;

const FIRST_DIGIT = 48;

/** A message with blank sender and number. */
export function blankMessage(): Buffer {
  const message = Buffer.alloc(MESSAGE_BYTES, 'x');
  stamp(message, 0, 0, 0);
  return message;
}

/** The same with JSON behind it, as prices or scores are pushed to pages. */
export function blankJsonMessage(): Buffer {
  const rows: object[] = [];
  for (let id = 0; id < 16; id += 1) {
    const price = ((id * 7_919) % 10_007) / 100;
    const symbol = `${String.fromCharCode(65 + ((id * 11) % 26), 65 + ((id * 17) % 26))}X`;
    const state = ['open', 'closed', 'halted'][(id * 5) % 3];
    rows.push({
      id: 1_000 + id * 37,
      symbol,
      bid: price,
      ask: price + 0.03,
      volume: (id * 104_729) % 9_973,
      state,
    });
  }
  const text = `......${JSON.stringify({ type: 'prices', rows })}`;
  const message = Buffer.from(text.padEnd(JSON_MESSAGE_BYTES).slice(0, JSON_MESSAGE_BYTES), 'latin1');
  stamp(message, 0, 0, 0);
  return message;
}

/** Writes sender and number into the message that starts at `offset`. */
export function stamp(buffer: Buffer, offset: number, sender: number, number: number): void {
  buffer[offset] = FIRST_DIGIT + ((sender >>> 6) & 63);
  buffer[offset + 1] = FIRST_DIGIT + (sender & 63);
  buffer[offset + 2] = FIRST_DIGIT + ((number >>> 18) & 63);
  buffer[offset + 3] = FIRST_DIGIT + ((number >>> 12) & 63);
  buffer[offset + 4] = FIRST_DIGIT + ((number >>> 6) & 63);
  buffer[offset + 5] = FIRST_DIGIT + (number & 63);
}

/** Who sent the message that starts at `offset`. */
export function senderOf(buffer: Buffer, offset: number): number {
  return (digit(buffer, offset) << 6) | digit(buffer, offset + 1);
}

/** The how-manieth message of its sender it is. */
export function numberOf(buffer: Buffer, offset: number): number {
  return (
    (digit(buffer, offset + 2) << 18) |
    (digit(buffer, offset + 3) << 12) |
    (digit(buffer, offset + 4) << 6) |
    digit(buffer, offset + 5)
  );
}

function digit(buffer: Buffer, offset: number): number {
  return (buffer[offset] as number) - FIRST_DIGIT;
}
