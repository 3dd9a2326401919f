/**
 * Where a redirect leads, by the rules of Go's HTTP client, which kuiperbelt's backends know.
 *
 * A pure rule; `http-call.ts` counts and makes the requests.
 */
import { findHeader } from '../http/header-lookup.ts';
import type { RawHeaders } from '../types.ts';

/** One request to make. */
export interface HttpTarget {
  readonly method: string;
  readonly url: URL;
  readonly headers: RawHeaders;
  readonly body: Uint8Array | null;
}

/** Credentials that were meant for the first host only. */
const CREDENTIALS = /^(?:authorization|www-authenticate|cookie2?)$/i;
const CONTENT = /^content-/i;

/** The next request; null when the answer is not a redirect, or does not say where to. */
export function followRedirect(
  from: HttpTarget,
  status: number,
  answerHeaders: RawHeaders,
): HttpTarget | 'bad_url' | null {
  const keepsMethod = status === 307 || status === 308;
  if (!keepsMethod && status !== 301 && status !== 302 && status !== 303) return null;
  const location = findHeader(answerHeaders, 'location');
  if (location === undefined || location === '') return null;
  if (!URL.canParse(location, from.url.href)) return 'bad_url';
  const url = new URL(location, from.url);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return 'bad_url';
  const sameHost = url.host === from.url.host;
  const dropsBody = !keepsMethod && from.method !== 'GET' && from.method !== 'HEAD';
  const headers: string[] = [];
  for (let index = 0; index + 1 < from.headers.length; index += 2) {
    const name = from.headers[index] as string;
    if (!sameHost && CREDENTIALS.test(name)) continue;
    if (dropsBody && CONTENT.test(name)) continue;
    headers.push(name, from.headers[index + 1] as string);
  }
  if (dropsBody) return { method: 'GET', url, headers, body: null };
  return { method: from.method, url, headers, body: from.body };
}

/** Whether both lead to the same port of the same host, whatever the scheme. */
export function isSameEndpoint(left: URL, right: URL): boolean {
  return left.hostname === right.hostname && portOf(left) === portOf(right);
}

function portOf(url: URL): string {
  if (url.port !== '') return url.port;
  return url.protocol === 'https:' ? '443' : '80';
}
