/**
 * What a request has to know of the URL that it goes to, read out of it once.
 *
 * Every property of a `URL` is cut out of its text anew whenever it is asked for, and the callbacks
 * of one kind go to the same URL all day.
 */

/** One URL. */
export interface Endpoint {
  readonly url: URL;
  readonly secure: boolean;
  /** As a socket wants it: an address of IPv6 stands without its brackets. */
  readonly host: string;
  readonly port: number;
  /** As `Host` says it. */
  readonly authority: string;
  /** Path and query. */
  readonly path: string;
  /** User and password as they stand in the URL, with a colon between; null: it names no user. */
  readonly credentials: string | null;
}

/** The URL of the call before: those of one callback are the same, unless a query differs. */
let last: { readonly text: string; readonly endpoint: Endpoint | null } = { text: '', endpoint: null };

/** Reads an http or https URL; null when it is none. The same text may yield the same object. */
export function parseEndpoint(text: string): Endpoint | null {
  if (text !== last.text) last = { text, endpoint: readEndpoint(text) };
  return last.endpoint;
}

/** The parts of a URL that is known to be http or https. */
export function endpointOf(url: URL): Endpoint {
  const { hostname, port, username } = url;
  const secure = url.protocol === 'https:';
  return {
    url,
    secure,
    host: hostname.startsWith('[') ? hostname.slice(1, -1) : hostname,
    port: port === '' ? (secure ? 443 : 80) : Number(port),
    authority: url.host,
    path: url.pathname + url.search,
    credentials: username === '' ? null : `${username}:${url.password}`,
  };
}

function readEndpoint(text: string): Endpoint | null {
  try {
    const url = new URL(text);
    return url.protocol === 'http:' || url.protocol === 'https:' ? endpointOf(url) : null;
  } catch {
    return null;
  }
}
