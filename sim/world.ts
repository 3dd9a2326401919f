/**
 * The simulated world's time: a clock that jumps from event to event, and the heap of what is to come.
 *
 * Knows nothing of nodes, networks or disks. Events of one moment happen in the order in which they
 * were asked for, so a run depends on its seed alone. An event is a function and its argument: most
 * are made in the millions, and a closure for each of them would cost more than what it does.
 */
import { assert } from '../src/base/index.ts';

/** What happens; the heap does not know what its argument is, only that both came together. */
type Happening = (argument: unknown) => void;

/** Events that the heap has room for at first. */
const ROOM = 1_024;

/** The same for what happens at once; a power of two. */
const RING = 64;

/** An event of this very moment. */
interface Soon {
  readonly order: number;
  readonly happening: Happening;
  readonly argument: unknown;
}

/** Virtual time and the events in it. */
export class World {
  #nowMs = 0;
  #made = 0;
  #done = 0;
  /** A binary heap in columns: comparing reads numbers that stand side by side. */
  #times = new Float64Array(ROOM);
  #orders = new Float64Array(ROOM);
  #happenings: Happening[] = [];
  #arguments: unknown[] = [];
  #size = 0;
  /** What was asked for at once, in a ring: about half of all events, and they need no heap. */
  #soon: (Soon | undefined)[] = Array.from({ length: RING });
  #soonFirst = 0;
  #soonCount = 0;

  /** Milliseconds since the beginning of the world; what no node can know exactly. */
  get nowMs(): number {
    return this.#nowMs;
  }

  /** Events that have happened. */
  get events(): number {
    return this.#done;
  }

  /** Lets `run` happen `delayMs` from now; at once means after everything else that is due now. */
  after(delayMs: number, run: () => void): void;
  after<Argument>(delayMs: number, run: (argument: Argument) => void, argument: Argument): void;
  after<Argument>(delayMs: number, run: (argument: Argument) => void, argument?: Argument): void {
    assert(delayMs >= 0, 'nothing happens in the past');
    const happening = run as Happening;
    const order = this.#made++;
    if (delayMs === 0) this.#append({ order, happening, argument });
    else this.#push(this.#nowMs + delayMs, order, happening, argument);
  }

  /** Lets the next event happen; false when there is none until `untilMs`. */
  step(untilMs: number): boolean {
    if (this.#soonCount > 0 && !this.#isHeapFirst()) {
      const { happening, argument } = this.#takeSoon();
      this.#done++;
      happening(argument);
      return true;
    }
    if (this.#size === 0 || (this.#times[0] as number) > untilMs) return false;
    this.#nowMs = this.#times[0] as number;
    const happening = this.#happenings[0] as Happening;
    const argument = this.#arguments[0];
    this.#pop();
    this.#done++;
    happening(argument);
    return true;
  }

  /** Lets everything happen until `untilMs`, or until `enough` says so. */
  runUntil(untilMs: number, enough: () => boolean = never): void {
    while (!enough()) {
      if (this.step(untilMs)) continue;
      this.#nowMs = untilMs;
      return;
    }
  }

  /** True when something in the heap is due now and was asked for before what is to happen at once. */
  #isHeapFirst(): boolean {
    if (this.#size === 0 || this.#times[0] !== this.#nowMs) return false;
    return (this.#orders[0] as number) < (this.#soon[this.#soonFirst]?.order as number);
  }

  #append(event: Soon): void {
    const length = this.#soon.length;
    if (this.#soonCount === length) {
      const first = this.#soonFirst;
      const inOrder = [...this.#soon.slice(first), ...this.#soon.slice(0, first)];
      this.#soon = [...inOrder, ...Array.from<undefined>({ length })];
      this.#soonFirst = 0;
    }
    this.#soon[(this.#soonFirst + this.#soonCount++) & (this.#soon.length - 1)] = event;
  }

  #takeSoon(): Soon {
    const next = this.#soon[this.#soonFirst];
    assert(next !== undefined, 'there is something to take');
    this.#soon[this.#soonFirst] = undefined;
    this.#soonFirst = (this.#soonFirst + 1) & (this.#soon.length - 1);
    this.#soonCount--;
    return next;
  }

  #push(atMs: number, order: number, happening: Happening, argument: unknown): void {
    if (this.#size === this.#times.length) this.#grow();
    const times = this.#times;
    const orders = this.#orders;
    let place = this.#size++;
    while (place > 0) {
      const parent = (place - 1) >> 1;
      const above = times[parent] as number;
      // Of two events of one moment this one, as the newest, is the later.
      if (above <= atMs) break;
      times[place] = above;
      orders[place] = orders[parent] as number;
      this.#happenings[place] = this.#happenings[parent] as Happening;
      this.#arguments[place] = this.#arguments[parent];
      place = parent;
    }
    this.#put(place, atMs, order, happening, argument);
  }

  #pop(): void {
    const times = this.#times;
    const orders = this.#orders;
    const last = --this.#size;
    const atMs = times[last] as number;
    const order = orders[last] as number;
    const happening = this.#happenings.pop() as Happening;
    const argument = this.#arguments.pop();
    if (last === 0) return;
    let place = 0;
    for (;;) {
      let child = 2 * place + 1;
      if (child >= last) break;
      if (child + 1 < last && this.#isBefore(child + 1, times[child] as number, orders[child] as number))
        child++;
      if (!this.#isBefore(child, atMs, order)) break;
      times[place] = times[child] as number;
      orders[place] = orders[child] as number;
      this.#happenings[place] = this.#happenings[child] as Happening;
      this.#arguments[place] = this.#arguments[child];
      place = child;
    }
    this.#put(place, atMs, order, happening, argument);
  }

  #isBefore(place: number, atMs: number, order: number): boolean {
    const time = this.#times[place] as number;
    return time === atMs ? (this.#orders[place] as number) < order : time < atMs;
  }

  #put(place: number, atMs: number, order: number, happening: Happening, argument: unknown): void {
    this.#times[place] = atMs;
    this.#orders[place] = order;
    this.#happenings[place] = happening;
    this.#arguments[place] = argument;
  }

  #grow(): void {
    const times = new Float64Array(2 * this.#size);
    const orders = new Float64Array(2 * this.#size);
    times.set(this.#times);
    orders.set(this.#orders);
    this.#times = times;
    this.#orders = orders;
  }
}

function never(): boolean {
  return false;
}
