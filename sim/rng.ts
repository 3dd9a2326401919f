/**
 * Randomness of a simulation: one seed, forked into streams with names.
 *
 * Each part of the simulated world draws from a stream of its own, so that one draw more in the
 * disk leaves the network of the same seed as it was. Not for anything outside of `sim/`.
 */
import type { Random } from '../src/base/index.ts';

/** Repeatable draws (the small fast counting generator of 128 bits). */
export class Rng implements Random {
  /** Where the stream comes from: the seed and the names of the forks. */
  readonly path: string;
  #a: number;
  #b: number;
  #c: number;
  #d: number;

  constructor(path: string) {
    this.path = path;
    [this.#a, this.#b, this.#c, this.#d] = mixed(path);
    for (let round = 0; round < 12; round++) this.#draw();
  }

  /** Another stream; depends on the seed and the names alone, not on what was drawn before. */
  fork(name: string): Rng {
    return new Rng(`${this.path}/${name}`);
  }

  fraction(): number {
    return this.#draw() / 2 ** 32;
  }

  bytes(count: number): Uint8Array {
    const bytes = new Uint8Array(count);
    for (let index = 0; index < count; index++) bytes[index] = this.#draw() & 0xff;
    return bytes;
  }

  /** A whole number from 0 up to, but not including, `bound`. */
  below(bound: number): number {
    return Math.floor(this.fraction() * bound);
  }

  /** A whole number from `least` to `most`, both included. */
  between(least: number, most: number): number {
    return least + this.below(most - least + 1);
  }

  chance(probability: number): boolean {
    return this.fraction() < probability;
  }

  /** Waiting time of something that happens at random, `mean` apart; never more than twenty times that. */
  exponential(mean: number): number {
    return Math.min(20 * mean, -Math.log(1 - this.fraction()) * mean);
  }

  /** One of a list that is not empty. */
  pick<Item>(items: readonly Item[]): Item {
    return items[this.below(items.length)] as Item;
  }

  /** The items in another order. */
  shuffled<Item>(items: readonly Item[]): Item[] {
    const order = [...items];
    for (let last = order.length - 1; last > 0; last--) {
      const other = this.below(last + 1);
      const moved = order[last] as Item;
      order[last] = order[other] as Item;
      order[other] = moved;
    }
    return order;
  }

  #draw(): number {
    const sum = (this.#a + this.#b + this.#d) | 0;
    this.#d = (this.#d + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + sum;
    return sum >>> 0;
  }
}

/** Four words that differ in half of their bits when one character of the path does. */
function mixed(path: string): [number, number, number, number] {
  const words: [number, number, number, number] = [0x9e3779b9, 0x243f6a88, 0xb7e15162, 1];
  for (let index = 0; index < path.length; index++) {
    const code = path.charCodeAt(index);
    for (let word = 0; word < 3; word++) {
      const bits = Math.imul((words[word] as number) ^ code, 0x85ebca6b + word * 2);
      words[word] = bits ^ (bits >>> 13);
    }
  }
  return words;
}
