/**
 * A first-in, first-out queue with a bound, in constant time at both ends.
 *
 * `push` answers whether there was room; what happens at the bound is the owner's decision and
 * stands where the owner is.
 */
import { assert } from './assert.ts';

const COMPACT_AFTER = 1_024;

/** Holds at most `capacity` values; none, when that is 0. */
export class BoundedQueue<Value> {
  #capacity: number;
  #values: (Value | undefined)[] = [];
  #head = 0;

  constructor(capacity: number) {
    assert(capacity >= 0, 'a queue cannot owe values');
    this.#capacity = capacity;
  }

  get capacity(): number {
    return this.#capacity;
  }

  /** Sets another bound. Values beyond it stay; only new ones are refused. */
  resize(capacity: number): void {
    assert(capacity >= 0, 'a queue cannot owe values');
    this.#capacity = capacity;
  }

  get size(): number {
    return this.#values.length - this.#head;
  }

  /** Appends `value`; false, and nothing changes, when the queue is full. */
  push(value: Value): boolean {
    if (this.size >= this.#capacity) return false;
    this.#values.push(value);
    return true;
  }

  /** Takes the oldest value, or undefined when there is none. */
  shift(): Value | undefined {
    if (this.#head === this.#values.length) return undefined;
    const value = this.#values[this.#head];
    this.#values[this.#head] = undefined;
    this.#head++;
    // Cutting the used front now and then keeps memory in proportion without copying each time.
    if (this.#head >= COMPACT_AFTER && this.#head * 2 >= this.#values.length) {
      this.#values = this.#values.slice(this.#head);
      this.#head = 0;
    }
    return value;
  }

  /** The oldest value, left in place. */
  peek(): Value | undefined {
    return this.#values[this.#head];
  }

  /** Empties the queue and returns what it held, oldest first. */
  drain(): Value[] {
    const values = this.#values.slice(this.#head) as Value[];
    this.#values = [];
    this.#head = 0;
    return values;
  }
}
