/**
 * The outcome of something that is expected to fail now and then.
 *
 * Expected failures are values, so that a caller cannot forget them; exceptions are left for bugs
 * and for start-up.
 */

/** Either `{ ok: true, value }` or `{ ok: false, error }`. */
export type Result<Value, Failure> =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly error: Failure };

/** Wraps a success. */
export function ok<Value>(value: Value): { readonly ok: true; readonly value: Value } {
  return { ok: true, value };
}

/** Wraps a failure. */
export function failed<Failure>(error: Failure): { readonly ok: false; readonly error: Failure } {
  return { ok: false, error };
}
