/**
 * Which web pages may connect: kuiperbelt's three origin policies, and a list of origins.
 *
 * Browsers tell the page's origin in every handshake and scripts cannot change it; other programs
 * may say anything or nothing, so this is no substitute for authorization by the application.
 */

/**
 * `none` admits everybody, the next two compare the page's origin with the `Host` of the request, a
 * list (each as `readOrigin` gives it) names the pages that may connect.
 */
export type OriginPolicy = 'none' | 'same_origin' | 'same_hostname' | readonly string[];

/** What the request said: the `Origin` and `Host` headers, and whether the client is known to speak TLS. */
export interface OriginFacts {
  readonly origin: string | undefined;
  readonly host: string | undefined;
  /** False: it does not, or nobody knows. */
  readonly secure: boolean;
}

interface HostPort {
  readonly hostname: string;
  /** Empty when absent. */
  readonly port: string;
}

const DEFAULT_PORTS: Readonly<Record<string, string>> = { http: '80', https: '443' };
const ORIGIN = /^([a-z][a-z0-9+.-]*):\/\/([^/?#]*)\/?$/;
const HOST_PORT = /^(\[[0-9a-f:.]+\]|[^:[\]@]+)(?::([0-9]*))?$/;

/**
 * An origin in the one form in which it is compared: lower case, without the default port of http
 * and https. Null for what is no origin: `null`, a path, a user, a wildcard.
 */
export function readOrigin(text: string): string | null {
  const [, scheme, authority] = ORIGIN.exec(text.toLowerCase()) ?? [];
  const page = parseHostPort(authority);
  if (scheme === undefined || page === undefined || page.hostname.includes('*')) return null;
  const port = effectivePort(page.port, scheme);
  return `${scheme}://${page.hostname}${port === '' ? '' : `:${port}`}`;
}

/**
 * Decides whether `policy` lets the request in.
 *
 * `same_origin`: no `Origin` is admitted (not a browser); else host and port must be equal, and the
 * scheme `https` for a client that is known to speak TLS. Where that is not known, a proxy may have
 * taken the TLS off, so the default port of the origin's scheme counts as no port on both sides.
 * `same_hostname`: ports are ignored and no `Origin` is refused. Unlike kuiperbelt, letter case
 * does not matter and a `Host` without a port is fine, so the policy works behind a proxy.
 * A list: the origin must be one of it, and no `Origin` is refused. `Host` does not matter, which
 * whoever rebinds a name can choose.
 */
export function isOriginAdmitted(policy: OriginPolicy, facts: OriginFacts): boolean {
  if (policy === 'none') return true;
  if (facts.origin === undefined) return policy === 'same_origin';
  if (typeof policy !== 'string') {
    const origin = readOrigin(facts.origin);
    return origin !== null && policy.includes(origin);
  }

  const [, scheme, authority] = ORIGIN.exec(facts.origin.toLowerCase()) ?? [];
  const page = parseHostPort(authority);
  const here = parseHostPort(facts.host?.toLowerCase());
  if (scheme === undefined || page === undefined || here === undefined) return false;
  if (page.hostname !== here.hostname) return false;
  if (policy === 'same_hostname') return true;
  if (facts.secure && scheme !== 'https') return false;
  return effectivePort(page.port, scheme) === effectivePort(here.port, scheme);
}

function parseHostPort(text: string | undefined): HostPort | undefined {
  const [, hostname, port] = HOST_PORT.exec(text ?? '') ?? [];
  return hostname === undefined ? undefined : { hostname, port: port ?? '' };
}

function effectivePort(port: string, scheme: string): string {
  return port === DEFAULT_PORTS[scheme] ? '' : port;
}
