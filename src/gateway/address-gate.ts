/**
 * Lets in what `limits.*_per_address` allows, and keeps account of who is inside.
 *
 * The rule is in `relay/address-limits.ts`; this file knows whose connection is whose. Made only
 * when a limit is set: without one, admission costs nothing more.
 */
import { type Clock, type ConnectionId, LIMITS, type Meter } from '../base/index.ts';
import type { Config } from '../config/index.ts';
import { AddressLimits, type AddressRefusal, addressGroup } from '../relay/index.ts';

/** What the gate stands on. */
export interface AddressGateDoors {
  readonly config: Config;
  readonly clock: Clock;
  readonly meter: Meter;
}

/** Counts connects and connections of each address, of one worker. */
export class AddressGate {
  readonly #clock: Clock;
  readonly #limits: AddressLimits;
  readonly #inside = new Map<ConnectionId, string>();
  readonly #refusals: ReturnType<Meter['counter']>;

  constructor({ config, clock, meter }: AddressGateDoors) {
    this.#clock = clock;
    this.#limits = new AddressLimits({
      connectsPerSecond: config.limits.connectsPerAddress,
      connectsBurst: config.limits.connectsPerAddressBurst,
      connectionsMax: config.limits.connectionsPerAddressMax,
      addressesMax: LIMITS.limitedAddressesMax,
    });
    this.#refusals = meter.counter({
      name: 'arrokoth_address_refusals_total',
      help: 'Attempts to connect that were answered 429, by the limit that they met.',
      labels: ['limit'],
    });
    meter.observed(
      { name: 'arrokoth_limited_addresses', help: 'Addresses whose connects are counted.', type: 'gauge' },
      () => this.#limits.size,
    );
  }

  /** The gate that `config` asks for, or null when it sets no limit. */
  static of(doors: AddressGateDoors): AddressGate | null {
    const { connectsPerAddress, connectionsPerAddressMax } = doors.config.limits;
    return connectsPerAddress > 0 || connectionsPerAddressMax > 0 ? new AddressGate(doors) : null;
  }

  /**
   * Lets an attempt of `client` in, or says why not. Who has no address, as on a unix socket, has no
   * limit; `client` is what the proxies that are trusted say.
   */
  enter(id: ConnectionId, client: string): AddressRefusal | null {
    const address = addressGroup(client);
    if (address === null) return null;
    const refusal = this.#limits.enter(address, this.#clock.monotonicMs());
    if (refusal === null) this.#inside.set(id, address);
    else this.#refusals.add(1, { limit: refusal.limit });
    return refusal;
  }

  /** What an attempt of `client` would be told now; nothing is counted. */
  refusalOf(client: string): AddressRefusal | null {
    const address = addressGroup(client);
    return address === null ? null : this.#limits.refusalOf(address, this.#clock.monotonicMs());
  }

  /** That attempt or connection is over; harmless when it was never let in or has left. */
  left(id: ConnectionId): void {
    const address = this.#inside.get(id);
    if (address === undefined) return;
    this.#inside.delete(id);
    this.#limits.leave(address);
  }
}
