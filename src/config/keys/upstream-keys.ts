/**
 * The keys under `upstream:`: who serves the paths that are not the gateway's, and within which bounds.
 *
 * One entry a key: how it is read, what it means, and why its bounds are what they are. What makes
 * sense only beside other keys is checked by `checkUpstream` and `checkUpstreamTogether`.
 */
import { DEFAULTS } from '../../base/index.ts';
import type { TcpAddress, UpstreamConfig } from '../config.ts';
import {
  backendUrlsField,
  breakerGroup,
  checkBreaker,
  healthGroup,
  toBackendHealth,
  toBreaker,
} from '../fields/backends-fields.ts';
import { choiceField, durationField, integerField, sizeField } from '../fields/field.ts';
import { isLoopback } from '../fields/tcp-address.ts';
import { group } from './group.ts';

const KIB = 1_024;
const GIB = 1_024 * 1_024 * KIB;
const HOUR_MS = 3_600_000;

/** The breaker of backends that answer clients: what they answer is no sign of trouble. */
const breakerKeys = {
  ...breakerGroup.keys,
  failures: integerField({
    fallback: DEFAULTS.breakerFailures,
    min: 0,
    max: 1_000,
    description: 'Failures in a row after which a backend rests; `0`: none do.',
    reason: 'No connection, or no answer in time; statuses do not count. A list of one backend never rests.',
  }),
};

/** The keys under `upstream:`. */
export const upstreamKeys = {
  backends: backendUrlsField({
    description: 'Who gets the requests on the public listener that are not for the gateway.',
    reason:
      'Scheme, host and port only: paths go on as they are. A list names several, 16 at most. Without it ' +
      'such requests are answered 404.',
    example: 'http://127.0.0.1:8080',
  }),
  host: choiceField({
    choices: ['client', 'backend'],
    fallback: 'client',
    description: "What `Host` says to a backend: the client's, or the backend's own.",
    reason: '`X-Forwarded-Host` has the one that the client asked for, whichever is chosen.',
  }),
  callback_paths: choiceField({
    choices: ['refuse', 'allow'],
    fallback: 'refuse',
    description:
      'Whether clients reach the paths of the URLs under `callback`, in any spelling; refused: 404.',
    reason: 'Whoever reaches them can forge callbacks, unless the application checks their signature.',
  }),
  connect_timeout: durationField({
    fallbackMs: DEFAULTS.upstreamConnectTimeoutMs,
    minMs: 10,
    maxMs: 60_000,
    description: 'Bound of dialling a backend; then the next is tried, and at last the client gets 504.',
    reason: 'Long enough for one lost packet.',
  }),
  response_timeout: durationField({
    fallbackMs: DEFAULTS.upstreamResponseTimeoutMs,
    minMs: 10,
    maxMs: HOUR_MS,
    description: 'From the last byte of a request to the head of the answer; then the client gets 504.',
    reason: "nginx's default.",
  }),
  idle_timeout: durationField({
    fallbackMs: DEFAULTS.upstreamIdleTimeoutMs,
    minMs: 10,
    maxMs: HOUR_MS,
    description: 'How long a body may stand still, in either direction, before the connection is cut.',
    reason: "nginx's default. An event stream has to say something more often.",
  }),
  max_in_flight: integerField({
    fallback: DEFAULTS.upstreamMaxInFlight,
    min: 1,
    max: 65_536,
    description: 'Requests on their way at once, for each worker; further ones get 503 with `Retry-After`.',
    reason: 'Each takes two descriptors. An event stream is on its way as long as it lasts.',
  }),
  max_body: sizeField({
    fallbackBytes: DEFAULTS.upstreamBodyBytesMax,
    minBytes: 1,
    maxBytes: 1_024 * GIB,
    description: 'Largest body of a request; larger ones get 413.',
    reason: 'Bodies are not held in memory. The application may have a smaller bound.',
  }),
  idle_connections: integerField({
    fallback: DEFAULTS.upstreamIdleSocketsMax,
    min: 0,
    max: 4_096,
    description: 'Idle connections kept to each backend, for each worker; `0`: a new one for each request.',
    reason: 'A new connection costs a round trip.',
  }),
  idle_connection_timeout: durationField({
    fallbackMs: DEFAULTS.upstreamIdleSocketMs,
    minMs: 10,
    maxMs: HOUR_MS,
    description: 'How long an idle connection is kept.',
    reason: 'Shorter than the 5 s after which many servers close theirs. `Keep-Alive: timeout` shortens it.',
  }),
  websockets: integerField({
    fallback: DEFAULTS.upstreamWebSocketsMax,
    min: 0,
    max: 65_536,
    description:
      'WebSockets of the application itself that are passed through at once, for each worker; further ' +
      'ones get 503 with `Retry-After`. `0`: none, and they get 404.',
    reason: 'Each takes two descriptors. They do not count for `limits.connections`.',
  }),
  websocket_idle_timeout: durationField({
    fallbackMs: DEFAULTS.upstreamWebSocketIdleTimeoutMs,
    maxMs: 24 * HOUR_MS,
    description: 'How long such a WebSocket may be silent before it is cut; `0s`: for ever.',
    reason: 'Longer than the pings of any library; a peer that is gone is noticed by TCP within minutes.',
  }),
  health: group(healthGroup),
  breaker: group({ ...breakerGroup, keys: breakerKeys }).superRefine(checkBreaker),
} as const;

interface Issues {
  addIssue(issue: { code: 'custom'; message: string; path: PropertyKey[] }): void;
}

/** Refuses backends that are more than a place. */
export function checkUpstream(
  upstream: { readonly backends: readonly string[] | null },
  issues: Issues,
): void {
  for (const backend of upstream.backends ?? []) {
    const { pathname, search, hash, username, password, origin } = new URL(backend);
    if (pathname === '/' && `${search}${hash}${username}${password}` === '') continue;
    const message = `expected scheme, host and port only, such as ${origin}; paths go on as they are`;
    issues.addIssue({ code: 'custom', message, path: ['backends'] });
  }
}

/** The parts of the file that `upstream` has to fit. */
interface Surroundings {
  readonly host: string | null;
  readonly port: number;
  readonly sock: string | null;
  readonly upstream: { readonly backends: readonly string[] | null; readonly callback_paths: string };
  readonly path: Readonly<Record<string, string>>;
  readonly app: { readonly listen: TcpAddress | null };
  readonly api: { readonly listen: TcpAddress | null };
  readonly callback: {
    readonly connect: readonly string[] | null;
    readonly establish: readonly string[] | null;
    readonly receive: readonly string[] | null;
    readonly close: readonly string[] | null;
  };
}

/** Refuses what would make `upstream` useless, endless, or a door to the callbacks. */
export function checkUpstreamTogether(file: Surroundings, issues: Issues): void {
  const { backends, callback_paths: callbackPaths } = file.upstream;
  if (backends === null) return;
  for (const [name, path] of Object.entries(file.path)) {
    if (path !== '/') continue;
    const message = 'expected a path below "/": all paths would be the gateway\'s, and none upstream\'s';
    issues.addIssue({ code: 'custom', message, path: ['path', name] });
  }
  for (const backend of backends) {
    if (!leadsToUs(file, new URL(backend))) continue;
    const message = `expected the application, got a listener of this node: ${backend}`;
    issues.addIssue({ code: 'custom', message, path: ['upstream', 'backends'] });
  }
  if (callbackPaths === 'allow') return;
  for (const name of ['connect', 'establish', 'receive', 'close'] as const) {
    const root = (file.callback[name] ?? []).find((url) => new URL(url).pathname === '/');
    if (root === undefined) continue;
    const message =
      'expected a path below "/", because clients are kept away from it, and upstream has pages there; ' +
      'or sign callbacks and set upstream.callback_paths: allow';
    issues.addIssue({ code: 'custom', message, path: ['callback', name] });
  }
}

function leadsToUs(file: Surroundings, { protocol, hostname, port }: URL): boolean {
  const host = hostname.replace(/^\[(.*)\]$/, '$1');
  const number = port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port);
  const own = file.sock === null ? [{ host: file.host, port: file.port }] : [];
  if (file.app.listen !== null) own.push(file.app.listen);
  if (file.api.listen !== null) own.push(file.api.listen);
  return own.some(
    (address) =>
      address.port === number &&
      (address.host === host || (isLoopback(host) && (address.host === null || isLoopback(address.host)))),
  );
}

/** The checked values under the names of the program. */
export function toUpstream(values: {
  readonly backends: readonly string[] | null;
  readonly host: UpstreamConfig['host'];
  readonly callback_paths: UpstreamConfig['callbackPaths'];
  readonly connect_timeout: number;
  readonly response_timeout: number;
  readonly idle_timeout: number;
  readonly max_in_flight: number;
  readonly max_body: number;
  readonly idle_connections: number;
  readonly idle_connection_timeout: number;
  readonly websockets: number;
  readonly websocket_idle_timeout: number;
  readonly health: Parameters<typeof toBackendHealth>[0];
  readonly breaker: Parameters<typeof toBreaker>[0];
}): UpstreamConfig {
  return {
    backends: values.backends?.map((backend) => new URL(backend).origin) ?? null,
    host: values.host,
    callbackPaths: values.callback_paths,
    connectTimeoutMs: values.connect_timeout,
    responseTimeoutMs: values.response_timeout,
    idleTimeoutMs: values.idle_timeout,
    maxInFlight: values.max_in_flight,
    bodyBytesMax: values.max_body,
    idleSocketsMax: values.idle_connections,
    idleSocketMs: values.idle_connection_timeout,
    tunnelsMax: values.websockets,
    tunnelIdleTimeoutMs: values.websocket_idle_timeout,
    health: toBackendHealth(values.health),
    breaker: toBreaker(values.breaker),
  };
}
