/**
 * What a benchmark message says: who sent it and the how-manieth of that sender it is.
 *
 * 100 bytes of printable text. Sender and number are written as base-64 digits that follow '0' in
 * ASCII, so that the maker reads them with two shifts and no parsing. The time of sending is not on
 * the wire: the maker is both ends and remembers it.
 */

/** Size of every message, a chat line or a small state change. */
export const MESSAGE_BYTES = 100;
/** Senders that two digits can name. */
export const SENDERS_MAX = 4_096;

const FIRST_DIGIT = 48;

/** A message with blank sender and number. */
export function blankMessage(): Buffer {
  const message = Buffer.alloc(MESSAGE_BYTES, 'x');
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
