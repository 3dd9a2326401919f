/** Every operation that operators have, once: name, request, response, errors. */
export { check, type Problem } from './check.ts';
export { GENERIC_ERRORS, type GenericErrorType, genericErrorBody } from './generic-errors.ts';
export { type DomainError, findOperation, type Operation, type Target } from './operation.ts';
export { operations } from './operations.ts';
export { renderOperatorReference } from './reference.ts';
export type { Json, Schema } from './schema.ts';
