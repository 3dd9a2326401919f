/**
 * What of a client's request goes on to a backend, and what of the backend's answer comes back.
 *
 * Names of one hop stay behind (RFC 9110 7.6.1), so does what only this node may say: nobody can
 * forge a callback with a header of ours. Framing is never passed on; the transport writes its own.
 * Requests that two parsers could read in two ways are refused here, as far as node:http's parser
 * has not refused them before.
 */

import { isHeaderLine, listTokens } from '../callbacks/header-lines.ts';
import { isForwardedName } from '../forwarded.ts';
import { type OutgoingAnswer, statusAnswer } from '../outgoing-answer.ts';

/** What is looked at before a request goes on. */
export interface ProxyFacts {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly httpVersion: string;
  headerLines(name: string): readonly string[];
}

/** How the body of a message is delimited. */
export type BodyFraming =
  | { readonly type: 'none' }
  /** In bytes. */
  | { readonly type: 'length'; readonly bytes: number }
  | { readonly type: 'chunked' };

/** Whether a request may go on. */
export type ForwardVerdict =
  | { readonly type: 'ok'; readonly body: BodyFraming }
  | ({ readonly type: 'refuse' } & OutgoingAnswer);

/** How we sign in `Via`, and know a request that we have passed on before. */
const PSEUDONYM = 'arrokoth';
/** Nodes in a row are legal; more than this many are a backend that leads back to us. */
const HOPS_MAX = 5;
const HOST = /^(?:[\w.-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?$/;
const HOST_CHARACTERS_MAX = 261;
const DIGITS = /^\d{1,15}$/;
/** 16 bytes in base64 (RFC 6455 4.1). */
const WEBSOCKET_KEY = /^[+/0-9A-Za-z]{22}==$/;
/** A tunnel to anywhere, and an echo that shows scripts what they must not see. */
const REFUSED_METHODS = new Set(['CONNECT', 'TRACE']);

/** Names of one hop, of framing, and such as we write ourselves. */
const HOP_NAMES = new Set([
  'connection',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
]);
/** `Proxy` would become `HTTP_PROXY` in a CGI program, which then sends its own requests there. */
const REQUEST_NAMES = new Set(['host', 'content-length', 'expect', 'via', 'proxy']);
const PROXY_PREFIX = 'proxy-';
const OUR_PREFIXES = ['x-kuiperbelt-', 'x-arrokoth-'];

/** Whether a request is plain enough to be passed on, and how its body is delimited. */
export function checkForwardable(facts: ProxyFacts): ForwardVerdict {
  const { method, httpVersion } = facts;
  if (httpVersion !== '1.1' && httpVersion !== '1.0') return refuse(505);
  if (REFUSED_METHODS.has(method)) return refuse(501);
  // A fragment has no business in a request; backends disagree on what follows it.
  if (facts.path.includes('#') || facts.query.includes('#')) return refuse(400);
  const hosts = facts.headerLines('host');
  if (hosts.length > 1 || (hosts.length === 0 && httpVersion === '1.1')) return refuse(400);
  if (hosts.some((host) => host.length > HOST_CHARACTERS_MAX || !HOST.test(host))) return refuse(400);
  if (passedBefore(facts.headerLines('via')) >= HOPS_MAX) return refuse(508);
  return checkFraming(facts);
}

/** The same for a handshake of a WebSocket. Whether its version is known is the backend's affair. */
export function checkUpgradeForwardable(facts: ProxyFacts): ForwardVerdict {
  const verdict = checkForwardable(facts);
  if (verdict.type === 'refuse') return verdict;
  const { body } = verdict;
  const hasBody = body.type === 'chunked' || (body.type === 'length' && body.bytes > 0);
  // What follows the head would be a body to one and the first frames to another.
  if (hasBody || facts.method !== 'GET' || facts.httpVersion !== '1.1') return refuse(400);
  if (!listTokens(facts.headerLines('connection')).includes('upgrade')) return refuse(400);
  // Without a key nobody could tell whether the backend has understood.
  const keys = facts.headerLines('sec-websocket-key');
  if (keys.length !== 1 || !WEBSOCKET_KEY.test((keys[0] as string).trim())) return refuse(400);
  return { type: 'ok', body: { type: 'none' } };
}

function checkFraming(facts: ProxyFacts): ForwardVerdict {
  const lengths = facts.headerLines('content-length');
  const encodings = facts.headerLines('transfer-encoding');
  if (encodings.length > 0) {
    if (lengths.length > 0 || facts.httpVersion === '1.0') return refuse(400);
    // Any other coding would reach the backend without its name.
    if (!isChunked(encodings)) return refuse(501);
    return { type: 'ok', body: { type: 'chunked' } };
  }
  if (lengths.length === 0) return { type: 'ok', body: { type: 'none' } };
  const length = lengths[0] as string;
  if (lengths.length > 1 || !DIGITS.test(length)) return refuse(400);
  return { type: 'ok', body: { type: 'length', bytes: Number(length) } };
}

/** The header lines of a passed request, `Host` and framing excepted: name, value, name, value. */
export function passedRequestLines(
  rules: {
    /** Lower-case names besides our prefixes that only we may say: session and channel header. */
    readonly ownNames: ReadonlySet<string>;
  },
  request: { readonly rawHeaders: readonly string[]; readonly httpVersion: string },
  /** What is said of proxies in place of the client's lines: name, value, name, value. */
  forwarded: readonly string[],
): string[] {
  const { rawHeaders } = request;
  const named = namedByConnection(rawHeaders);
  const lines: string[] = [];
  let via = '';
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] as string;
    const value = rawHeaders[index + 1] as string;
    const lowerCase = name.toLowerCase();
    if (lowerCase === 'via') via += `${value}, `;
    const plain = plainName(lowerCase);
    if (isHopName(plain) || named.has(lowerCase) || REQUEST_NAMES.has(plain)) continue;
    if (rules.ownNames.has(plain) || OUR_PREFIXES.some((prefix) => plain.startsWith(prefix))) continue;
    if (isForwardedName(plain)) continue;
    if (isHeaderLine(name, value)) lines.push(name, value);
  }
  lines.push(...forwarded, 'Via', `${via}${request.httpVersion} ${PSEUDONYM}`);
  return lines;
}

/** In the form in which `passedRequestLines` wants names. */
export function ownHeaderNames(names: readonly string[]): ReadonlySet<string> {
  return new Set(names.map((name) => plainName(name.toLowerCase())));
}

/** Why an answer must not reach a client, or null. node:http's parser has refused worse. */
export function answerProblem(status: number, encodings: readonly string[]): string | null {
  if (status < 200 || status > 599) return `the status ${status}`;
  // The client would get the body in a coding that nobody names any more.
  return encodings.length > 0 && !isChunked(encodings) ? 'a Transfer-Encoding other than chunked' : null;
}

/** The header lines of a passed answer; `Content-Length` is left to say how long the body is. */
export function passedAnswerLines(status: number, rawHeaders: readonly string[]): string[] {
  const named = namedByConnection(rawHeaders);
  const lines: string[] = [];
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] as string;
    const value = rawHeaders[index + 1] as string;
    const lowerCase = name.toLowerCase();
    if (isHopName(plainName(lowerCase)) || named.has(lowerCase)) continue;
    if (status === 204 && lowerCase === 'content-length') continue;
    if (isHeaderLine(name, value)) lines.push(name, value);
  }
  return lines;
}

/**
 * As the sloppiest backend reads it: interfaces like CGI make one variable of names that differ in
 * their punctuation only, and a line that looks harmless here may be `Transfer-Encoding` there.
 */
function plainName(lowerCase: string): string {
  return lowerCase.replace(/[^a-z0-9]/g, '-');
}

function isHopName(plain: string): boolean {
  return HOP_NAMES.has(plain) || plain.startsWith(PROXY_PREFIX);
}

function namedByConnection(rawHeaders: readonly string[]): ReadonlySet<string> {
  let named: Set<string> | null = null;
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    if ((rawHeaders[index] as string).toLowerCase() !== 'connection') continue;
    named ??= new Set();
    for (const token of listTokens([rawHeaders[index + 1] as string])) named.add(token);
  }
  return named ?? NOTHING;
}

const NOTHING: ReadonlySet<string> = new Set();

function isChunked(encodings: readonly string[]): boolean {
  return encodings.length === 1 && (encodings[0] as string).trim().toLowerCase() === 'chunked';
}

function passedBefore(lines: readonly string[]): number {
  return listTokens(lines).filter((hop) => hop.endsWith(` ${PSEUDONYM}`)).length;
}

function refuse(status: number): ForwardVerdict {
  return { type: 'refuse', ...statusAnswer(status) };
}
