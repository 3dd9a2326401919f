/**
 * One row of the table of errors, as `errors.ts` holds it and `docs/reference/errors.md` shows it.
 *
 * The shape only; what happens to a failure is decided where it is met.
 */

/** What one kind of failure means and what to do about it. */
export interface ErrorKind {
  /** Status of the HTTP answer, where one is given. */
  readonly httpStatus?: number;
  /** WebSocket close code, where a connection ends with it. */
  readonly closeCode?: number;
  /** Whether the same attempt can succeed later without a change. */
  readonly retryable: boolean;
  /** What happened, in one sentence. */
  readonly meaning: string;
  /** What the reader can do, in one sentence. */
  readonly action: string;
}
