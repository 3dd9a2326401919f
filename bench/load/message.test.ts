/**
 * Sender and number survive being written into a message.
 */
import { expect, it } from 'vitest';
import { blankMessage, MESSAGE_BYTES, numberOf, SENDERS_MAX, senderOf, stamp } from './message.ts';

it('reads what was stamped, at any offset, and stays printable', () => {
  const buffer = Buffer.concat([Buffer.from('..'), blankMessage()]);
  for (const sender of [0, 1, 63, 64, SENDERS_MAX - 1]) {
    for (const number of [0, 1, 63, 64, 4_095, 4_096, 262_144, 16_777_215]) {
      stamp(buffer, 2, sender, number);
      expect([senderOf(buffer, 2), numberOf(buffer, 2)]).toEqual([sender, number]);
      expect(buffer.subarray(2).every((byte) => byte >= 32 && byte < 127)).toBe(true);
    }
  }
  expect(blankMessage()).toHaveLength(MESSAGE_BYTES);
});
