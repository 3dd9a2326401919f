/**
 * Why connections end: the values of `X-Arrokoth-Reason`.
 *
 * Applications branch on these words, so a word is never renamed and never gets a second meaning.
 * `/close` is missing on purpose: the application that ends a connection is not told about it.
 */
import { assert, ERRORS, type ErrorCode } from '../../base/index.ts';

/** What a reason means, and the close code that goes with it. */
export interface CloseReasonKind {
  readonly meaning: string;
  /** 1006: nothing was, or could be, said to the client. Null: the client chose it. */
  readonly closeCode: number | null;
}

const NOTHING_SAID = 1006;

const reasons = {
  client_close: { meaning: 'The client closed the connection.', closeCode: null },
  client_gone: {
    meaning: 'The connection broke without a close frame.',
    closeCode: NOTHING_SAID,
  },
  protocol_error: {
    meaning: 'The client broke the rules of RFC 6455.',
    closeCode: closeCodeOf('PROTOCOL_VIOLATION'),
  },
  invalid_utf8: {
    meaning: 'The client sent a text message that is not UTF-8.',
    closeCode: closeCodeOf('INVALID_UTF8'),
  },
  message_too_large: {
    meaning: 'The client sent a message larger than `limits.message`.',
    closeCode: closeCodeOf('MESSAGE_TOO_LARGE'),
  },
  message_flood: {
    meaning: 'The client went on sending faster than `limits.messages_per_connection`.',
    closeCode: closeCodeOf('MESSAGE_FLOOD'),
  },
  idle: {
    meaning: 'The client said nothing for `idle_timeout`, and nothing was sent to it.',
    closeCode: closeCodeOf('IDLE'),
  },
  ping_timeout: {
    meaning: 'The client did not answer a ping in time.',
    closeCode: closeCodeOf('PING_TIMEOUT'),
  },
  slow: {
    meaning: 'The client took messages too slowly and `slow_client.policy` is `close`.',
    closeCode: closeCodeOf('SLOW_CLIENT'),
  },
  overload: {
    meaning: 'The node had too much to do, and more bytes waited for this client than for others.',
    closeCode: closeCodeOf('SHED'),
  },
  replaced: {
    meaning: 'A newer connection with the same session key took its place.',
    closeCode: closeCodeOf('REPLACED'),
  },
  drain: {
    meaning: 'The node was stopped by its operator.',
    closeCode: closeCodeOf('GOING_AWAY'),
  },
  operator: {
    meaning: "The node's operator closed the connection by a call of the operator's API.",
    // RFC 6455 7.4.1: nothing went wrong.
    closeCode: 1000,
  },
  not_established: {
    meaning: 'The application admitted the client, but it never came to an open connection.',
    closeCode: closeCodeOf('NOT_ESTABLISHED'),
  },
  worker_lost: {
    meaning: 'The process that held the connection died.',
    closeCode: NOTHING_SAID,
  },
  node_restarted: {
    meaning: 'The node died with the connection and was started again.',
    closeCode: NOTHING_SAID,
  },
  node_lost: {
    meaning: 'The node that held the connection was declared dead by the others of its cluster.',
    closeCode: NOTHING_SAID,
  },
  blocked: {
    meaning: "The application admitted the client, and the node's mode did not.",
    closeCode: NOTHING_SAID,
  },
} as const satisfies Record<string, CloseReasonKind>;

/** One of the words that `X-Arrokoth-Reason` can say. */
export type CloseReason = keyof typeof reasons;

/** The table of all reasons. */
export const CLOSE_REASONS: Readonly<Record<CloseReason, CloseReasonKind>> = reasons;

/** The number that the error table gives, so that it is written down once. */
function closeCodeOf(code: ErrorCode): number {
  const { closeCode } = ERRORS[code];
  assert(closeCode !== undefined, 'an error that ends connections has a close code');
  return closeCode;
}
