/**
 * The keys under `compression:`: permessage-deflate between clients and the node.
 *
 * One entry a key: how it is read, what it means, and why its bounds are what they are. What a
 * message may be once it is inflated is not among them: that is `limits.message`.
 */
import { DEFAULTS } from '../../base/index.ts';
import { booleanField, integerField, sizeField } from '../fields/field.ts';

const KIB = 1_024;
const MIB = 1_024 * KIB;

/** The keys under `compression:`. */
export const compressionKeys = {
  enabled: booleanField({
    fallback: false,
    description: 'Compresses messages for clients that offer permessage-deflate, and takes compressed ones.',
    reason: 'Off: it costs CPU time, and compressing secrets beside the words of others can give them away.',
  }),
  level: integerField({
    fallback: DEFAULTS.compressionLevel,
    min: 1,
    max: 9,
    description: "zlib's level: 1 is fastest, 9 makes the smallest messages.",
    reason: 'For messages of a few KiB the lower levels are hardly faster.',
    reload: 'live',
  }),
  threshold: sizeField({
    fallbackBytes: DEFAULTS.compressionThresholdBytes,
    minBytes: 0,
    maxBytes: 1 * MIB,
    description: 'Shorter messages go out as they are.',
    reason: 'They fit into one packet either way.',
    reload: 'live',
  }),
  window_bits: integerField({
    fallback: DEFAULTS.compressionWindowBits,
    min: 9,
    max: 15,
    description: 'Size of the window in which messages to clients are compressed, as a power of two.',
    reason: 'One size for all; a client that asks for a smaller one is sent messages as they are.',
  }),
  memory_level: integerField({
    fallback: DEFAULTS.compressionMemoryLevel,
    min: 1,
    max: 9,
    description: "zlib's memory level for messages to clients.",
    reason: 'Needed while a message is compressed, not per connection.',
    reload: 'live',
  }),
  turn: sizeField({
    fallbackBytes: DEFAULTS.compressionTurnBytesMax,
    minBytes: 1 * KIB,
    maxBytes: 64 * MIB,
    description:
      'Bytes that a worker compresses in one turn of its event loop. What goes beyond, and larger ' +
      'messages, go out as they are.',
    reason: 'Everybody waits meanwhile: 9 ms for 1MiB at level 6.',
    reload: 'live',
  }),
  client_message: sizeField({
    fallbackBytes: DEFAULTS.compressionWireBytesMax,
    minBytes: 1,
    maxBytes: 256 * MIB,
    description: "Largest compressed form of a client's message; larger ones close the connection with 1009.",
    reason: '`limits.message` bounds it as well, and what it is inflated to.',
    reload: 'live',
  }),
} as const;
