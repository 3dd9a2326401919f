/**
 * What each of the four callbacks looks like on the wire (kuiperbelt 5.2, 5.5, 7).
 *
 * Only the look: who sends it when, and what an answer means, is decided elsewhere. Every function
 * answers null when the configuration names no URL for its callback. Order matters, because some
 * frameworks read the first header of a name: what the client said comes first, but never under a
 * name of ours.
 */
import type { ConnectionId, EventId, SessionKey } from '../../base/index.ts';
import { type ClientTls, certificateLines } from '../connect/client-certificate.ts';
import { OFFER_HEADER, offeredProtocols } from '../connect/subprotocols.ts';
import { contentTypeOf } from '../delivery/frame-type.ts';
import { isForwardedName } from '../forwarded.ts';
import type { CloseReason } from './close-reasons.ts';
import { comparableName, isHeaderLine } from './header-lines.ts';

/** The settings that shape callbacks. */
export interface CallbackSettings {
  readonly sessionHeader: string;
  readonly channelHeader: string;
  readonly proxySetHeader: readonly { readonly name: string; readonly value: string }[];
  /** What `X-Kuiperbelt-Endpoint` says, already derived. */
  readonly endpoint: string;
  readonly callback: {
    /** At least one URL each; null: this callback is not made. */
    readonly connect: readonly string[] | null;
    readonly establish: readonly string[] | null;
    readonly receive: readonly string[] | null;
    readonly close: readonly string[] | null;
  };
}

/** A request to the application; timeouts and bounds are added by who sends it. */
export interface CallbackRequest {
  readonly method: string;
  readonly url: string;
  /** Where there are several backends: the URL at each, in the order of `list`. Else empty. */
  readonly urls: readonly string[];
  /** The list of the configuration that `urls` come from: the very object, whose backends are known. */
  readonly list: readonly string[];
  /** Name, value, name, value. */
  readonly headers: readonly string[];
  readonly body: Uint8Array | null;
  /** True: the body is sent chunked although its length is known. */
  readonly chunked: boolean;
}

/** Who a callback is about. */
export interface CallbackSubject {
  readonly connectionId: ConnectionId;
  readonly requestId: string;
  readonly key: SessionKey;
}

/**
 * Names that speak about one hop, or that a client without a body has no use for. `Trailer` and
 * `Expect` promise something about a body that is never sent. No browser sends `Proxy`, and a CGI
 * application would take it for its environment's `HTTP_PROXY` and send its own requests there.
 */
const HOP_NAMES = new Set([
  'connection',
  'upgrade',
  'host',
  'content-length',
  'transfer-encoding',
  'trailer',
  'expect',
  'proxy',
  'x-request-id',
]);
const HOP_PREFIXES = ['sec-websocket', 'x-kuiperbelt-', 'x-arrokoth-'];
/** Names that `proxy_set_header` cannot touch, because the transport writes them. */
const TRANSPORT_NAMES = new Set(['host', 'content-length', 'transfer-encoding', 'trailer']);

const NO_URLS: readonly string[] = [];

/** Names of one configuration in the form in which they are compared, made once for all its callbacks. */
interface ComparedNames {
  /** What clients must not say, because applications take it for ours. */
  readonly session: string;
  readonly channel: string;
  /** The rules of `proxy_set_header` that have a say. */
  readonly rules: readonly { readonly comparable: string; readonly name: string; readonly value: string }[];
}

const comparedNames = new WeakMap<CallbackSettings, ComparedNames>();

/** Asks the application whether a client may connect; the client's headers and query go along. */
export function connectCallback(
  settings: CallbackSettings,
  client: {
    readonly method: string;
    /** As sent, without the question mark. */
    readonly query: string;
    readonly rawHeaders: readonly string[];
    /** What replaces the client's word on proxies: name, value, name, value. Null: that passes. */
    readonly forwarded: readonly string[] | null;
    /** What TLS showed of the client; null: it does not speak TLS to this node. */
    readonly tls: ClientTls | null;
    readonly connectionId: ConnectionId;
    readonly requestId: string;
  },
): CallbackRequest | null {
  if (settings.callback.connect === null) return null;
  const lines = applyProxySetHeader(settings, clientLines(settings, client));
  addSubject(lines, settings, client);
  if (client.tls !== null) lines.push(...certificateLines(client.tls).flat());
  const offered = offeredProtocols(client.rawHeaders);
  if (offered.length > 0) lines.push(OFFER_HEADER, offered.join(', '));
  const { connect } = settings.callback;
  const { method, query } = client;
  const url = withQuery(connect[0] as string, query);
  const urls = connect.length === 1 ? NO_URLS : connect.map((each) => withQuery(each, query));
  return { method, url, urls, list: connect, headers: lines, body: null, chunked: false };
}

/** Tells the application that the WebSocket stands, and asks whether it may go on. */
export function establishCallback(
  settings: CallbackSettings,
  subject: CallbackSubject,
): CallbackRequest | null {
  if (settings.callback.establish === null) return null;
  const lines = applyProxySetHeader(settings, [settings.sessionHeader, subject.key]);
  addSubject(lines, settings, subject);
  return post(settings.callback.establish, lines);
}

/** Hands a client's message to the application. As in kuiperbelt, `proxy_set_header` is not applied. */
export function receiveCallback(
  settings: CallbackSettings,
  message: CallbackSubject & { readonly payload: Uint8Array; readonly binary: boolean },
): CallbackRequest | null {
  if (settings.callback.receive === null) return null;
  const headers = ['Content-Type', contentTypeOf(message.binary), 'X-Kuiperbelt-Endpoint', settings.endpoint];
  headers.push(settings.sessionHeader, message.key, 'X-Arrokoth-Connection', message.connectionId);
  headers.push('X-Request-Id', message.requestId);
  return post(settings.callback.receive, headers, message.payload);
}

/** Tells the application that a connection has ended; the same event always looks the same. */
export function closeCallback(
  settings: CallbackSettings,
  event: Omit<CallbackSubject, 'key'> & {
    /** Null when nobody lived to hear which key the application had given, if it had. */
    readonly key: SessionKey | null;
    readonly eventId: EventId;
    readonly reason: CloseReason;
    readonly closeCode: number;
  },
): CallbackRequest | null {
  if (settings.callback.close === null) return null;
  const keyLine = event.key === null ? [] : [settings.sessionHeader, event.key];
  const lines = applyProxySetHeader(settings, keyLine);
  addSubject(lines, settings, event);
  lines.push('X-Arrokoth-Event-Id', event.eventId);
  lines.push('X-Arrokoth-Reason', event.reason);
  lines.push('X-Arrokoth-Close-Code', String(event.closeCode));
  return post(settings.callback.close, lines);
}

function clientLines(
  settings: CallbackSettings,
  client: { readonly rawHeaders: readonly string[]; readonly forwarded: readonly string[] | null },
): string[] {
  const { rawHeaders, forwarded } = client;
  const { session, channel } = comparedNamesOf(settings);
  const lines: string[] = [];
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] as string;
    const value = rawHeaders[index + 1] as string;
    const comparable = comparableName(name);
    if (HOP_NAMES.has(comparable) || comparable === session || comparable === channel) continue;
    if (HOP_PREFIXES.some((prefix) => comparable.startsWith(prefix))) continue;
    if (forwarded !== null && isForwardedName(comparable)) continue;
    if (isHeaderLine(name, value)) lines.push(name, value);
  }
  if (forwarded !== null) lines.push(...forwarded);
  return lines;
}

/**
 * Each rule takes all lines of its name away and, unless its value is empty, adds one. Names are
 * compared as a CGI-like interface sees them, so that a client's `X_Role` cannot pass for `X-Role`.
 */
function applyProxySetHeader(settings: CallbackSettings, lines: string[]): string[] {
  let result = lines;
  for (const { comparable, name, value } of comparedNamesOf(settings).rules) {
    const kept: string[] = [];
    for (let index = 0; index + 1 < result.length; index += 2) {
      const other = result[index] as string;
      if (comparableName(other) !== comparable) kept.push(other, result[index + 1] as string);
    }
    if (value !== '') kept.push(name, value);
    result = kept;
  }
  return result;
}

function comparedNamesOf(settings: CallbackSettings): ComparedNames {
  const known = comparedNames.get(settings);
  if (known !== undefined) return known;
  const rules = settings.proxySetHeader.map(({ name, value }) => ({
    comparable: comparableName(name),
    name,
    value,
  }));
  const made = {
    session: comparableName(settings.sessionHeader),
    channel: comparableName(settings.channelHeader),
    rules: rules.filter(({ comparable }) => !TRANSPORT_NAMES.has(comparable)),
  };
  comparedNames.set(settings, made);
  return made;
}

function addSubject(
  lines: string[],
  { endpoint }: CallbackSettings,
  subject: { readonly connectionId: ConnectionId; readonly requestId: string },
): void {
  lines.push('X-Kuiperbelt-Endpoint', endpoint, 'X-Arrokoth-Connection', subject.connectionId);
  lines.push('X-Request-Id', subject.requestId);
}

/** With a body in chunks, or without one. */
function post(
  list: readonly string[],
  headers: readonly string[],
  body: Uint8Array | null = null,
): CallbackRequest {
  const urls = list.length === 1 ? NO_URLS : list;
  return { method: 'POST', url: list[0] as string, urls, list, headers, body, chunked: body !== null };
}

/** As in kuiperbelt, a query in the configured URL gives way to the client's, even to none. */
function withQuery(url: string, query: string): string {
  const target = url.replace(/[?#].*$/s, '');
  // A bare `#` would end the query for whoever parses the URL next.
  return query === '' ? target : `${target}?${query.replaceAll('#', '%23')}`;
}
