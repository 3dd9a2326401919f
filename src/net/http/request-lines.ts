/**
 * The header lines of one of our requests: what the caller wants, and what HTTP needs besides.
 */
import type { Endpoint } from '../client/endpoint.ts';
import type { HttpTarget } from '../client/redirect.ts';

/** What stands between the request line and the body. */
export interface RequestLines {
  /** Name, value, name, value. */
  readonly lines: string[];
  /** Like Go's client: whoever asks for no encoding gets the plain body, however it travelled. */
  readonly inflate: boolean;
}

const USER_AGENT = 'Arrokoth';
/** Servers expect a length with these even when there is no body (RFC 9110 section 8.6). */
const BODY_EXPECTED = new Set(['POST', 'PUT', 'PATCH']);

/** What a caller's line says that matters here. */
type LineKind = 'ours' | 'agent' | 'authorization' | 'encoding' | 'other';

/** `endpoint`: that of the target's URL. */
export function requestLines(
  { method, headers, body }: HttpTarget,
  endpoint: Endpoint,
  chunked: boolean,
): RequestLines {
  const lines = ['Host', endpoint.authority];
  let namesAgent = false;
  let namesUser = endpoint.credentials === null;
  let inflate = method !== 'HEAD';
  for (let index = 0; index + 1 < headers.length; index += 2) {
    const name = headers[index] as string;
    const kind = kindOf(name);
    if (kind === 'ours') continue;
    if (kind === 'agent') namesAgent = true;
    else if (kind === 'authorization') namesUser = true;
    else if (kind === 'encoding') inflate = false;
    lines.push(name, headers[index + 1] as string);
  }
  if (!namesAgent) lines.push('User-Agent', USER_AGENT);
  if (inflate) lines.push('Accept-Encoding', 'gzip');
  if (!namesUser) lines.push('Authorization', basic(endpoint.credentials as string));
  if (chunked && method !== 'GET' && method !== 'HEAD') lines.push('Transfer-Encoding', 'chunked');
  else if (body !== null) lines.push('Content-Length', String(body.length));
  else if (BODY_EXPECTED.has(method)) lines.push('Content-Length', '0');
  return { lines, inflate };
}

/** Nearly every name is known by its length to be none of these. */
function kindOf(name: string): LineKind {
  switch (name.length) {
    case 4:
      return name.toLowerCase() === 'host' ? 'ours' : 'other';
    case 5:
      return name.toLowerCase() === 'range' ? 'encoding' : 'other';
    case 10:
      return name.toLowerCase() === 'user-agent' ? 'agent' : 'other';
    case 13:
      return name.toLowerCase() === 'authorization' ? 'authorization' : 'other';
    case 14:
      return name.toLowerCase() === 'content-length' ? 'ours' : 'other';
    case 15:
      return name.toLowerCase() === 'accept-encoding' ? 'encoding' : 'other';
    case 17:
      return name.toLowerCase() === 'transfer-encoding' ? 'ours' : 'other';
    default:
      return 'other';
  }
}

function basic(credentials: string): string {
  const pair = credentials.split(':', 2).map(decodeURIComponent).join(':');
  return `Basic ${Buffer.from(pair).toString('base64')}`;
}
