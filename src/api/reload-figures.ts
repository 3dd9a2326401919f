/**
 * The figures about reloads of the configuration, as operators see them.
 *
 * The supervisor counts and has no metrics of its own; it tells the api worker its totals. An api
 * worker that was replaced learns them anew, so that they do not go back.
 */
import type { Meter } from '../base/index.ts';
import type { ReloadCounts } from '../process/index.ts';

const RESULTS = ['applied', 'unchanged', 'refused'] as const;

/** Shows what it was told last. */
export class ReloadFigures {
  readonly #total: ReturnType<Meter['counter']>;
  #told: Omit<ReloadCounts, 'type'> = { applied: 0, unchanged: 0, refused: 0, readAtMs: 0 };

  constructor(meter: Meter) {
    this.#total = meter.counter({
      name: 'arrokoth_reloads_total',
      help: 'Times that the configuration was read again, by what came of it.',
      labels: ['result'],
    });
    for (const result of RESULTS) this.#total.add(0, { result });
    meter.observed(
      {
        name: 'arrokoth_configuration_read_timestamp_seconds',
        help: 'When the configuration in force was read, in seconds since 1970.',
        type: 'gauge',
      },
      () => this.#told.readAtMs / 1_000,
    );
  }

  /** Totals since the start of the node. */
  tell(counts: ReloadCounts): void {
    for (const result of RESULTS) this.#total.add(counts[result] - this.#told[result], { result });
    this.#told = counts;
  }
}
