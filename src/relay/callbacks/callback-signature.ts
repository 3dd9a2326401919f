/**
 * What the signature of a callback covers, and the header lines that carry it.
 *
 * An application that knows the key learns from it that a request comes from the node, is fresh,
 * and is the request that the node made: what one callback was signed for fits no other. The text
 * is the same for all four callbacks; a header that one of them lacks leaves its line empty. The
 * HTTP client asks for a signature each time that it sends, so that no two attempts share a nonce.
 * The arithmetic of HMAC comes in through `Digest`.
 */
import type { Clock, Digest } from '../../base/index.ts';

/** A request as it goes out. */
export interface SignableRequest {
  readonly method: string;
  /** Path and query, as they stand in the request line. */
  readonly target: string;
  /** Name, value, name, value. */
  readonly headers: readonly string[];
  readonly body: Uint8Array | null;
}

/** What makes one signature unlike every other. */
export interface SignatureStamp {
  /** Seconds since 1970. */
  readonly timestamp: number;
  readonly nonce: string;
}

/** Whose requests are signed, and how they name their sessions. */
export interface SignatureRules {
  /** The first one signs; receivers accept all of them. None: nothing is signed. */
  readonly keys: readonly string[];
  readonly sessionHeader: string;
}

/** Gives a request the header lines that sign it. */
export type CallbackSigner = (request: SignableRequest) => string[];

/** Names the form of the text below; another form would get another name. */
const VERSION = 'v1';
const NO_BODY = new Uint8Array(0);

/** The signer of this node, or null when there are no keys. */
export function callbackSigner(
  rules: SignatureRules,
  doors: { readonly clock: Clock; readonly digest: Digest; readonly nonce: () => string },
): CallbackSigner | null {
  const key = rules.keys[0];
  if (key === undefined) return null;
  const { clock, digest } = doors;
  return (request) => {
    const stamp = { timestamp: Math.floor(clock.wallMs() / 1_000), nonce: doors.nonce() };
    const text = signedText(request, stamp, {
      sessionHeader: rules.sessionHeader,
      bodyDigest: digest.sha256(request.body ?? NO_BODY),
    });
    return [
      ...['X-Arrokoth-Timestamp', String(stamp.timestamp), 'X-Arrokoth-Nonce', stamp.nonce],
      ...['X-Arrokoth-Signature', `${VERSION}=${digest.hmacSha256(key, text)}`],
    ];
  };
}

/** The text that is signed: a byte string of twelve lines and the body's digest, without a last line end. */
export function signedText(
  request: SignableRequest,
  stamp: SignatureStamp,
  facts: { readonly sessionHeader: string; readonly bodyDigest: string },
): string {
  const { method, target, headers } = request;
  return [
    ...[VERSION, String(stamp.timestamp), stamp.nonce, method, target],
    headerValue(headers, 'X-Arrokoth-Connection'),
    headerValue(headers, facts.sessionHeader),
    headerValue(headers, 'X-Arrokoth-Event-Id'),
    headerValue(headers, 'X-Arrokoth-Reason'),
    headerValue(headers, 'X-Arrokoth-Close-Code'),
    headerValue(headers, 'X-Kuiperbelt-Endpoint'),
    headerValue(headers, 'Content-Type'),
    facts.bodyDigest,
  ].join('\n');
}

/** The first line of that name as a receiver's parser gives it: without the white space around it. */
function headerValue(headers: readonly string[], name: string): string {
  const wanted = name.toLowerCase();
  for (let index = 0; index + 1 < headers.length; index += 2) {
    const candidate = headers[index] as string;
    if (candidate.length === wanted.length && candidate.toLowerCase() === wanted) {
      return (headers[index + 1] as string).replace(/^[\t ]+|[\t ]+$/g, '');
    }
  }
  return '';
}
