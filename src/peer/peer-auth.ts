/**
 * Whether a call comes from one who knows a secret of the cluster, is fresh, and is what was sent.
 *
 * HMAC-SHA256 over method, path, time, nonce and the digest of the body, so that a stranger is
 * refused before a byte of its body is read. Of several secrets the first signs and all verify:
 * that is how one is changed while the cluster runs. Answers are signed too, over the nonce of
 * their call, because a false "granted" does as much harm as a false call. TLS is `net/`'s.
 */
import { createHash, createHmac, createSecretKey, type KeyObject, timingSafeEqual } from 'node:crypto';
import { type Clock, PEER_LIMITS, type Random } from '../base/index.ts';
import { NonceRuns } from './nonce-runs.ts';

/** Why a call was refused. For log lines and figures; the caller is told nothing but 401. */
export type AuthFailure =
  | 'unsigned'
  | 'malformed'
  | 'signature'
  | 'skew'
  | 'replayed'
  | 'nonces_full'
  /** The body is not the one that was signed. */
  | 'body';

/** A call's head, as far as it is signed. */
export interface SignedHead {
  readonly method: string;
  /** Path and query as they stand in the request line. */
  readonly target: string;
  header(name: string): string | undefined;
}

/** A call whose head is genuine: what its body has to be, and what its answer is signed for. */
export interface GenuineHead {
  readonly digest: string;
  readonly nonce: string;
}

/** What the calls to one receiver are numbered by. */
export interface CallNumbers {
  readonly run: string;
  last: number;
}

const VERSION = 'v1';
const RUN_BYTES = 8;
const NO_BYTES = Buffer.alloc(0);
/** Header lines that carry a signature; the digest is of the body, in hexadecimal. */
const TIMESTAMP = 'X-Arrokoth-Timestamp';
const NONCE = 'X-Arrokoth-Nonce';
const DIGEST = 'X-Arrokoth-Digest';
/** `v1=` and the HMAC in hexadecimal, of a call or of its answer. */
export const SIGNATURE = 'X-Arrokoth-Signature';

/** Signs and verifies for one node. Without secrets nothing is signed and everything is genuine. */
export class PeerAuth {
  #keys: readonly KeyObject[] = [];
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #runs: NonceRuns;

  constructor(secrets: readonly string[], doors: { readonly clock: Clock; readonly random: Random }) {
    this.#clock = doors.clock;
    this.#runs = new NonceRuns(doors.clock);
    this.#random = doors.random;
    this.replace(secrets);
  }

  /** False: whoever reaches the port is believed. */
  get isOn(): boolean {
    return this.#keys.length > 0;
  }

  /** From now on the first of these signs, and all of them verify. */
  replace(secrets: readonly string[]): void {
    this.#keys = secrets.map((secret) => createSecretKey(secret, 'utf8'));
  }

  /**
   * Numbers for the calls to one more receiver. Each has its own, because numbers that went elsewhere
   * would move its window on, past calls that are still on their way.
   */
  startNumbers(): CallNumbers {
    return { run: Buffer.from(this.#random.bytes(RUN_BYTES)).toString('hex'), last: 0 };
  }

  /** The header lines that sign a call, and the nonce that its answer has to be signed for. */
  sign(
    call: { readonly method: string; readonly target: string; readonly body: string | Uint8Array },
    numbers: CallNumbers,
  ): { headers: string[]; nonce: string } {
    const { method, target, body } = call;
    const key = this.#keys[0];
    if (key === undefined) return { headers: [], nonce: '' };
    const timestamp = String(Math.floor(this.#clock.wallMs() / 1_000));
    const nonce = `${numbers.run}.${++numbers.last}`;
    const digest = digestOf(body);
    const signature = mac(key, callText({ method, target, timestamp, nonce, digest }));
    const stamp = [TIMESTAMP, timestamp, NONCE, nonce, DIGEST, digest];
    return { headers: [...stamp, SIGNATURE, `${VERSION}=${signature.toString('hex')}`], nonce };
  }

  /** Looks at the head of a call, before its body is read. A nonce is good for one call. */
  verify(head: SignedHead): GenuineHead | AuthFailure {
    if (!this.isOn) return { digest: '', nonce: '' };
    const timestamp = head.header(TIMESTAMP);
    const [nonce, digest, shown] = [head.header(NONCE), head.header(DIGEST), head.header(SIGNATURE)];
    if (shown === undefined) return 'unsigned';
    if (timestamp === undefined || nonce === undefined || digest === undefined) return 'malformed';
    const run = /^([0-9a-f]{16})\.([1-9][0-9]{0,14})$/.exec(nonce);
    if (run === null || !/^[0-9]{1,12}$/.test(timestamp) || !/^[0-9a-f]{64}$/.test(digest))
      return 'malformed';
    const { method, target } = head;
    if (!this.#isSigned(shown, callText({ method, target, timestamp, nonce, digest }))) return 'signature';
    const skewMs = Math.abs(this.#clock.wallMs() - Number(timestamp) * 1_000);
    if (skewMs > PEER_LIMITS.signatureSkewMs) return 'skew';
    // Only what is genuine is remembered, so that strangers cannot fill the memory.
    const use = this.#runs.use(run[1] as string, Number(run[2]));
    return use === 'fresh' ? { digest, nonce } : use;
  }

  /** Whether `body` is the one that a genuine head was signed for. */
  isBodyOf(head: GenuineHead, body: Uint8Array): boolean {
    return !this.isOn || head.digest === digestOf(body);
  }

  /** The header lines that sign an answer. */
  signAnswer(nonce: string, status: number, body: string | Uint8Array): string[] {
    const key = this.#keys[0];
    if (key === undefined || nonce === '') return [];
    const signature = mac(key, answerText(nonce, status, digestOf(body)));
    return [SIGNATURE, `${VERSION}=${signature.toString('hex')}`];
  }

  /** Whether an answer to the call with this nonce comes from one who knows a secret. */
  isGenuineAnswer(nonce: string, status: number, body: Uint8Array, shown: string | undefined): boolean {
    return !this.isOn || this.#isSigned(shown ?? '', answerText(nonce, status, digestOf(body)));
  }

  /** Compares with what every secret gives, so that time tells neither which one nor how far it fits. */
  #isSigned(shown: string, text: string): boolean {
    const match = /^v1=([0-9a-f]{64})$/.exec(shown);
    const given = Buffer.from(match?.[1] ?? ''.padEnd(64, '0'), 'hex');
    let equal = false;
    for (const key of this.#keys) equal = timingSafeEqual(given, mac(key, text)) || equal;
    return equal && match !== null;
  }
}

function callText(call: Record<'method' | 'target' | 'timestamp' | 'nonce' | 'digest', string>): string {
  const { method, target, timestamp, nonce, digest } = call;
  return ['arrokoth-call', VERSION, timestamp, nonce, method, target, digest].join('\n');
}

function answerText(nonce: string, status: number, digest: string): string {
  return ['arrokoth-answer', VERSION, nonce, String(status), digest].join('\n');
}

function mac(key: KeyObject, text: string): Buffer {
  return createHmac('sha256', key).update(text, 'latin1').digest();
}

function digestOf(body: string | Uint8Array): string {
  return createHash('sha256')
    .update(body.length === 0 ? NO_BYTES : body)
    .digest('hex');
}
