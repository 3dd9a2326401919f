/**
 * A number that grows while a test waits for it, however often it changes.
 *
 * `AwaitedList` looks at all its items with each new one, which is too slow for tens of thousands.
 */

interface Waiter {
  readonly wanted: number;
  readonly resolve: () => void;
}

export class AwaitedNumber {
  readonly #what: string;
  #value = 0;
  #waiters: Waiter[] = [];

  constructor(what: string) {
    this.#what = what;
  }

  get value(): number {
    return this.#value;
  }

  add(amount: number): void {
    this.set(this.#value + amount);
  }

  /** Never goes back: a smaller value than before is ignored. */
  set(value: number): void {
    if (value <= this.#value) return;
    this.#value = value;
    if (this.#waiters.length === 0 || !this.#waiters.some(({ wanted }) => wanted <= value)) return;
    const ready = this.#waiters.filter(({ wanted }) => wanted <= value);
    this.#waiters = this.#waiters.filter(({ wanted }) => wanted > value);
    for (const { resolve } of ready) resolve();
  }

  /** Resolves when the number has grown to `wanted`. */
  reaches(wanted: number, timeoutMs = 60_000): Promise<void> {
    if (this.#value >= wanted) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiters = this.#waiters.filter((other) => other !== waiter);
        reject(new Error(`${this.#value} of ${wanted} ${this.#what} after ${timeoutMs} ms`));
      }, timeoutMs);
      const waiter: Waiter = {
        wanted,
        resolve: () => {
          clearTimeout(timer);
          resolve();
        },
      };
      this.#waiters.push(waiter);
    });
  }
}
