/**
 * From the bytes of a body to what an operation is given, or the error that says why not. Pure but
 * for the decoding of UTF-8.
 *
 * An unknown operation is told before the body is looked at: a caller with the wrong date should not
 * first have to mend its JSON.
 */
import { failed, ok, type Result } from '../../base/index.ts';
import {
  check,
  findOperation,
  type GenericErrorType,
  type Json,
  type Operation,
  operations,
  type Problem,
  type Target,
} from '../../contract/index.ts';

/** What the caller wants done. */
export interface OperationRequest {
  readonly operation: Operation;
  /** Empty when there was no body. */
  readonly values: { readonly [key: string]: Json };
}

/** Why nothing is done. */
export interface RequestFault {
  readonly type: GenericErrorType;
  readonly reason?: unknown;
}

/** A value that is longer as JSON is not repeated to whoever sent it. */
const SHOWN_CHARACTERS_MAX = 1_024;

/** Reads the request for `target`. */
export function readRequest(target: Target, body: Uint8Array): Result<OperationRequest, RequestFault> {
  const operation = findOperation(operations, target);
  const isEmpty = body.length === 0;
  if (operation === undefined) {
    return failed(isEmpty ? { type: 'MissingTarget' } : { type: 'SchemaNotFound', reason: target });
  }
  const { request, bodyOptional } = operation;
  if (isEmpty) {
    if (request === null || bodyOptional) return ok({ operation, values: {} });
    return failed({ type: 'MissingTargetFunction', reason: target });
  }
  if (request === null) return failed({ type: 'MissingTargetFunction', reason: target });
  const json = parse(body);
  if (!json.ok) return failed({ type: 'MalformedJSON' });
  const problems = check(request, json.value);
  if (problems.length > 0) return failed({ type: 'InvalidJSON', reason: problems.map(told) });
  return ok({ operation, values: json.value as OperationRequest['values'] });
}

function parse(body: Uint8Array): Result<Json, null> {
  try {
    return ok(JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body)) as Json);
  } catch {
    return failed(null);
  }
}

function told({ schema, error, data, path }: Problem): object {
  return { invalid: 'data', schema, error, data: isShort(data) ? data : null, path };
}

/** Objects and lists may be of any depth and length, so they are not even measured. */
function isShort(data: Json): boolean {
  if (typeof data === 'string') return data.length <= SHOWN_CHARACTERS_MAX;
  return typeof data !== 'object' || data === null;
}
