/**
 * How one connection is registered at the homes of its key: who is asked next, and when it is done.
 *
 * One home orders: it gives the generation, by which the newest connection of a key is told from the
 * others. The next one takes a copy. A home that is silent is stood in for by the next in order, and
 * what it says later still counts. Done is what a home on another node has acknowledged, or, where
 * there is no other node, the only one. A plain object: what happened goes in, what to do comes out.
 */
import type { Seat } from '../../base/index.ts';
import { HOMES_PER_KEY, type Home } from './homes.ts';

/** What is to be done next. */
export type RegistrationStep =
  /** Ask that home to give a generation above `floor`. */
  | { readonly type: 'order'; readonly home: Seat; readonly floor: number }
  /** Give that home a copy. */
  | { readonly type: 'copy'; readonly home: Seat; readonly generation: number }
  /** This is the generation from now on. */
  | { readonly type: 'generation'; readonly generation: number }
  /** The connection may begin; said once. */
  | { readonly type: 'registered' }
  /** It may not; said once, instead. */
  | { readonly type: 'failed' };

/** A home that never restarted says so at most once; more than this is no bad luck. */
const ORDERS_MAX = 4;

/** The registration of one connection. */
export class KeyRegistration {
  readonly #order: readonly Home[];
  readonly #ownNode: string;
  readonly #acknowledged = new Set<Seat>();
  readonly #silent = new Set<Seat>();
  /** How many of the order have been asked. */
  #asked = 0;
  #orders = 0;
  #orderer: Seat | null = null;
  #generation = 0;
  #outcome: 'open' | 'registered' | 'failed' = 'open';

  /** `order`: all candidates for the key, best first. */
  constructor(order: readonly Home[], ownNode: string) {
    this.#order = order;
    this.#ownNode = ownNode;
  }

  /** Homes that have the record, as far as they have said so. */
  get homes(): ReadonlySet<Seat> {
    return this.#acknowledged;
  }

  /** Whether it was said to be registered. */
  get done(): boolean {
    return this.#outcome === 'registered';
  }

  begin(): RegistrationStep[] {
    return this.#askToOrder(0);
  }

  /** A home gave a generation. */
  ordered(home: Seat, generation: number): RegistrationStep[] {
    if (this.#outcome === 'failed') return [];
    // It was taken for silent and somebody else has ordered: this order came after others of the key
    // that are newer than we are, for all that anybody knows, so it does not count.
    if (home !== this.#orderer && this.#generation > 0) return [this.#copyTo(home)];
    const steps: RegistrationStep[] = [{ type: 'generation', generation }];
    this.#generation = generation;
    const outdated = [...this.#acknowledged].filter((seat) => seat !== home);
    this.#acknowledge(home);
    for (const seat of outdated) steps.push(this.#copyTo(seat));
    this.#orderer = null;
    return steps.concat(this.#copyFurther(), this.#finish());
  }

  /** A home took the copy, or knows a connection of that key with a generation that is higher. */
  copied(home: Seat, generation: number, higher: number | null): RegistrationStep[] {
    if (this.#outcome === 'failed') return [];
    if (higher !== null) return this.#orderAbove(higher);
    // A copy that was overtaken by a later generation proves nothing.
    if (generation !== this.#generation) return [];
    this.#acknowledge(home);
    return this.#finish();
  }

  /** A home did not answer in time, or cannot be asked. */
  silent(home: Seat): RegistrationStep[] {
    if (this.#acknowledged.has(home) || this.#silent.has(home)) return [];
    this.#silent.add(home);
    if (this.#outcome === 'failed') return [];
    return home === this.#orderer ? this.#askToOrder(0) : this.#copyFurther();
  }

  /** Nobody waits any longer. */
  overdue(): RegistrationStep[] {
    if (this.#outcome !== 'open') return [];
    this.#outcome = 'failed';
    return [{ type: 'failed' }];
  }

  #askToOrder(floor: number): RegistrationStep[] {
    const home = this.#order[this.#asked];
    // All have been asked: what they say later may still do.
    if (home === undefined) return [];
    this.#asked++;
    this.#orders++;
    this.#orderer = home.seat;
    return [{ type: 'order', home: home.seat, floor }];
  }

  /** The home that ordered did not know all: a home that was replaced is missing what others remember. */
  #orderAbove(floor: number): RegistrationStep[] {
    const orderer = this.#order.find(({ seat }) => this.#acknowledged.has(seat));
    if (floor < this.#generation || this.#orderer !== null || orderer === undefined) return [];
    if (this.#orders >= ORDERS_MAX) return this.overdue();
    this.#orders++;
    this.#orderer = orderer.seat;
    return [{ type: 'order', home: orderer.seat, floor }];
  }

  /** So many copies are under way or taken that there will be two, silent homes left out. */
  #copyFurther(): RegistrationStep[] {
    const steps: RegistrationStep[] = [];
    if (this.#orderer !== null || this.#generation === 0) return steps;
    const asked = this.#order.slice(0, this.#asked);
    let hopeful = asked.filter(({ seat }) => !this.#silent.has(seat)).length;
    while (hopeful < HOMES_PER_KEY && this.#asked < this.#order.length) {
      steps.push(this.#copyTo((this.#order[this.#asked] as Home).seat));
      this.#asked++;
      hopeful++;
    }
    return steps;
  }

  #copyTo(home: Seat): RegistrationStep {
    this.#acknowledged.delete(home);
    return { type: 'copy', home, generation: this.#generation };
  }

  #acknowledge(home: Seat): void {
    this.#acknowledged.add(home);
    this.#silent.delete(home);
  }

  #finish(): RegistrationStep[] {
    if (this.#outcome !== 'open') return [];
    const others = this.#order.filter(({ node }) => node !== this.#ownNode);
    const proof = others.length === 0 ? this.#order : others;
    if (!proof.some(({ seat }) => this.#acknowledged.has(seat))) return [];
    this.#outcome = 'registered';
    return [{ type: 'registered' }];
  }
}
