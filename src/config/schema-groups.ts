/**
 * The groups of the configuration file: `callback`, `path`, `limits` and their sisters.
 *
 * One entry a key: how it is read, what it means, and why its bounds are what they are. Rules that
 * join two keys of one group stand in `schema.ts`. Numbers come from `base/limits.ts`.
 */
import { DEFAULTS, LIMITS } from '../base/index.ts';
import { formatDuration } from './duration.ts';
import { booleanField, choiceField, durationField, integerField, sizeField } from './field.ts';
import { filePathField, listenField, nodeNameField, pathField, urlField } from './text-fields.ts';
import { signingKeysField, tokensField } from './tokens-field.ts';

const KIB = 1_024;
const MIB = 1_024 * KIB;
const COUNT_MAX = 1_000_000;

const URL_REASON = 'Absolute, `http` or `https`.';
const TOKEN_REASON = 'At least 16 characters are advised; empty is refused. At most 16 tokens.';
const PATH_REASON = 'Starts with `/`; all paths differ.';

/** The keys under `callback:`. */
export const callbackKeys = {
  connect: urlField({
    description: 'Asked for every connect; its 200 with a session key admits the client.',
    reason: `${URL_REASON} Without it every connect is answered 500, as in kuiperbelt.`,
    example: 'http://127.0.0.1:12346/connect',
  }),
  establish: urlField({
    description:
      'Asked when the WebSocket stands, before its hello; messages sent meanwhile wait behind the hello.',
    reason: URL_REASON,
    example: 'http://127.0.0.1:12346/establish',
  }),
  receive: urlField({
    description: 'Gets every message of a client; without it they are discarded.',
    reason: URL_REASON,
    example: 'http://127.0.0.1:12346/receive',
  }),
  close: urlField({
    description: 'Told when a connection has ended.',
    reason: URL_REASON,
    example: 'http://127.0.0.1:12346/close',
  }),
  timeout: durationField({
    fallbackMs: 0,
    description: 'Bound of a connect, establish or receive callback, from dialling to the last byte.',
    reason: `\`0s\` means ${formatDuration(LIMITS.callbackTimeoutMaxMs)}; a bound of a few seconds is wise.`,
    example: '10s',
  }),
  close_timeout: durationField({
    fallbackMs: DEFAULTS.callbackCloseTimeoutMs,
    minMs: 1,
    description: 'Bound of one attempt at a close callback.',
    reason: 'Never unbounded: attempts are limited in number and must end.',
  }),
  close_attempts: integerField({
    fallback: DEFAULTS.callbackCloseAttemptsMax,
    min: 1,
    max: 100,
    description: 'How often a close callback is tried before it is given up.',
    reason: 'Each attempt waits longer than the one before.',
  }),
  close_backoff: durationField({
    fallbackMs: DEFAULTS.callbackCloseBackoffMs,
    minMs: 1,
    description: 'Wait before the second attempt; it doubles with each further one.',
    reason: 'At most `callback.close_backoff_max`.',
  }),
  close_backoff_max: durationField({
    fallbackMs: DEFAULTS.callbackCloseBackoffMaxMs,
    minMs: 1,
    description: 'The longest wait between two attempts.',
    reason: 'Long enough for an application to restart, short enough that its lists stay true.',
  }),
  max_in_flight: integerField({
    fallback: DEFAULTS.callbackMaxInFlight,
    min: 1,
    max: 65_536,
    description: 'Callbacks in flight at once, for each worker.',
    reason: 'Protects the application and the descriptors of this host.',
  }),
  max_queued: integerField({
    fallback: DEFAULTS.callbackMaxQueued,
    min: 0,
    max: COUNT_MAX,
    description: 'Connects that may wait for a free place, for each worker; further ones get 503.',
    reason: 'A client that waits longer than this has usually given up.',
  }),
  allow_private_redirects: booleanField({
    fallback: false,
    description: 'Follows redirects to private and loopback addresses, too. Not in kuiperbelt.',
    reason: 'Within the configured host and port always; to link-local and metadata addresses never.',
  }),
  signing_keys: signingKeysField({
    description: 'Secrets that callbacks are signed with; the first one signs. Not in kuiperbelt.',
    reason: 'Each 32 to 512 visible ASCII characters without spaces, drawn at random.',
    example: `["\${SIGNING_KEY:-32-or-more-characters-of-your-own}"]`,
  }),
  trace: choiceField({
    choices: ['off', 'continue', 'restart'],
    fallback: 'off',
    description: 'Puts callbacks and log lines into a W3C trace for each connection. Not in kuiperbelt.',
    reason: "`continue`: the client's if it names one, else a new one; `restart`: always a new one.",
  }),
  trace_sampled: booleanField({
    fallback: true,
    description:
      'Whether new traces ask to be recorded; those of clients keep their flag. Not in kuiperbelt.',
  }),
} as const;

/** The keys under `path:`. */
export const pathKeys = {
  connect: pathField({
    fallback: '/connect',
    description: 'Where clients connect.',
    reason: `${PATH_REASON} Not \`/\`.`,
  }),
  send: pathField({ fallback: '/send', description: 'Sends a message.', reason: PATH_REASON }),
  close: pathField({ fallback: '/close', description: 'Ends connections.', reason: PATH_REASON }),
  subscribe: pathField({
    fallback: '/subscribe',
    description: 'Joins sessions to channels. Not in kuiperbelt.',
    reason: PATH_REASON,
  }),
  unsubscribe: pathField({
    fallback: '/unsubscribe',
    description: 'Takes sessions out of channels. Not in kuiperbelt.',
    reason: PATH_REASON,
  }),
  stats: pathField({
    fallback: '/stats',
    description: 'Counters of the node.',
    reason: `${PATH_REASON} Not \`/\`.`,
  }),
  ping: pathField({ fallback: '/ping', description: 'Says that the node lives.', reason: PATH_REASON }),
} as const;

/** The keys under `node:`. */
export const nodeKeys = {
  name: nodeNameField({
    description: 'Name of this node; its host part is also the host of the default `endpoint`.',
    reason: '`name@host`: letters, digits, `_`, `.`, `-`, then a host.',
    example: 'node-01@127.0.0.1',
  }),
  data_dir: filePathField({
    description: 'Folder of the session journals, from which owed close callbacks are sent after a crash.',
    reason: 'One node a folder.',
    defaultText: 'chosen by the start',
    example: './data',
  }),
} as const;

/** The keys under `app:`. */
export const appKeys = {
  listen: listenField({
    description:
      'A listener for the application: send, close, subscribe, unsubscribe and stats are here only.',
    reason: '`host:port`; beyond loopback a token is required.',
    example: '127.0.0.1:9181',
  }),
  token: tokensField({
    description:
      'Bearer token that the calls of the application must carry, wherever they are served; ' +
      'or a list of tokens, any of which will do.',
    reason: TOKEN_REASON,
    example: `"\${APP_TOKEN:-a-token-of-your-own}"`,
  }),
} as const;

/** The keys under `api:`. */
export const apiKeys = {
  listen: listenField({
    description: "The operator's listener: `/healthz`, `/readyz`, `/metrics`.",
    reason: '`host:port`; beyond loopback a token is required.',
    example: '127.0.0.1:3000',
  }),
  token: tokensField({
    description: "Bearer token of the operator's listener, or a list of tokens, any of which will do.",
    reason: TOKEN_REASON,
    example: `"\${API_TOKEN:-another-token-of-yours}"`,
  }),
} as const;

/** The keys under `slow_client:`. */
export const slowClientKeys = {
  policy: choiceField({
    choices: ['close', 'drop_oldest', 'drop_newest'],
    fallback: 'close',
    description: 'What happens when the queue of a client is full.',
    reason: '`close` ends the connection with 1013; the others lose messages instead.',
  }),
  queue_bytes: sizeField({
    fallbackBytes: DEFAULTS.slowClientQueueBytesMax,
    minBytes: 1,
    maxBytes: 1_024 * MIB,
    description: 'Bytes that may wait for one client.',
    reason: 'Times the number of stalled clients, this is memory.',
  }),
  queue_messages: integerField({
    fallback: DEFAULTS.slowClientQueueMessagesMax,
    min: 1,
    max: COUNT_MAX,
    description: 'Messages that may wait for one client.',
    reason: 'Small messages cost more than their bytes.',
  }),
} as const;

/** The keys under `ping:`. */
export const pingKeys = {
  interval: durationField({
    fallbackMs: DEFAULTS.pingIntervalMs,
    description: 'How often the node pings a client; `0s`: never.',
    reason: 'Below the 60 s after which most proxies forget a silent connection.',
  }),
  timeout: durationField({
    fallbackMs: DEFAULTS.pingTimeoutMs,
    minMs: 1,
    description: 'How long a client may take to answer a ping.',
    reason: 'Long enough for a phone between two cells.',
  }),
} as const;

/** The keys under `limits:`. */
export const limitKeys = {
  message: sizeField({
    fallbackBytes: DEFAULTS.messageBytesMax,
    minBytes: 1,
    maxBytes: 256 * MIB,
    description: 'Largest message that a client may send; larger ones close the connection with 1009.',
    reason: 'A message is held in memory as a whole.',
  }),
  body: sizeField({
    fallbackBytes: DEFAULTS.bodyBytesMax,
    minBytes: 1,
    // The rest of a frame between workers is left to the names of its targets.
    maxBytes: (LIMITS.linkFrameBytesMax * 3) / 4,
    description: 'Largest body of a request, and so the largest message that an application sends.',
    reason: 'Must fit, with its targets, into one frame between two workers.',
  }),
  header: sizeField({
    fallbackBytes: DEFAULTS.headerBytesMax,
    minBytes: 1 * KIB,
    maxBytes: 16 * MIB,
    description: 'Largest head of a request.',
    reason:
      "kuiperbelt's bound; a `/send` that names 10,000 sessions fits. With `app.listen` and short " +
      'cookies, 64KiB is plenty for clients.',
  }),
  connections: integerField({
    fallback: DEFAULTS.connectionsMax,
    min: 1,
    max: COUNT_MAX,
    description: 'Connections of the whole node; further ones get 503.',
    reason: 'Each takes a descriptor and memory.',
  }),
  handshake_timeout: durationField({
    fallbackMs: DEFAULTS.handshakeTimeoutMs,
    minMs: 1,
    description: 'How long a client may take to send its request.',
    reason: 'Long enough for a bad network, short enough that slow senders hold little.',
  }),
  channels_per_connection: integerField({
    fallback: DEFAULTS.channelsPerConnectionMax,
    min: 1,
    max: 10_000,
    description: 'Channels that one connection may be in.',
    reason: 'More is rather a mistake than a wish.',
  }),
  channel_name: sizeField({
    fallbackBytes: DEFAULTS.channelNameBytesMax,
    minBytes: 1,
    maxBytes: 4 * KIB,
    description: 'Longest name of a channel.',
    reason: 'Names are kept for each member and travel in headers.',
  }),
  session_key: sizeField({
    fallbackBytes: DEFAULTS.sessionKeyBytesMax,
    minBytes: 1,
    maxBytes: 8 * KIB,
    description: 'Longest session key.',
    reason: 'Keys are kept for each connection and travel in headers.',
  }),
  targets: integerField({
    fallback: DEFAULTS.targetsMax,
    min: 1,
    max: 100_000,
    description: 'Sessions and channels that one request may name.',
    reason: 'Larger audiences use a channel.',
  }),
  receive_queue: integerField({
    fallback: DEFAULTS.receiveQueueMessagesMax,
    min: 1,
    max: 65_536,
    description:
      'Messages of one client that wait for the receive callback; then its socket is read no further.',
    reason: 'The network slows the client down; nothing is lost.',
  }),
  connects_per_address: integerField({
    fallback: DEFAULTS.connectsPerAddress,
    min: 0,
    max: COUNT_MAX,
    description:
      'Connects a second from one address, for each worker; further ones get 429. `0`: any number.',
    reason: 'Off: all clients of a proxy that `trusted_proxies` does not name have one address.',
  }),
  connects_per_address_burst: integerField({
    fallback: DEFAULTS.connectsPerAddressBurst,
    min: 1,
    max: COUNT_MAX,
    description: 'Connects from one address that may come at once, where their rate is limited.',
    reason: 'A network of people behind one address comes back at once.',
  }),
  connections_per_address: integerField({
    fallback: DEFAULTS.connectionsPerAddressMax,
    min: 0,
    max: COUNT_MAX,
    description: 'Connections of one address, for each worker; further ones get 429. `0`: any number.',
    reason: 'Off: all clients of a proxy that `trusted_proxies` does not name have one address.',
  }),
  messages_per_connection: integerField({
    fallback: DEFAULTS.messagesPerConnection,
    min: 0,
    max: COUNT_MAX,
    description:
      'Messages a second that a client may send; a faster one is read more slowly. `0`: any number.',
    reason: 'One that goes on regardless is closed with 1008.',
  }),
  messages_per_connection_burst: integerField({
    fallback: DEFAULTS.messagesPerConnectionBurst,
    min: 1,
    max: COUNT_MAX,
    description: 'Messages of a client that may come at once, where their rate is limited.',
    reason: 'What a client says as it begins.',
  }),
} as const;

/** The keys under `idempotency:`. */
export const idempotencyKeys = {
  window: durationField({
    fallbackMs: DEFAULTS.idempotencyWindowMs,
    maxMs: 3_600_000,
    description: 'How long an answer is kept for requests with the same `Idempotency-Key`; `0s`: never.',
    reason: 'Longer than an application goes on trying. With `0s` the header is ignored.',
  }),
  keys: integerField({
    fallback: DEFAULTS.idempotencyKeysMax,
    min: 1,
    max: COUNT_MAX,
    description: 'Keys that each worker keeps; further ones get 503.',
    reason: 'A thousand a second and more, for a minute.',
  }),
  bytes: sizeField({
    fallbackBytes: DEFAULTS.idempotencyBytesMax,
    minBytes: 64 * KIB,
    maxBytes: 1_024 * MIB,
    description: 'Memory for keys and answers of each worker; beyond it new keys get 503.',
    reason: 'Each key counts its length and 512 bytes, and what a longer answer takes.',
  }),
} as const;

/** The keys under `drain:`. */
export const drainKeys = {
  timeout: durationField({
    fallbackMs: DEFAULTS.drainTimeoutMs,
    description:
      'How long a stop waits for close callbacks; what is still owed then is sent at the next start.',
    reason: 'Shorter than the patience of most process managers.',
  }),
} as const;

/** The keys under `log:`. */
export const logKeys = {
  level: choiceField({
    choices: ['debug', 'info', 'warn', 'error'],
    fallback: 'info',
    description: 'The least severe lines that are written.',
  }),
  headers: booleanField({
    fallback: false,
    description: 'Writes the headers of callbacks at level `debug`.',
    reason: 'They hold cookies and tokens.',
  }),
  bodies: booleanField({
    fallback: false,
    description: 'Writes message bodies at level `debug`.',
    reason: 'They hold what users say.',
  }),
} as const;
