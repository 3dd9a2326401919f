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

type Line = readonly [name: string, value: string];

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
  lines.push(['X-Kuiperbelt-Endpoint', settings.endpoint], ...subjectLines(client));
  if (client.tls !== null) lines.push(...certificateLines(client.tls));
  const offered = offeredProtocols(client.rawHeaders);
  if (offered.length > 0) lines.push([OFFER_HEADER, offered.join(', ')]);
  const { connect } = settings.callback;
  const { method, query } = client;
  const url = withQuery(connect[0] as string, query);
  const urls = connect.length === 1 ? NO_URLS : connect.map((each) => withQuery(each, query));
  return { method, url, urls, list: connect, headers: lines.flat(), body: null, chunked: false };
}

/** Tells the application that the WebSocket stands, and asks whether it may go on. */
export function establishCallback(
  settings: CallbackSettings,
  subject: CallbackSubject,
): CallbackRequest | null {
  if (settings.callback.establish === null) return null;
  const lines = applyProxySetHeader(settings, [[settings.sessionHeader, subject.key]]);
  lines.push(['X-Kuiperbelt-Endpoint', settings.endpoint], ...subjectLines(subject));
  return post(settings.callback.establish, lines);
}

/** Hands a client's message to the application. As in kuiperbelt, `proxy_set_header` is not applied. */
export function receiveCallback(
  settings: CallbackSettings,
  message: CallbackSubject & { readonly payload: Uint8Array; readonly binary: boolean },
): CallbackRequest | null {
  if (settings.callback.receive === null) return null;
  const lines: Line[] = [
    ['Content-Type', contentTypeOf(message.binary)],
    ['X-Kuiperbelt-Endpoint', settings.endpoint],
    [settings.sessionHeader, message.key],
    ...subjectLines(message),
  ];
  return { ...post(settings.callback.receive, lines), body: message.payload, chunked: true };
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
  const keyLines: Line[] = event.key === null ? [] : [[settings.sessionHeader, event.key]];
  const lines = applyProxySetHeader(settings, keyLines);
  lines.push(['X-Kuiperbelt-Endpoint', settings.endpoint], ...subjectLines(event));
  lines.push(['X-Arrokoth-Event-Id', event.eventId]);
  lines.push(['X-Arrokoth-Reason', event.reason]);
  lines.push(['X-Arrokoth-Close-Code', String(event.closeCode)]);
  return post(settings.callback.close, lines);
}

function clientLines(
  settings: CallbackSettings,
  client: { readonly rawHeaders: readonly string[]; readonly forwarded: readonly string[] | null },
): Line[] {
  const { rawHeaders, forwarded } = client;
  const ours = new Set([comparableName(settings.sessionHeader), comparableName(settings.channelHeader)]);
  const lines: Line[] = [];
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] as string;
    const value = rawHeaders[index + 1] as string;
    const comparable = comparableName(name);
    if (HOP_NAMES.has(comparable) || ours.has(comparable)) continue;
    if (HOP_PREFIXES.some((prefix) => comparable.startsWith(prefix))) continue;
    if (forwarded !== null && isForwardedName(name)) continue;
    if (isHeaderLine(name, value)) lines.push([name, value]);
  }
  for (let index = 0; forwarded !== null && index + 1 < forwarded.length; index += 2) {
    lines.push([forwarded[index] as string, forwarded[index + 1] as string]);
  }
  return lines;
}

/**
 * Each rule takes all lines of its name away and, unless its value is empty, adds one. Names are
 * compared as a CGI-like interface sees them, so that a client's `X_Role` cannot pass for `X-Role`.
 */
function applyProxySetHeader(settings: CallbackSettings, lines: Line[]): Line[] {
  let result = lines;
  for (const { name, value } of settings.proxySetHeader) {
    const comparable = comparableName(name);
    if (TRANSPORT_NAMES.has(comparable)) continue;
    result = result.filter(([other]) => comparableName(other) !== comparable);
    if (value !== '') result.push([name, value]);
  }
  return result;
}

function subjectLines(subject: { readonly connectionId: ConnectionId; readonly requestId: string }): Line[] {
  return [
    ['X-Arrokoth-Connection', subject.connectionId],
    ['X-Request-Id', subject.requestId],
  ];
}

function post(list: readonly string[], lines: readonly Line[]): CallbackRequest {
  const url = list[0] as string;
  const urls = list.length === 1 ? NO_URLS : list;
  return { method: 'POST', url, urls, list, headers: lines.flat(), body: null, chunked: false };
}

/** As in kuiperbelt, a query in the configured URL gives way to the client's, even to none. */
function withQuery(url: string, query: string): string {
  const target = url.replace(/[?#].*$/s, '');
  // A bare `#` would end the query for whoever parses the URL next.
  return query === '' ? target : `${target}?${query.replaceAll('#', '%23')}`;
}
