/**
 * A callback with the bounds of its sender, as the HTTP client takes it.
 *
 * Every field by its name: to spread one object of so many fields into another takes V8 several
 * microseconds, a tenth of a whole callback.
 */
import type { HttpCall } from '../net/index.ts';
import type { CallbackRequest } from '../relay/index.ts';

/** What a sender adds to the look of a callback. */
export type CallBounds = Pick<HttpCall, 'timeoutMs' | 'replyBytesMax' | 'redirectsMax' | 'lateAnswer'>;

/** The call to make. */
export function boundedCall(request: CallbackRequest, bounds: CallBounds): HttpCall {
  const { method, url, urls, list, headers, body, chunked } = request;
  const { timeoutMs, replyBytesMax, redirectsMax, lateAnswer } = bounds;
  return {
    method,
    url,
    urls,
    list,
    headers,
    body,
    chunked,
    timeoutMs,
    replyBytesMax,
    redirectsMax,
    lateAnswer,
  };
}
