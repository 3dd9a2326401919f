/**
 * The header lines of one of our requests: what the caller wants, and what HTTP needs besides.
 */

import type { HttpTarget } from '../client/redirect.ts';
import { findHeader } from './header-lookup.ts';

const USER_AGENT = 'Arrokoth';
/** These describe the message itself and are therefore ours to say. */
const OURS = /^(?:host|content-length|transfer-encoding)$/i;
/** Servers expect a length with these even when there is no body (RFC 9110 section 8.6). */
const BODY_EXPECTED = new Set(['POST', 'PUT', 'PATCH']);

/** Name, value, name, value. */
export function requestLines(
  target: HttpTarget,
  options: { readonly chunked: boolean; readonly acceptGzip: boolean },
): string[] {
  const { url, method, headers, body } = target;
  const lines = ['Host', url.host];
  for (let index = 0; index + 1 < headers.length; index += 2) {
    const name = headers[index] as string;
    if (!OURS.test(name)) lines.push(name, headers[index + 1] as string);
  }
  if (findHeader(headers, 'user-agent') === undefined) lines.push('User-Agent', USER_AGENT);
  if (options.acceptGzip) lines.push('Accept-Encoding', 'gzip');
  if (url.username !== '' && findHeader(headers, 'authorization') === undefined) {
    const pair = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
    lines.push('Authorization', `Basic ${Buffer.from(pair).toString('base64')}`);
  }
  if (options.chunked && method !== 'GET' && method !== 'HEAD') lines.push('Transfer-Encoding', 'chunked');
  else if (body !== null) lines.push('Content-Length', String(body.length));
  else if (BODY_EXPECTED.has(method)) lines.push('Content-Length', '0');
  return lines;
}
