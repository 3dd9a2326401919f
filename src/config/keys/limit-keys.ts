/**
 * The keys that bound what clients and the application may do: `limits` and its sisters.
 *
 * One entry a key: how it is read, what it means, and why its bounds are what they are. The numbers
 * come from `base/limits.ts`.
 */
import { DEFAULTS, LIMITS } from '../../base/index.ts';
import { choiceField, durationField, integerField, sizeField } from '../fields/field.ts';

const KIB = 1_024;
const MIB = 1_024 * KIB;
const COUNT_MAX = 1_000_000;

/** The keys under `limits:`. */
export const limitKeys = {
  message: sizeField({
    fallbackBytes: DEFAULTS.messageBytesMax,
    minBytes: 1,
    maxBytes: 256 * MIB,
    description: 'Largest message that a client may send; larger ones close the connection with 1009.',
    reason: 'A message is held in memory as a whole; a compressed one counts as what it is inflated to.',
    reload: 'live',
  }),
  body: sizeField({
    fallbackBytes: DEFAULTS.bodyBytesMax,
    minBytes: 1,
    // The rest of a frame between workers is left to the names of its targets.
    maxBytes: (LIMITS.linkFrameBytesMax * 3) / 4,
    description: 'Largest body of a request, and so the largest message that an application sends.',
    reason: 'Must fit, with its targets, into one frame between two workers.',
    reload: 'live',
  }),
  header: sizeField({
    fallbackBytes: DEFAULTS.headerBytesMax,
    minBytes: 1 * KIB,
    maxBytes: 16 * MIB,
    description: 'Largest head of a request.',
    reason:
      "kuiperbelt's bound; a `/send` that names 10,000 sessions fits. With `app.listen` and short " +
      'cookies, 64KiB is plenty for clients.',
    reload: 'live',
  }),
  connections: integerField({
    fallback: DEFAULTS.connectionsMax,
    min: 1,
    max: COUNT_MAX,
    description: 'Connections of the whole node; further ones get 503.',
    reason: 'Each takes a descriptor and memory.',
    reload: 'live',
  }),
  handshake_timeout: durationField({
    fallbackMs: DEFAULTS.handshakeTimeoutMs,
    minMs: 1,
    description: 'How long a client may take to send its request.',
    reason: 'Long enough for a bad network, short enough that slow senders hold little.',
    reload: 'live',
  }),
  channels_per_connection: integerField({
    fallback: DEFAULTS.channelsPerConnectionMax,
    min: 1,
    max: 10_000,
    description: 'Channels that one connection may be in.',
    reason: 'More is rather a mistake than a wish.',
    reload: 'live',
  }),
  channel_name: sizeField({
    fallbackBytes: DEFAULTS.channelNameBytesMax,
    minBytes: 1,
    maxBytes: 4 * KIB,
    description: 'Longest name of a channel.',
    reason: 'Names are kept for each member and travel in headers.',
    reload: 'live',
  }),
  session_key: sizeField({
    fallbackBytes: DEFAULTS.sessionKeyBytesMax,
    minBytes: 1,
    maxBytes: 8 * KIB,
    description: 'Longest session key.',
    reason: 'Keys are kept for each connection and travel in headers.',
    reload: 'live',
  }),
  targets: integerField({
    fallback: DEFAULTS.targetsMax,
    min: 1,
    max: 100_000,
    description: 'Sessions and channels that one request may name.',
    reason: 'Larger audiences use a channel.',
    reload: 'live',
  }),
  receive_queue: integerField({
    fallback: DEFAULTS.receiveQueueMessagesMax,
    min: 1,
    max: 65_536,
    description:
      'Messages of one client that wait for the receive callback; then its socket is read no further.',
    reason: 'The network slows the client down; nothing is lost.',
    reload: 'live',
  }),
  connects_per_address: integerField({
    fallback: DEFAULTS.connectsPerAddress,
    min: 0,
    max: COUNT_MAX,
    description:
      'Connects a second from one address, for each worker; further ones get 429. `0`: any number.',
    reason: 'Off: all clients of a proxy that `trusted_proxies` does not name have one address.',
    reload: 'live',
  }),
  connects_per_address_burst: integerField({
    fallback: DEFAULTS.connectsPerAddressBurst,
    min: 1,
    max: COUNT_MAX,
    description: 'Connects from one address that may come at once, where their rate is limited.',
    reason: 'A network of people behind one address comes back at once.',
    reload: 'live',
  }),
  connections_per_address: integerField({
    fallback: DEFAULTS.connectionsPerAddressMax,
    min: 0,
    max: COUNT_MAX,
    description: 'Connections of one address, for each worker; further ones get 429. `0`: any number.',
    reason: 'Off: all clients of a proxy that `trusted_proxies` does not name have one address.',
    reload: 'live',
  }),
  messages_per_connection: integerField({
    fallback: DEFAULTS.messagesPerConnection,
    min: 0,
    max: COUNT_MAX,
    description:
      'Messages a second that a client may send; a faster one is read more slowly. `0`: any number.',
    reason: 'One that goes on regardless is closed with 1008.',
    reload: 'live',
  }),
  messages_per_connection_burst: integerField({
    fallback: DEFAULTS.messagesPerConnectionBurst,
    min: 1,
    max: COUNT_MAX,
    description: 'Messages of a client that may come at once, where their rate is limited.',
    reason: 'What a client says as it begins.',
    reload: 'live',
  }),
} as const;

/** The keys under `slow_client:`. */
export const slowClientKeys = {
  policy: choiceField({
    choices: ['close', 'drop_oldest', 'drop_newest'],
    fallback: 'close',
    description: 'What happens when the queue of a client is full.',
    reason: '`close` ends the connection with 1013; the others lose messages instead.',
    reload: 'live',
  }),
  queue_bytes: sizeField({
    fallbackBytes: DEFAULTS.slowClientQueueBytesMax,
    minBytes: 1,
    maxBytes: 1_024 * MIB,
    description: 'Bytes that may wait for one client.',
    reason: 'Times the number of stalled clients, this is memory.',
    reload: 'live',
  }),
  queue_messages: integerField({
    fallback: DEFAULTS.slowClientQueueMessagesMax,
    min: 1,
    max: COUNT_MAX,
    description: 'Messages that may wait for one client.',
    reason: 'Small messages cost more than their bytes.',
    reload: 'live',
  }),
} as const;

/** The keys under `ping:`. */
export const pingKeys = {
  interval: durationField({
    fallbackMs: DEFAULTS.pingIntervalMs,
    description: 'How often the node pings a client; `0s`: never.',
    reason: 'Below the 60 s after which most proxies forget a silent connection.',
    reload: 'live',
  }),
  timeout: durationField({
    fallbackMs: DEFAULTS.pingTimeoutMs,
    minMs: 1,
    description: 'How long a client may take to answer a ping.',
    reason: 'Long enough for a phone between two cells.',
    reload: 'live',
  }),
} as const;

/** The keys under `idempotency:`. */
export const idempotencyKeys = {
  window: durationField({
    fallbackMs: DEFAULTS.idempotencyWindowMs,
    maxMs: 3_600_000,
    description: 'How long an answer is kept for requests with the same `Idempotency-Key`; `0s`: never.',
    reason: 'Longer than an application goes on trying. With `0s` the header is ignored.',
    reload: 'live',
  }),
  keys: integerField({
    fallback: DEFAULTS.idempotencyKeysMax,
    min: 1,
    max: COUNT_MAX,
    description: 'Keys that each worker keeps; further ones get 503.',
    reason: 'A thousand a second and more, for a minute.',
    reload: 'live',
  }),
  bytes: sizeField({
    fallbackBytes: DEFAULTS.idempotencyBytesMax,
    minBytes: 64 * KIB,
    maxBytes: 1_024 * MIB,
    description: 'Memory for keys and answers of each worker; beyond it new keys get 503.',
    reason: 'Each key counts its length and 512 bytes, and what a longer answer takes.',
    reload: 'live',
  }),
} as const;
