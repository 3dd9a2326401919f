/**
 * Whether a request that failed at one backend may be put to another, and what its client is told.
 *
 * A repetition must be certain not to do a thing twice: either nobody has heard of the request, or
 * its method promises that twice is as good as once and the connection was dead before it was used.
 */
import { type OutgoingAnswer, statusAnswer, unavailableAnswer } from '../outgoing-answer.ts';

/** How an attempt at a backend failed, or why there was none. */
export type ForwardFailureKind =
  /** Nobody listens there, or the name is unknown. */
  | 'unreachable'
  | 'connect_timeout'
  /** The connection ended before an answer. */
  | 'closed'
  | 'response_timeout'
  /** What came was no HTTP, or not fit to be passed on. */
  | 'malformed'
  /** The connection ended, or fell silent, within the answer. */
  | 'cut'
  /** The backend took the body too slowly. */
  | 'stalled';

/** How far an attempt has come. */
export interface AttemptFacts {
  readonly method: string;
  /** True when a request of that kind has a body, however short. */
  readonly hasBody: boolean;
  /** True when the connection was never established. */
  readonly dialFailed: boolean;
  /** True when the connection had served another request before. */
  readonly reused: boolean;
  /** True when the backend has said anything. */
  readonly answered: boolean;
}

/** Whatever is asked, nothing changes (RFC 9110 9.2.1). */
const SAFE = new Set(['GET', 'HEAD', 'OPTIONS']);

/** True when the same request may be made again without harm. No byte of a body is read while dialling. */
export function mayTryAgain(facts: AttemptFacts): boolean {
  if (facts.dialFailed) return true;
  return facts.reused && !facts.answered && !facts.hasBody && SAFE.has(facts.method);
}

/** What a client hears when no backend could answer. Names no host: that is for the log. */
export function forwardFailureAnswer(kind: ForwardFailureKind): OutgoingAnswer {
  const status = kind === 'connect_timeout' || kind === 'response_timeout' || kind === 'stalled' ? 504 : 502;
  return statusAnswer(status);
}

/** What a client hears when as much is in flight as is allowed, or all backends are known to be down. */
export function upstreamBusyAnswer(reason: string, retryAfterSeconds = 1): OutgoingAnswer {
  return unavailableAnswer(reason, retryAfterSeconds);
}
