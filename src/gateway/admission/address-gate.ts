/**
 * Lets in what `limits.*_per_address` allows, and keeps account of who is inside.
 *
 * The rule is in `relay/address-limits.ts`; this file knows whose connection is whose. Without a
 * limit it keeps no account, so that who connected then is not counted when one is set later.
 */
import { type Clock, type ConnectionId, LIMITS, type Meter } from '../../base/index.ts';
import type { LimitConfig, LiveConfig } from '../../config/index.ts';
import { type AddressBounds, AddressLimits, type AddressRefusal, addressGroup } from '../../relay/index.ts';

/** What the gate stands on. */
export interface AddressGateDoors {
  readonly live: LiveConfig;
  readonly clock: Clock;
  readonly meter: Meter;
}

/** Counts connects and connections of each address, of one worker. */
export class AddressGate {
  readonly #clock: Clock;
  readonly #meter: Meter;
  readonly #limits: AddressLimits;
  readonly #inside = new Map<ConnectionId, string>();
  #off = true;
  /** Null until a limit is set for the first time. */
  #refusals: ReturnType<Meter['counter']> | null = null;

  constructor({ live, clock, meter }: AddressGateDoors) {
    this.#clock = clock;
    this.#meter = meter;
    this.#limits = new AddressLimits(boundsOf(live.current.limits));
    this.#adjust(live.current.limits);
    live.onChange(({ limits }) => this.#adjust(limits));
  }

  /**
   * Lets an attempt of `client` in, or says why not. Who has no address, as on a unix socket, has no
   * limit; `client` is what the proxies that are trusted say.
   */
  enter(id: ConnectionId, client: string): AddressRefusal | null {
    if (this.#off) return null;
    const address = addressGroup(client);
    if (address === null) return null;
    const refusal = this.#limits.enter(address, this.#clock.monotonicMs());
    if (refusal === null) this.#inside.set(id, address);
    else this.#refusals?.add(1, { limit: refusal.limit });
    return refusal;
  }

  /** What an attempt of `client` would be told now; nothing is counted. */
  refusalOf(client: string): AddressRefusal | null {
    const address = this.#off ? null : addressGroup(client);
    return address === null ? null : this.#limits.refusalOf(address, this.#clock.monotonicMs());
  }

  /** That attempt or connection is over; harmless when it was never let in or has left. */
  left(id: ConnectionId): void {
    const address = this.#inside.get(id);
    if (address === undefined) return;
    this.#inside.delete(id);
    this.#limits.leave(address);
  }

  #adjust(limits: LimitConfig): void {
    this.#limits.replace(boundsOf(limits));
    this.#off = limits.connectsPerAddress === 0 && limits.connectionsPerAddressMax === 0;
    if (this.#off || this.#refusals !== null) return;
    this.#refusals = this.#meter.counter({
      name: 'arrokoth_address_refusals_total',
      help: 'Attempts to connect that were answered 429, by the limit that they met.',
      labels: ['limit'],
    });
    this.#meter.observed(
      { name: 'arrokoth_limited_addresses', help: 'Addresses whose connects are counted.', type: 'gauge' },
      () => this.#limits.size,
    );
  }
}

function boundsOf(limits: LimitConfig): AddressBounds {
  return {
    connectsPerSecond: limits.connectsPerAddress,
    connectsBurst: limits.connectsPerAddressBurst,
    connectionsMax: limits.connectionsPerAddressMax,
    addressesMax: LIMITS.limitedAddressesMax,
  };
}
