/**
 * The figures of the whole node, whichever worker is asked for them.
 *
 * Asks the sisters, adds what runs that ended had counted, and answers with what is known in time.
 */
import { type Bus, type Json, NO_BYTES } from '../bus/index.ts';
import { addStats, NO_STATS, type StatsCounters, type WorkerPlace } from '../process/index.ts';

/** How long a sister may take; a node whose worker is being replaced still answers. */
const SISTER_MS = 500;

/** Sums the counters of all workers. */
export class NodeStats {
  readonly #bus: Bus;
  readonly #own: () => StatsCounters;
  #sisters: readonly WorkerPlace[] = [];
  #ended: StatsCounters = NO_STATS;

  constructor(doors: { readonly bus: Bus; readonly own: () => StatsCounters }) {
    this.#bus = doors.bus;
    this.#own = doors.own;
    doors.bus.handle('stats', (_from, _message, reply) => reply(doors.own() as unknown as Json));
  }

  peers(sisters: readonly WorkerPlace[], ended: StatsCounters): void {
    this.#sisters = sisters;
    this.#ended = ended;
  }

  sum(done: (stats: StatsCounters) => void): void {
    let sum = addStats(this.#own(), this.#ended);
    let outstanding = this.#sisters.length;
    if (outstanding === 0) return done(sum);
    for (const { slot } of this.#sisters) {
      this.#bus.ask(slot, { kind: 'stats', facts: null, bytes: NO_BYTES }, SISTER_MS, (answer) => {
        if (answer.ok) sum = addStats(sum, answer.value.facts as unknown as StatsCounters);
        outstanding--;
        if (outstanding === 0) done(sum);
      });
    }
  }
}
