/**
 * What an operation comes to, before it is HTTP. Types and their makers.
 */

/** An outcome. */
export type OperationAnswer =
  | { readonly type: 'answer'; readonly value: unknown }
  /** A domain error: the caller can act on it. */
  | { readonly type: 'refused'; readonly error: string; readonly reason?: unknown }
  /** Another node is to be asked, at that URL. */
  | { readonly type: 'elsewhere'; readonly location: string }
  | { readonly type: 'busy' }
  | ListOutcome;

/** A list of any length, which is made while it is sent. */
export interface ListOutcome {
  readonly type: 'list';
  /** Rows as JSON with commas between them, never empty. A failure means that the list is not whole. */
  readonly slices: AsyncIterable<Uint8Array>;
  /** Headers that say what is missing: name, value, name, value. */
  readonly headers: readonly string[];
}

/** What an operation is given: the body, checked. */
export type OperationValues = { readonly [key: string]: unknown };

/** Carries out one operation. */
export type Handler = (values: OperationValues) => Promise<OperationAnswer>;

/** The operation is done and has this to say. */
export function answered(value: unknown): OperationAnswer {
  return { type: 'answer', value };
}

/** It was not done, for a reason that the contract names. */
export function refused(error: string, reason?: unknown): OperationAnswer {
  return reason === undefined ? { type: 'refused', error } : { type: 'refused', error, reason };
}
