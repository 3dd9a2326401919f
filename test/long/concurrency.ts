/**
 * How many requests an application serves at once, and the most that it ever did, by kind.
 *
 * A request counts from its arrival until its answer is written or its socket is gone.
 */
import type { ServerResponse } from 'node:http';

export class Concurrency {
  readonly #now = new Map<string, number>();
  readonly #highest = new Map<string, number>();
  #all = 0;
  #highestOfAll = 0;

  /** The most of one kind at once. */
  highest(kind: string): number {
    return this.#highest.get(kind) ?? 0;
  }

  /** The most of all kinds together at once. */
  get highestOfAll(): number {
    return this.#highestOfAll;
  }

  /** A request arrived; its end is heard from `response`, or by calling what is returned. */
  enter(kind: string, response: ServerResponse): () => void {
    this.#add(kind, 1);
    let inside = true;
    const leave = (): void => {
      if (inside) this.#add(kind, -1);
      inside = false;
    };
    // Whoever asks reads the answer and asks again before `close` is told here.
    response.once('prefinish', leave);
    return leave;
  }

  #add(kind: string, amount: 1 | -1): void {
    const now = (this.#now.get(kind) ?? 0) + amount;
    this.#all += amount;
    this.#now.set(kind, now);
    this.#highest.set(kind, Math.max(this.highest(kind), now));
    this.#highestOfAll = Math.max(this.#highestOfAll, this.#all);
  }
}
