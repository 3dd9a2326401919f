/**
 * When a worker has too much to do: looks at its figures in, a state out.
 *
 * A figure counts only when several looks in a row agree, and a state is left only after a longer
 * calm below its mark, one step at a time, so that a worker on the edge does not flap. Reading the
 * figures, refusing and shedding are done elsewhere. Also chooses whom to shed.
 */
import { LIMITS } from '../base/index.ts';

/** `shedding` admits nobody either, and ends the connections that most bytes wait for. */
export type OverloadState = 'normal' | 'stop_admitting' | 'shedding';

/** What a worker may be short of. */
export type OverloadCause = 'lag' | 'heap' | 'descriptors';

/** The figures of one process at one moment. */
export interface Vitals {
  /** How late the event loop was, in the middle of its turns since the look before. */
  readonly lagMs: number;
  /** What JavaScript and its buffers take, and how much the heap may take. */
  readonly heapBytes: number;
  readonly heapBytesMax: number;
  /** Open files and sockets, and how many may be open before the reserve; null: not known. */
  readonly descriptors: number | null;
  readonly descriptorsMax: number | null;
}

/** One look: milliseconds of lag, percents of the rest. Null: not watched. */
export type OverloadSample = Readonly<Record<OverloadCause, number | null>>;

/** From where on nobody is admitted and from where on connections are shed; 0: never. */
export interface OverloadMark {
  readonly stop: number;
  readonly shed: number;
}

/** The marks of every figure, in its unit. */
export type OverloadMarks = Readonly<Record<OverloadCause, OverloadMark>>;

/** What one look came to. */
export interface OverloadVerdict {
  readonly state: OverloadState;
  readonly changed: boolean;
  /** The figure that is highest above its mark; null when none is above. */
  readonly cause: OverloadCause | null;
  /** Whether connections are to be shed now; false in `shedding` while the figures are below the mark. */
  readonly shed: boolean;
}

const STATES: readonly OverloadState[] = ['normal', 'stop_admitting', 'shedding'];
const CAUSES: readonly OverloadCause[] = ['lag', 'heap', 'descriptors'];
/** A figure this far below its mark is calm. */
const CALM = 0.95;

/** Milliseconds and percents of `vitals`. */
export function overloadSample(vitals: Vitals): OverloadSample {
  const { lagMs, heapBytes, heapBytesMax, descriptors, descriptorsMax } = vitals;
  const known = descriptors !== null && descriptorsMax !== null;
  return {
    lag: lagMs,
    heap: (heapBytes / heapBytesMax) * 100,
    descriptors: known ? (descriptors / descriptorsMax) * 100 : null,
  };
}

/** The state of one worker, look by look. */
export class OverloadRule {
  #marks: OverloadMarks;
  /** Index of the state. */
  #level = 0;
  /** The lowest level of the looks in a row that were above ours, and their number. */
  #risingTo = 0;
  #risingLooks = 0;
  #calmLooks = 0;

  constructor(marks: OverloadMarks) {
    this.#marks = marks;
  }

  get state(): OverloadState {
    return STATES[this.#level] as OverloadState;
  }

  /** Other marks from the next look on; the state stays until looks change it. */
  replace(marks: OverloadMarks): void {
    this.#marks = marks;
  }

  /** Takes the figures of one look. */
  look(sample: OverloadSample): OverloadVerdict {
    const before = this.#level;
    const { level, cause } = this.#levelOf(sample, 1);
    this.#rise(level);
    this.#calm(this.#levelOf(sample, CALM).level);
    return {
      state: this.state,
      changed: this.#level !== before,
      cause,
      shed: this.#level === 2 && level === 2,
    };
  }

  #rise(level: number): void {
    if (level <= this.#level) {
      this.#risingLooks = 0;
      return;
    }
    this.#risingTo = this.#risingLooks === 0 ? level : Math.min(level, this.#risingTo);
    this.#risingLooks++;
    if (this.#risingLooks < LIMITS.overloadLooksToRise) return;
    this.#level = this.#risingTo;
    this.#risingLooks = 0;
  }

  #calm(level: number): void {
    if (level >= this.#level) {
      this.#calmLooks = 0;
      return;
    }
    this.#calmLooks++;
    if (this.#calmLooks < LIMITS.overloadLooksToCalm) return;
    this.#level--;
    this.#calmLooks = 0;
  }

  /** The highest level whose mark, times `factor`, a figure has reached. */
  #levelOf(sample: OverloadSample, factor: number): { level: number; cause: OverloadCause | null } {
    let level = 0;
    let cause: OverloadCause | null = null;
    for (const name of CAUSES) {
      const { stop, shed } = this.#marks[name];
      const value = sample[name];
      if (value === null) continue;
      const reached = shed > 0 && value >= shed * factor ? 2 : stop > 0 && value >= stop * factor ? 1 : 0;
      if (reached <= level) continue;
      level = reached;
      cause = name;
    }
    return { level, cause };
  }
}

/** How many bytes are too many for the heap to be calm; without a bound when it is not the heap. */
export function bytesToShed(verdict: OverloadVerdict, vitals: Vitals, { heap }: OverloadMarks): number {
  if (verdict.cause !== 'heap') return Number.POSITIVE_INFINITY;
  return vitals.heapBytes - (vitals.heapBytesMax * heap.shed * CALM) / 100;
}

/** What bounds one choice of `longestQueues`. */
export interface QueueChoice {
  readonly max: number;
  /** Shorter ones are nobody's fault. */
  readonly bytesMin: number;
  /** No more are chosen once their sum has reached this. */
  readonly bytesEnough: number;
}

/** Those of `queues` that most bytes wait for, the longest first. */
export function longestQueues<Queue extends { readonly queuedBytes: number }>(
  queues: Iterable<Queue>,
  { max, bytesMin, bytesEnough }: QueueChoice,
): Queue[] {
  const waiting: { queue: Queue; bytes: number }[] = [];
  for (const queue of queues) {
    const bytes = queue.queuedBytes;
    if (bytes >= bytesMin) waiting.push({ queue, bytes });
  }
  waiting.sort((left, right) => right.bytes - left.bytes);
  const chosen: Queue[] = [];
  let sum = 0;
  for (const { queue, bytes } of waiting) {
    if (chosen.length === max || sum >= bytesEnough) break;
    chosen.push(queue);
    sum += bytes;
  }
  return chosen;
}
