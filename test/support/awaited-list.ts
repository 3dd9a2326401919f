/**
 * A list that grows while a test watches it: log lines, callbacks, frames.
 *
 * The way tests wait without sleeping. It never forgets an item, so that a test which asks late
 * still sees what came early; it does nothing about order between two lists.
 */

interface Waiter<Item> {
  readonly satisfied: () => Item[] | null;
  readonly resolve: (items: Item[]) => void;
  readonly reject: (reason: Error) => void;
}

/** Collects items and resolves the promises of whoever waits for them. */
export class AwaitedList<Item> {
  readonly items: Item[] = [];
  readonly #what: string;
  #waiters: Waiter<Item>[] = [];
  #ended: Error | null = null;

  /** `what` names an item in the messages of failures. */
  constructor(what: string) {
    this.#what = what;
  }

  /** Adds an item and wakes whoever waited for it. */
  push(item: Item): void {
    this.items.push(item);
    this.#settle();
  }

  /** No item comes any more: whoever still waits, or will, fails with `reason`. */
  end(reason: Error): void {
    this.#ended ??= reason;
    for (const waiter of this.#waiters) waiter.reject(this.#ended);
    this.#waiters = [];
  }

  /** The first item that fits, now or later. */
  async first(fits: (item: Item) => boolean, timeoutMs = 15_000): Promise<Item> {
    const found = await this.atLeast(1, fits, timeoutMs);
    return found[0] as Item;
  }

  /** All items that fit, as soon as there are `count` of them. */
  atLeast(count: number, fits: (item: Item) => boolean = () => true, timeoutMs = 15_000): Promise<Item[]> {
    const satisfied = () => {
      const found = this.items.filter(fits);
      return found.length >= count ? found : null;
    };
    const already = satisfied();
    if (already !== null) return Promise.resolve(already);
    if (this.#ended !== null) return Promise.reject(this.#ended);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiters = this.#waiters.filter((other) => other !== waiter);
        const seen = this.items.filter(fits).length;
        reject(
          new Error(
            `${seen} of ${count} ${this.#what} after ${timeoutMs} ms (${this.items.length} of any kind); ` +
              `the last: ${JSON.stringify(this.items.at(-1))?.slice(0, 500)}`,
          ),
        );
      }, timeoutMs);
      const waiter: Waiter<Item> = {
        satisfied,
        resolve: (items) => {
          clearTimeout(timer);
          resolve(items);
        },
        reject: (reason) => {
          clearTimeout(timer);
          reject(reason);
        },
      };
      this.#waiters.push(waiter);
    });
  }

  #settle(): void {
    if (this.#waiters.length === 0) return;
    this.#waiters = this.#waiters.filter((waiter) => {
      const found = waiter.satisfied();
      if (found === null) return true;
      waiter.resolve(found);
      return false;
    });
  }
}
