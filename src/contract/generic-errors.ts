/**
 * The errors that any operation can meet before its own work begins, or because of a bug in it.
 *
 * Their words and statuses are those that clients of Sora know, the odd key `type` of the first two
 * included. The last two rows are ours.
 */

/** An answer that is not about one operation. */
export interface GenericError {
  readonly status: number;
  /** Under which key the body says what it is. */
  readonly key: 'type' | 'error_type';
  /** What `error_reason` holds; null: there is none. */
  readonly reason: string | null;
  /** As a clause. */
  readonly when: string;
}

const TARGET = '`service`, `version`, `operation`';

const errors = {
  UnexpectedMethod: {
    status: 400,
    key: 'type',
    reason: null,
    when: 'the method is not POST (OPTIONS is answered where `api.cors_origin` is set)',
  },
  MissingHeaderName: { status: 400, key: 'type', reason: null, when: 'there is no `x-sora-target`' },
  MissingService: {
    status: 400,
    key: 'error_type',
    reason: null,
    when: 'it is not letters, `_`, eight digits, `.`, letters',
  },
  InvalidTarget: { status: 400, key: 'error_type', reason: null, when: 'the service is not `Sora`' },
  MissingTarget: {
    status: 400,
    key: 'error_type',
    reason: null,
    when: 'there is no such operation under that date, and no body',
  },
  SchemaNotFound: {
    status: 400,
    key: 'error_type',
    reason: TARGET,
    when: 'there is no such operation under that date, and a body',
  },
  MissingTargetFunction: {
    status: 400,
    key: 'error_type',
    reason: TARGET,
    when: 'the operation needs a body and there is none, or takes none and there is one',
  },
  MalformedJSON: {
    status: 400,
    key: 'error_type',
    reason: null,
    when: 'the body is not JSON in UTF-8; an unknown operation is told first',
  },
  InvalidJSON: {
    status: 400,
    key: 'error_type',
    reason: 'a list of `invalid`, `schema`, `error`, `data`, `path`',
    when: 'the body has not the shape of the request',
  },
  RequestTimeout: { status: 408, key: 'error_type', reason: null, when: 'the body did not arrive in time' },
  PayloadTooLarge: {
    status: 413,
    key: 'error_type',
    reason: null,
    when: 'the body is larger than 8,000,000 bytes',
  },
  HandlerException: {
    status: 500,
    key: 'error_type',
    reason: null,
    when: 'the operation failed because of a bug; the log says more',
  },
  TooManyRequests: {
    status: 503,
    key: 'error_type',
    reason: null,
    when: 'too many operations are under way; come again later. Not in Sora',
  },
} as const satisfies Record<string, GenericError>;

/** The name of one of them. */
export type GenericErrorType = keyof typeof errors;

/** The table of all. */
export const GENERIC_ERRORS: Readonly<Record<GenericErrorType, GenericError>> = errors;

/** The body of such an answer. */
export function genericErrorBody(
  type: GenericErrorType,
  reason?: unknown,
): Readonly<Record<string, unknown>> {
  const { key } = GENERIC_ERRORS[type];
  return reason === undefined ? { [key]: type } : { [key]: type, error_reason: reason };
}
