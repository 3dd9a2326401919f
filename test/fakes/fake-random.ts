/**
 * Randomness that a seed repeats exactly.
 *
 * Without a seed one is drawn and printed, so that a failure can be had again: give the number that
 * was printed to the constructor.
 */
import type { Random } from '../../src/base/index.ts';

/** A `Random` whose draws depend on the seed alone. */
export class FakeRandom implements Random {
  readonly seed: number;
  #state: number;

  constructor(seed?: number) {
    this.seed = seed ?? Math.floor(Math.random() * 2 ** 32);
    this.#state = this.seed >>> 0;
    if (seed === undefined) console.log(`random seed: ${this.seed}`);
  }

  bytes(count: number): Uint8Array {
    return Uint8Array.from({ length: count }, () => this.#draw() & 0xff);
  }

  fraction(): number {
    return this.#draw() / 2 ** 32;
  }

  /** A whole number from 0 up to, but not including, `below`. */
  below(below: number): number {
    return Math.floor(this.fraction() * below);
  }

  /** Counts up by the golden ratio and scrambles: every state is visited once in 2^32 draws. */
  #draw(): number {
    this.#state = (this.#state + 0x9e3779b9) >>> 0;
    let bits = this.#state;
    bits = Math.imul(bits ^ (bits >>> 16), 0x21f0aaad);
    bits = Math.imul(bits ^ (bits >>> 15), 0x735a2d97);
    return (bits ^ (bits >>> 15)) >>> 0;
  }
}
