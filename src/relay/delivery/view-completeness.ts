/**
 * Whether a home of a cluster can say "not found" and mean it, for the view that it has.
 *
 * It can when every worker of that view has repeated to it what it holds by that same view: a worker
 * that has another view may have registered its keys elsewhere. A link that broke takes back what
 * was said over it, since registrations may have been lost with it.
 */
import type { Seat } from '../../base/index.ts';

/** What one home knows of the others' repetitions. */
export class ViewCompleteness {
  #number: number | null = null;
  #seats: readonly Seat[] = [];
  /** Number of the view that each worker last repeated everything by. */
  readonly #rebuilt = new Map<Seat, number>();
  #complete = false;

  /** Of the view, once everybody in it has repeated. */
  get complete(): boolean {
    return this.#complete;
  }

  /** Takes another view: the workers that have to repeat, this one included. */
  view(number: number, seats: readonly Seat[]): void {
    this.#number = number;
    this.#seats = seats;
    const present = new Set(seats);
    for (const seat of this.#rebuilt.keys()) if (!present.has(seat)) this.#rebuilt.delete(seat);
    this.#look();
  }

  /** That worker has repeated all it holds by view `number`, which may be ahead of ours. */
  rebuilt(seat: Seat, number: number): void {
    this.#rebuilt.set(seat, number);
    this.#look();
  }

  /** The link to that worker broke, or another process has its seat: it has to repeat. */
  lost(seat: Seat): void {
    this.#rebuilt.delete(seat);
    this.#look();
  }

  #look(): void {
    this.#complete = this.#seats.length > 0;
    for (const seat of this.#seats) {
      if (this.#rebuilt.get(seat) !== this.#number) this.#complete = false;
    }
  }
}
