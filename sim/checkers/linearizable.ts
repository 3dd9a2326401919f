/**
 * The promise: reads and writes of each register happened one after the other, each between its
 * question and its answer.
 *
 * The search of Wing and Gong with Lowe's memory of where it has been: take any operation that
 * could be next, and go back when that leads nowhere. It counts its steps, so that it is as
 * deterministic as what it judges; a history that it gives up on is counted, never called good.
 */
import type { Operation } from '../history.ts';
import { Violation } from '../violation.ts';

/** Steps for one register; histories of a run need a thousandth of it. */
const STEPS_MAX = 3_000_000;

/** `undecided`: the steps were used up. */
export type Verdict = 'linearizable' | 'broken' | 'undecided';

/** An operation whose call or return is next in the history; a doubly linked list. */
interface Moment {
  readonly operation: Operation;
  readonly number: number;
  /** The other end; null at a return. */
  readonly match: Moment | null;
  before: Moment | null;
  next: Moment | null;
}

/** Throws when the operations of a register cannot be put in an order; true when that was decided. */
export function checkLinearizable(key: string, operations: readonly Operation[]): boolean {
  const verdict = judgeRegister(operations);
  if (verdict !== 'broken') return verdict === 'linearizable';
  throw new Violation('linearizable', `no order explains register ${key}: ${describe(operations)}`);
}

/** Judges the operations of one register, which begins as null. */
export function judgeRegister(all: readonly Operation[], stepsMax: number = STEPS_MAX): Verdict {
  const operations = relevant(all);
  const head = listOf(operations);
  const taken = new Taken(operations.length);
  const seen = new Set<string>();
  const path: { moment: Moment; value: string | null }[] = [];
  let value: string | null = null;
  let moment = head.next;
  for (let steps = 0; head.next !== null; steps++) {
    if (steps >= stepsMax) return 'undecided';
    if (moment !== null && moment.match !== null) {
      const after = outcome(moment.operation, value);
      if (after !== undefined && isNew(seen, taken, moment.number, after)) {
        path.push({ moment, value });
        value = after;
        lift(moment);
        moment = head.next;
      } else moment = moment.next;
      continue;
    }
    // A return whose call was not taken: some earlier choice was wrong.
    const last = path.pop();
    if (last === undefined) return 'broken';
    value = last.value;
    taken.flip(last.moment.number);
    restore(last.moment);
    moment = last.moment.next;
  }
  return 'linearizable';
}

/** Without reads that nobody saw the answer of, and open writes that nobody ever read. */
function relevant(all: readonly Operation[]): Operation[] {
  const read = new Set(
    all.filter(({ type, endedAt }) => type === 'get' && endedAt !== null).map((o) => o.value),
  );
  return all.filter(
    (operation) => operation.endedAt !== null || (operation.type === 'put' && read.has(operation.value)),
  );
}

/** The register after the operation; undefined when it cannot come now. */
function outcome(operation: Operation, value: string | null): string | null | undefined {
  if (operation.type === 'put') return operation.value;
  return operation.value === value ? value : undefined;
}

function listOf(operations: readonly Operation[]): Moment {
  const ends: { at: number; moment: Moment }[] = [];
  operations.forEach((operation, number) => {
    const back: Moment = { operation, number, match: null, before: null, next: null };
    const call: Moment = { operation, number, match: back, before: null, next: null };
    ends.push({ at: operation.startedAt, moment: call });
    ends.push({ at: operation.endedAt ?? Number.POSITIVE_INFINITY, moment: back });
  });
  ends.sort((left, right) => (left.at === right.at ? 0 : left.at - right.at));
  const nobody: Operation = { key: '', type: 'get', value: null, startedAt: 0, endedAt: null };
  const head: Moment = { operation: nobody, number: -1, match: null, before: null, next: null };
  let last = head;
  for (const { moment } of ends) {
    last.next = moment;
    moment.before = last;
    last = moment;
  }
  return head;
}

/** Takes a call and its return out of the list. */
function lift(call: Moment): void {
  for (const moment of [call, call.match as Moment]) {
    if (moment.before !== null) moment.before.next = moment.next;
    if (moment.next !== null) moment.next.before = moment.before;
  }
}

/** Puts them back where they were; in the reverse order of taking them out. */
function restore(call: Moment): void {
  for (const moment of [call.match as Moment, call]) {
    if (moment.before !== null) moment.before.next = moment;
    if (moment.next !== null) moment.next.before = moment;
  }
}

/** Takes an operation as well, unless the search was at the place that this leads to before. */
function isNew(seen: Set<string>, taken: Taken, number: number, value: string | null): boolean {
  taken.flip(number);
  const place = `${taken.key}=${value}`;
  if (seen.has(place)) {
    taken.flip(number);
    return false;
  }
  seen.add(place);
  return true;
}

const ALL = 2 ** 32 - 1;

/** Which operations were taken: one bit each, in the order of their calls. */
class Taken {
  readonly #words: Uint32Array;
  /** All words before are full, all from `#end` on are empty. */
  #first = 0;
  #end = 0;

  constructor(count: number) {
    this.#words = new Uint32Array((count >> 5) + 1);
  }

  flip(number: number): void {
    const words = this.#words;
    const place = number >> 5;
    words[place] = (words[place] as number) ^ (1 << (number & 31));
    this.#first = Math.min(this.#first, place);
    while (words[this.#first] === ALL) this.#first++;
    this.#end = Math.max(this.#end, place + 1);
    while (this.#end > 0 && words[this.#end - 1] === 0) this.#end--;
  }

  /** The same for the same operations, and for no others; short, because calls are taken about in order. */
  get key(): string {
    let key = `${this.#first}`;
    for (let place = this.#first; place < this.#end; place++) key += `.${this.#words[place]}`;
    return key;
  }
}

function describe(operations: readonly Operation[]): string {
  return relevant(operations)
    .map(({ type, value, startedAt, endedAt }) => `${type} ${value} [${startedAt}, ${endedAt ?? '?'}]`)
    .join('; ');
}
