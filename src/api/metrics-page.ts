/**
 * The text of `/metrics`: the figures of all workers of the node, at one moment.
 *
 * Every gateway worker is asked at once and waited for at most `METRICS_WAIT_MS`; one that stays
 * silent is shown as down instead of delaying or failing the page. Scrapes that overlap share one
 * collection, so that impatient scrapers cannot multiply the work of the gateways.
 */
import { type Logger, seatOf, type WorkerSlot } from '../base/index.ts';
import { type Bus, type BusFailure, NO_BYTES } from '../bus/index.ts';
import { type MetricsSnapshot, renderSnapshots } from '../telemetry/index.ts';

/** How long a worker may take to tell its figures; well within the 10 s that scrapers allow. */
export const METRICS_WAIT_MS = 1_000;

/** The kind of bus message that asks a worker for its figures; the answer's bytes are their JSON. */
export const METRICS_KIND = 'metrics';

/** Figures that this page adds about the workers themselves. */
export const WORKER_FIGURES = [
  {
    name: 'arrokoth_worker_up',
    type: 'gauge',
    help: 'Whether this gateway worker told its figures in time (1) or not (0).',
  },
  {
    name: 'arrokoth_worker_run',
    type: 'gauge',
    help: 'Which run of its slot this gateway worker is; grows by one with each replacement.',
  },
] as const;

/** What the page is made from. */
export interface MetricsPageDoors {
  readonly bus: Bus;
  readonly logger: Logger;
  readonly workers: number;
  /** Figures of this process. */
  readonly snapshot: () => Promise<MetricsSnapshot>;
  /** The present run of each gateway slot. */
  readonly runs: () => ReadonlyMap<WorkerSlot, number>;
}

/** Collects and renders. */
export class MetricsPage {
  readonly #doors: MetricsPageDoors;
  #underway: Promise<string> | null = null;

  constructor(doors: MetricsPageDoors) {
    this.#doors = doors;
  }

  /** The page as of now; at most one collection is under way. */
  text(): Promise<string> {
    this.#underway ??= this.#collect().finally(() => {
      this.#underway = null;
    });
    return this.#underway;
  }

  async #collect(): Promise<string> {
    const slots = Array.from({ length: this.#doors.workers }, (_, slot) => slot);
    const [own, ...told] = await Promise.all([
      this.#doors.snapshot(),
      ...slots.map((slot) => this.#askWorker(slot)),
    ]);
    const snapshots = told.filter((snapshot) => snapshot !== null);
    const up = slots.filter((slot) => told[slot] !== null);
    return (await renderSnapshots([own, ...snapshots])) + this.#workerFigures(slots, new Set(up));
  }

  #askWorker(slot: WorkerSlot): Promise<MetricsSnapshot | null> {
    const { bus, logger } = this.#doors;
    return new Promise((resolve) => {
      const silent = (reason: BusFailure | 'unreadable'): void => {
        logger.warn({ slot, reason }, 'a worker did not tell its figures');
        resolve(null);
      };
      const seat = seatOf(bus.self.node, slot);
      bus.ask(seat, { kind: METRICS_KIND, facts: null, bytes: NO_BYTES }, METRICS_WAIT_MS, (answer) => {
        const snapshot = answer.ok ? parseSnapshot(answer.value.bytes) : null;
        if (!answer.ok) silent(answer.error);
        else if (snapshot === null) silent('unreadable');
        else resolve(snapshot);
      });
    });
  }

  #workerFigures(slots: readonly WorkerSlot[], up: ReadonlySet<WorkerSlot>): string {
    const runs = this.#doors.runs();
    const [upFigure, runFigure] = WORKER_FIGURES;
    return (
      figureText(
        upFigure,
        slots.map((slot) => [slot, up.has(slot) ? 1 : 0]),
      ) +
      figureText(
        runFigure,
        [...runs].sort(([left], [right]) => left - right),
      )
    );
  }
}

function parseSnapshot(bytes: Uint8Array): MetricsSnapshot | null {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(bytes));
    return Array.isArray(value) && value.length > 0 ? value : null;
  } catch {
    return null;
  }
}

function figureText(
  head: (typeof WORKER_FIGURES)[number],
  samples: readonly (readonly [slot: WorkerSlot, value: number])[],
): string {
  const lines = samples.map(([slot, value]) => `${head.name}{worker="gateway/${slot}"} ${value}\n`);
  return `\n# HELP ${head.name} ${head.help}\n# TYPE ${head.name} ${head.type}\n${lines.join('')}`;
}
