/**
 * The figures of the whole node, whichever worker is asked for them.
 *
 * Asks the sisters and adds what runs that ended had counted. A run that ends meanwhile must be
 * counted exactly once, or totals would seem to go back: so a sum is begun anew whenever the
 * supervisor's list of workers changes, and a sister that keeps silent counts as it did last.
 */
import { seatOf, type WorkerSlot } from '../../base/index.ts';
import { type Bus, type Json, NO_BYTES } from '../../bus/index.ts';
import { addStats, NO_STATS, type StatsCounters, type WorkerPlace } from '../../process/index.ts';

/** How long a sister may take; a node whose worker is being replaced still answers. */
const SISTER_MS = 500;
/** A node whose workers come and go faster than they can be asked is told as far as it is known. */
const ATTEMPTS_MAX = 5;

type Done = (stats: StatsCounters) => void;

/** One question for the node's figures. */
interface Sum {
  readonly done: Done;
  attempts: number;
  total: StatsCounters;
  outstanding: number;
}

/** Sums the counters of all workers. */
export class NodeStats {
  readonly #bus: Bus;
  readonly #own: () => StatsCounters;
  readonly #sums = new Set<Sum>();
  /** What each sister said last. */
  readonly #known = new Map<WorkerSlot, { readonly run: number; readonly counters: StatsCounters }>();
  #beforeTelling: () => void = () => {};
  #sisters: readonly WorkerPlace[] = [];
  #ended: StatsCounters = NO_STATS;

  constructor(doors: { readonly bus: Bus; readonly own: () => StatsCounters }) {
    this.#bus = doors.bus;
    this.#own = doors.own;
    doors.bus.handle('stats', (_from, _message, reply) => reply(this.#tell() as unknown as Json));
  }

  /**
   * `listener` is called before figures of this worker are told to anybody. What the supervisor
   * knows is all that is left of them when this worker dies, so it has to know them first.
   */
  beforeTelling(listener: () => void): void {
    this.#beforeTelling = listener;
  }

  peers(sisters: readonly WorkerPlace[], ended: StatsCounters): void {
    this.#sisters = sisters;
    this.#ended = ended;
    for (const sum of this.#sums) if (sum.attempts < ATTEMPTS_MAX) this.#begin(sum);
  }

  sum(done: Done): void {
    const sum = { done, attempts: 0, total: NO_STATS, outstanding: 0 };
    this.#sums.add(sum);
    this.#begin(sum);
  }

  #begin(sum: Sum): void {
    sum.attempts++;
    sum.total = addStats(this.#tell(), this.#ended);
    sum.outstanding = this.#sisters.length;
    if (sum.outstanding === 0) return this.#finish(sum);
    for (const sister of this.#sisters) this.#ask(sum, sister, 'for the first time');
  }

  #ask(sum: Sum, sister: WorkerPlace, time: 'for the first time' | 'again'): void {
    const { slot, run } = sister;
    const attempt = sum.attempts;
    const seat = seatOf(this.#bus.self.node, slot);
    this.#bus.ask(seat, { kind: 'stats', facts: null, bytes: NO_BYTES }, SISTER_MS, (answer) => {
      if (attempt !== sum.attempts || !this.#sums.has(sum)) return;
      if (answer.ok) {
        const counters = answer.value.facts as unknown as StatsCounters;
        this.#known.set(slot, { run, counters });
        return this.#add(sum, counters);
      }
      // Probably dead, and the supervisor is about to say so: then all is counted anew.
      if (answer.error === 'unreachable' && time === 'for the first time') {
        return this.#ask(sum, sister, 'again');
      }
      const known = this.#known.get(slot);
      this.#add(sum, known?.run === run ? known.counters : NO_STATS);
    });
  }

  #tell(): StatsCounters {
    this.#beforeTelling();
    return this.#own();
  }

  #add(sum: Sum, counters: StatsCounters): void {
    sum.total = addStats(sum.total, counters);
    sum.outstanding--;
    if (sum.outstanding === 0) this.#finish(sum);
  }

  #finish(sum: Sum): void {
    this.#sums.delete(sum);
    sum.done(sum.total);
  }
}
