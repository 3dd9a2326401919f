/**
 * The one table of errors: every failure that an operator, an application or a client can meet.
 *
 * `docs/reference/errors.md` is compared with this table in both directions by a test. Expected
 * outcomes inside the program are values (`result.ts`); `ArrokothError` is for what ends a start,
 * a request or a connection.
 */
import type { ErrorKind } from './error-kind.ts';
import { logErrors } from './log-errors.ts';

export type { ErrorKind } from './error-kind.ts';

const kinds = {
  CONFIG_INVALID: {
    retryable: false,
    meaning: 'The configuration file has a wrong key, type or value.',
    action: 'Correct the line that the message names; `arrokoth config check FILE` lists them all.',
  },
  TLS_UNUSABLE: {
    retryable: false,
    meaning: 'A certificate, a private key or an authority that `tls` names cannot be used.',
    action: 'Correct the file that the message names; `arrokoth config check FILE` lists them all.',
  },
  CONFIG_UNREADABLE: {
    retryable: false,
    meaning: 'The configuration file could not be read.',
    action: 'Check the path and its permissions.',
  },
  LISTEN_FAILED: {
    retryable: true,
    meaning: 'A listening socket could not be bound.',
    action: 'Stop the program that holds the address, or choose another one.',
  },
  CLUSTER_PORT_OPEN: {
    retryable: false,
    meaning: 'The port for other nodes would be open to everybody who can reach it.',
    action: 'Configure a shared secret or client certificates, or listen on a loopback address.',
  },
  DATA_DIR_UNUSABLE: {
    retryable: false,
    meaning: 'The data directory cannot be created or written.',
    action: 'Set `node.data_dir` to a directory that this user may write.',
  },
  DATA_DIR_IN_USE: {
    retryable: true,
    meaning: 'Another node runs with the same data directory.',
    action: 'Stop it, or give each node a `node.data_dir` of its own.',
  },
  JOURNAL_DAMAGED: {
    retryable: false,
    meaning: 'A session journal holds a record that is neither whole nor a torn end.',
    action:
      'The damaged file was set aside with the suffix `.damaged`; ' +
      'close callbacks that it owed may be missing.',
  },
  JOURNAL_WRITE_FAILED: {
    httpStatus: 503,
    retryable: true,
    meaning: 'The session journal could not be written, so no connection may be admitted.',
    action: 'Free space on the disk of `node.data_dir`; connects are admitted again by themselves.',
  },
  WORKER_START_FAILED: {
    retryable: true,
    meaning: 'A worker process ended before it was ready.',
    action: 'Read the log lines before this one; the supervisor tries again with back-off.',
  },
  WORKER_HUNG: {
    retryable: true,
    meaning: 'A worker process gave no sign of life for `worker_hang_timeout` and was killed.',
    action: 'A replacement is started by itself; look for what the worker or its host did before.',
  },
  UNAUTHORIZED: {
    httpStatus: 401,
    retryable: false,
    meaning: 'The bearer token is missing or wrong.',
    action: 'Send `Authorization: Bearer TOKEN` with the token of that listener.',
  },
  CALL_FROM_PAGE: {
    httpStatus: 403,
    retryable: false,
    meaning: 'A call of the application bears an `Origin`, so it comes from a page in a browser.',
    action: 'Call from the application; if it has to be a page, set `app.token` and send it along.',
  },
  HEAD_TOO_LARGE: {
    httpStatus: 431,
    retryable: false,
    meaning:
      'The head of a request is larger than `limits.header` allows, or has more than 1,000 lines ' +
      'beside its targets.',
    action: 'Send less, or raise the limit.',
  },
  NOT_ADMITTING: {
    httpStatus: 503,
    retryable: true,
    meaning: 'This node does not admit connections at present.',
    action: 'Connect again after `Retry-After`; the reason is in the body.',
  },
  BLOCKED_BY_MODE: {
    httpStatus: 503,
    retryable: true,
    meaning: 'The mode of this node does not let this connection in.',
    action: 'Connect to another node, or again after `Retry-After`; the operator changes the mode.',
  },
  CONNECTION_LIMIT: {
    httpStatus: 503,
    retryable: true,
    meaning: 'The node holds as many connections as `limits.connections` allows.',
    action: 'Raise the limit or add a node; clients try again after `Retry-After`.',
  },
  OVERLOADED: {
    httpStatus: 503,
    retryable: true,
    meaning: 'A worker is short of time, memory or descriptors, beyond a mark of `overload`.',
    action: 'Clients try again after `Retry-After`; add workers or nodes, or see what the log line names.',
  },
  ADDRESS_LIMIT: {
    httpStatus: 429,
    retryable: true,
    meaning:
      'One address connects more often than `limits.connects_per_address` allows, ' +
      'or holds as many connections as `limits.connections_per_address` allows.',
    action: 'Clients try again after `Retry-After`; raise the limit if many share an address.',
  },
  CALLBACK_BUSY: {
    httpStatus: 503,
    retryable: true,
    meaning: 'More connect callbacks are waiting than `callback.max_queued` allows.',
    action:
      'Clients try again after `Retry-After`; ' +
      'raise `callback.max_in_flight` if the application can take more.',
  },
  UPSTREAM_BUSY: {
    httpStatus: 503,
    retryable: true,
    meaning:
      'As many requests or WebSockets are on their way to the backends of `upstream` as it allows, ' +
      'or all backends rest.',
    action: 'Clients try again after `Retry-After`; raise the bound, or look at the backends.',
  },
  UPSTREAM_FAILED: {
    httpStatus: 502,
    retryable: true,
    meaning: 'No backend of `upstream` could be reached, or the answer of one was no HTTP.',
    action: 'Look at the application; `arrokoth_upstream_failures_total` says what went wrong.',
  },
  UPSTREAM_TIMEOUT: {
    httpStatus: 504,
    retryable: true,
    meaning: 'A backend of `upstream` did not answer within its timeouts.',
    action: 'Look at the application, or raise `upstream.response_timeout`.',
  },
  DIRECTORY_UNAVAILABLE: {
    httpStatus: 503,
    retryable: true,
    meaning: 'The worker that keeps the register for this session key or channel does not answer.',
    action: 'Connect again after `Retry-After`; a replacement is being started.',
  },
  CHANNELS_INVALID: {
    httpStatus: 400,
    retryable: false,
    meaning: 'A channel name is empty, too long, or there are more of them than allowed.',
    action: 'Keep to `limits.channel_name` and `limits.channels_per_connection`.',
  },
  BODY_TOO_LARGE: {
    httpStatus: 413,
    retryable: false,
    meaning: 'The request body is larger than `limits.body` allows.',
    action: 'Send less, or raise the limit.',
  },
  TOO_MANY_TARGETS: {
    httpStatus: 400,
    retryable: false,
    meaning: 'One request names more sessions and channels than `limits.targets` allows.',
    action: 'Split the request, or use a channel.',
  },
  IDEMPOTENCY_KEY_INVALID: {
    httpStatus: 400,
    retryable: false,
    meaning: 'A request bears several `Idempotency-Key` lines, or a key that is empty or too long.',
    action: 'Send one line with 1 to 255 visible ASCII characters.',
  },
  IDEMPOTENCY_KEY_REUSED: {
    httpStatus: 422,
    retryable: false,
    meaning: 'The `Idempotency-Key` was used for a request with other targets or another body.',
    action: 'Give every message a key of its own; nothing was sent.',
  },
  IDEMPOTENCY_IN_FLIGHT: {
    httpStatus: 409,
    retryable: true,
    meaning: 'The first request with this `Idempotency-Key` is still being carried out.',
    action: 'Ask again after `Retry-After` with the same key.',
  },
  IDEMPOTENCY_OUTCOME_UNKNOWN: {
    httpStatus: 409,
    retryable: false,
    meaning:
      'The worker that carried out the first request with this `Idempotency-Key` died, ' +
      'or its answer was too large to be kept.',
    action: 'Send again with a new key if twice is better than not at all.',
  },
  IDEMPOTENCY_FULL: {
    httpStatus: 503,
    retryable: true,
    meaning: 'As many keys are kept as `idempotency.keys` and `idempotency.bytes` allow.',
    action: 'Ask again after `Retry-After`, or raise the bounds; nothing was sent.',
  },
  IDEMPOTENCY_UNREACHABLE: {
    httpStatus: 503,
    retryable: true,
    meaning: 'The worker that keeps this `Idempotency-Key` does not answer.',
    action: 'Ask again after `Retry-After` with the same key; nothing was sent by this request.',
  },
  MESSAGE_TOO_LARGE: {
    closeCode: 1009,
    retryable: false,
    meaning: 'A client sent a message larger than `limits.message` allows.',
    action: 'Send less, or raise the limit.',
  },
  MESSAGE_FLOOD: {
    closeCode: 1008,
    retryable: true,
    meaning: 'A client went on sending faster than `limits.messages_per_connection` allows.',
    action: 'Send less often, or raise the limit and its burst.',
  },
  PROTOCOL_VIOLATION: {
    closeCode: 1002,
    retryable: false,
    meaning: 'A client broke the rules of RFC 6455.',
    action: 'Correct the client; the close reason names the rule.',
  },
  INVALID_UTF8: {
    closeCode: 1007,
    retryable: false,
    meaning: 'A client sent a text message or close reason that is not UTF-8.',
    action: 'Send binary data in binary messages.',
  },
  SLOW_CLIENT: {
    closeCode: 1013,
    retryable: true,
    meaning: 'A client takes messages more slowly than they are sent and its queue is full.',
    action: 'Send less to it, raise `slow_client` bounds, or choose a dropping policy.',
  },
  SHED: {
    closeCode: 1013,
    retryable: true,
    meaning: 'A worker was short of time or memory, and more bytes waited for this client than for others.',
    action: 'Connect again; the client, or the network to it, is slow.',
  },
  IDLE: {
    closeCode: 1001,
    retryable: true,
    meaning: 'A client said nothing for `idle_timeout`.',
    action: 'Send data or pings, or raise `idle_timeout`.',
  },
  PING_TIMEOUT: {
    closeCode: 1001,
    retryable: true,
    meaning: 'A client did not answer a ping within `ping.timeout`.',
    action: 'The client or its network was gone; it may connect again.',
  },
  REPLACED: {
    httpStatus: 409,
    closeCode: 4409,
    retryable: false,
    meaning: 'A newer connection with the same session key took the place of this one.',
    action: 'Give every connection a session key of its own if both are meant to live.',
  },
  NOT_ESTABLISHED: {
    closeCode: 1008,
    retryable: true,
    meaning: 'The establish callback did not answer 200.',
    action: 'The application decides; see its log.',
  },
  GOING_AWAY: {
    closeCode: 1001,
    retryable: true,
    meaning: 'The node is stopping.',
    action: 'Connect again; another node or the restarted one answers.',
  },
  SUPERVISOR_LOST: {
    closeCode: 1012,
    retryable: true,
    meaning: 'The process that leads this node is gone, so its workers stop serving.',
    action: 'Connect again; look for the cause in the log of the node.',
  },
  ...logErrors,
} as const satisfies Record<string, ErrorKind>;

/** The stable name of a kind of failure. */
export type ErrorCode = keyof typeof kinds;

/** The table itself. */
export const ERRORS: Readonly<Record<ErrorCode, ErrorKind>> = kinds;

/** A failure from the table, with the particulars of this case. */
export class ArrokothError extends Error {
  override name = 'ArrokothError';
  readonly code: ErrorCode;

  /** `details` says what was met and where; it is shown to people and never holds secrets. */
  constructor(code: ErrorCode, details: string, options?: { readonly cause?: unknown }) {
    super(`${ERRORS[code].meaning} ${details} ${ERRORS[code].action}`, options);
    this.code = code;
  }
}
