/**
 * How often one address may connect, and how many connections it may hold: token buckets and counts.
 *
 * One worker's view, without clocks and sockets. Buckets are bounded in number: the one that was
 * used least recently gives way, and full ones are dropped in passing, so nothing needs a timer.
 */
import { assert, LIMITS } from '../../base/index.ts';
import { formatAddress, parseAddress } from '../address-range.ts';
import { type RetryWait, waitBehind } from './retry-after.ts';

/** What one address may do; 0 turns a bound off. */
export interface AddressBounds {
  readonly connectsPerSecond: number;
  readonly connectsBurst: number;
  readonly connectionsMax: number;
  /** Buckets that are kept. */
  readonly addressesMax: number;
}

/** Which bound an attempt to connect met, and how long its client should stay away. */
export interface AddressRefusal extends RetryWait {
  readonly limit: 'connects' | 'connections';
}

interface Bucket {
  tokens: number;
  /** Attempts that were refused and are not due yet: those who share an address should not meet again. */
  away: number;
  atMs: number;
}

/** Nobody can tell when a connection ends, so this is a guess. */
const CONNECTIONS_WAIT: AddressRefusal = { limit: 'connections', leastMs: 5_000, spreadMs: 5_000 };
/** Old buckets that one attempt looks at: two, so that they go faster than they come. */
const SWEPT_PER_ATTEMPT = 2;

/** The addresses that one worker knows of. */
export class AddressLimits {
  #bounds: AddressBounds;
  /** The least recently used one first. */
  readonly #buckets = new Map<string, Bucket>();
  /** Bounded by the connections themselves. */
  readonly #connections = new Map<string, number>();

  constructor(bounds: AddressBounds) {
    this.#bounds = bounds;
  }

  /** From now on these bounds count. Nobody who is inside has to leave. */
  replace(bounds: AddressBounds): void {
    const { connectsPerSecond, connectsBurst } = this.#bounds;
    this.#bounds = bounds;
    // Whoever has used up what was allowed may begin anew with what is.
    if (bounds.connectsPerSecond !== connectsPerSecond || bounds.connectsBurst !== connectsBurst) {
      this.#buckets.clear();
    }
  }

  /** Addresses that something is known of. */
  get size(): number {
    return Math.max(this.#buckets.size, this.#connections.size);
  }

  /** Counts a connection of `address`, until `leave`; or says why there may be none now. */
  enter(address: string, nowMs: number): AddressRefusal | null {
    const { connectsPerSecond, connectionsMax } = this.#bounds;
    if (connectsPerSecond > 0) {
      const refusal = this.#spend(address, nowMs);
      if (refusal !== null) return refusal;
    }
    const held = this.#connections.get(address) ?? 0;
    if (connectionsMax > 0 && held >= connectionsMax) return CONNECTIONS_WAIT;
    this.#connections.set(address, held + 1);
    return null;
  }

  /** What `enter` would say; nothing is counted. */
  refusalOf(address: string, nowMs: number): AddressRefusal | null {
    const { connectsPerSecond, connectionsMax } = this.#bounds;
    const bucket = this.#buckets.get(address);
    if (connectsPerSecond > 0 && bucket !== undefined) {
      const now = this.#bucketAt(bucket, nowMs);
      if (now.tokens < 1) return this.#waitFor(now);
    }
    const held = this.#connections.get(address) ?? 0;
    return connectionsMax > 0 && held >= connectionsMax ? CONNECTIONS_WAIT : null;
  }

  /** A connection that was let in is over. */
  leave(address: string): void {
    const held = this.#connections.get(address) ?? 0;
    assert(held > 0, 'an address is left as often as it was entered');
    if (held === 1) this.#connections.delete(address);
    else this.#connections.set(address, held - 1);
  }

  /** Takes a token, or says how long there will be none. Refused attempts cost no tokens. */
  #spend(address: string, nowMs: number): AddressRefusal | null {
    const { connectsPerSecond, connectsBurst, addressesMax } = this.#bounds;
    this.#sweep(nowMs);
    const before = this.#buckets.get(address) ?? { tokens: connectsBurst, away: 0, atMs: nowMs };
    const bucket = this.#bucketAt(before, nowMs);
    this.#buckets.delete(address);
    this.#buckets.set(address, bucket);
    if (this.#buckets.size > addressesMax) this.#buckets.delete(this.#oldest() as string);
    if (bucket.tokens >= 1) {
      bucket.tokens--;
      return null;
    }
    const refusal = this.#waitFor(bucket);
    const awayMax = (connectsPerSecond * LIMITS.retryAfterSpreadMaxMs) / 1_000;
    bucket.away = Math.min(awayMax, bucket.away + 1);
    return refusal;
  }

  /** The token that is awaited, and those for whoever was sent away before. */
  #waitFor({ tokens, away }: Bucket): AddressRefusal {
    const { connectsPerSecond } = this.#bounds;
    const { leastMs, spreadMs } = waitBehind(away, connectsPerSecond);
    const tokenMs = ((1 - tokens) / connectsPerSecond) * 1_000;
    return { limit: 'connects', leastMs: tokenMs + leastMs, spreadMs };
  }

  /** A full bucket that nobody is expected at is worth as much as none. */
  #sweep(nowMs: number): void {
    for (let looks = 0; looks < SWEPT_PER_ATTEMPT; looks++) {
      const oldest = this.#oldest();
      if (oldest === undefined) return;
      const { tokens, away } = this.#bucketAt(this.#buckets.get(oldest) as Bucket, nowMs);
      if (tokens < this.#bounds.connectsBurst || away > 0) return;
      this.#buckets.delete(oldest);
    }
  }

  #oldest(): string | undefined {
    return this.#buckets.keys().next().value;
  }

  #bucketAt({ tokens, away, atMs }: Bucket, nowMs: number): Bucket {
    const { connectsPerSecond, connectsBurst } = this.#bounds;
    const gained = ((nowMs - atMs) / 1_000) * connectsPerSecond;
    return {
      tokens: Math.min(connectsBurst, tokens + gained),
      away: Math.max(0, away - gained),
      atMs: nowMs,
    };
  }
}

/**
 * What counts as one address: an IPv4 address, or the first 64 bits of an IPv6 address, because
 * whoever has one has the rest. All whose address is not known are one; null where there is none,
 * as on a unix socket.
 */
export function addressGroup(client: string): string | null {
  if (client === '') return null;
  const address = parseAddress(client);
  if (address === null) return client;
  if (address.length === 4) return formatAddress(address);
  return formatAddress([...address.slice(0, 4), 0, 0, 0, 0]);
}
