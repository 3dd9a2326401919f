/**
 * How often one address may connect, and how many connections it may hold: token buckets and counts.
 *
 * One worker's view, without clocks and sockets. Buckets are bounded in number: the one that was
 * used least recently gives way, and full ones are dropped in passing, so nothing needs a timer.
 */
import { assert } from '../base/index.ts';
import { formatAddress, parseAddress } from './address-range.ts';

/** What one address may do; 0 turns a bound off. */
export interface AddressBounds {
  readonly connectsPerSecond: number;
  readonly connectsBurst: number;
  readonly connectionsMax: number;
  /** Buckets that are kept. */
  readonly addressesMax: number;
}

/** Which bound an attempt to connect met. */
export interface AddressRefusal {
  readonly limit: 'connects' | 'connections';
  readonly retryAfterSeconds: number;
}

interface Bucket {
  tokens: number;
  atMs: number;
}

/** Nobody can tell when a connection ends, so this is a guess. */
const CONNECTIONS_RETRY_SECONDS = 5;
/** Old buckets that one attempt looks at: two, so that they go faster than they come. */
const SWEPT_PER_ATTEMPT = 2;

/** The addresses that one worker knows of. */
export class AddressLimits {
  readonly #bounds: AddressBounds;
  /** The least recently used one first. */
  readonly #buckets = new Map<string, Bucket>();
  /** Bounded by the connections themselves. */
  readonly #connections = new Map<string, number>();

  constructor(bounds: AddressBounds) {
    this.#bounds = bounds;
  }

  /** Addresses that something is known of. */
  get size(): number {
    return Math.max(this.#buckets.size, this.#connections.size);
  }

  /** Counts a connection of `address`, until `leave`; or says why there may be none now. */
  enter(address: string, nowMs: number): AddressRefusal | null {
    const { connectsPerSecond, connectionsMax } = this.#bounds;
    if (connectsPerSecond > 0) {
      const waitMs = this.#spend(address, nowMs);
      if (waitMs > 0) return { limit: 'connects', retryAfterSeconds: Math.ceil(waitMs / 1_000) };
    }
    if (connectionsMax === 0) return null;
    const held = this.#connections.get(address) ?? 0;
    if (held >= connectionsMax) {
      return { limit: 'connections', retryAfterSeconds: CONNECTIONS_RETRY_SECONDS };
    }
    this.#connections.set(address, held + 1);
    return null;
  }

  /** A connection that was let in is over. */
  leave(address: string): void {
    if (this.#bounds.connectionsMax === 0) return;
    const held = this.#connections.get(address) ?? 0;
    assert(held > 0, 'an address is left as often as it was entered');
    if (held === 1) this.#connections.delete(address);
    else this.#connections.set(address, held - 1);
  }

  /** Takes a token; answers how long there will be none. Refused attempts cost nothing. */
  #spend(address: string, nowMs: number): number {
    const { connectsPerSecond, connectsBurst, addressesMax } = this.#bounds;
    this.#sweep(nowMs);
    const bucket = this.#buckets.get(address) ?? { tokens: connectsBurst, atMs: nowMs };
    bucket.tokens = this.#tokensAt(bucket, nowMs);
    bucket.atMs = nowMs;
    this.#buckets.delete(address);
    this.#buckets.set(address, bucket);
    if (this.#buckets.size > addressesMax) this.#buckets.delete(this.#oldest() as string);
    if (bucket.tokens < 1) return ((1 - bucket.tokens) / connectsPerSecond) * 1_000;
    bucket.tokens--;
    return 0;
  }

  /** A full bucket is worth as much as none. */
  #sweep(nowMs: number): void {
    for (let looks = 0; looks < SWEPT_PER_ATTEMPT; looks++) {
      const oldest = this.#oldest();
      if (oldest === undefined) return;
      if (this.#tokensAt(this.#buckets.get(oldest) as Bucket, nowMs) < this.#bounds.connectsBurst) return;
      this.#buckets.delete(oldest);
    }
  }

  #oldest(): string | undefined {
    return this.#buckets.keys().next().value;
  }

  #tokensAt({ tokens, atMs }: Bucket, nowMs: number): number {
    const { connectsPerSecond, connectsBurst } = this.#bounds;
    return Math.min(connectsBurst, tokens + ((nowMs - atMs) / 1_000) * connectsPerSecond);
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
