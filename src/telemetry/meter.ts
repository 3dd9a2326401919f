/**
 * Figures: prom-client behind our `Meter` door, one registry a process.
 *
 * Counting is an addition to a plain number or one map look-up; Prometheus' objects are filled when
 * somebody asks. Every sample of a process bears its `worker` label, so that a worker's restart
 * looks like the reset of its own counters and never like a jump of the node's sum. Label values
 * are bounded: combinations beyond the bound are counted as `other`. `main/` makes one a process.
 */
import {
  AggregatorRegistry,
  Counter,
  collectDefaultMetrics,
  Gauge,
  Histogram,
  type MetricObject,
  Registry,
} from 'prom-client';
import { assert, type Labels, type Meter, type MetricHead } from '../base/index.ts';

/** Combinations of label values one metric may have; further ones are counted as `other`. */
export const LABEL_COMBINATIONS_MAX = 64;

/** Media type of what `renderSnapshots` returns. */
export const METRICS_CONTENT_TYPE: string = Registry.PROMETHEUS_CONTENT_TYPE;

/**
 * Node's own figures that are left out: reading them walks every open socket, so a scrape would
 * stall the worker in proportion to its connections.
 */
const COSTLY_DEFAULTS = [
  'process_open_fds',
  'nodejs_active_handles',
  'nodejs_active_handles_total',
  'nodejs_active_requests',
  'nodejs_active_requests_total',
  'nodejs_active_resources',
  'nodejs_active_resources_total',
];

/** All figures of one process at one moment; survives JSON. Opaque to everyone but this room. */
export type MetricsSnapshot = readonly { readonly name: string; readonly type: string }[];

/** A meter, and the way to read it. */
export interface ProcessMeter {
  readonly meter: Meter;
  snapshot(): Promise<MetricsSnapshot>;
}

/** Makes the one meter of a process; `worker` becomes a label of every sample. */
export function createMeter(options: {
  readonly worker: string;
  /** False in tests that want their own figures only. */
  readonly processFigures?: boolean;
}): ProcessMeter {
  const registry = new Registry();
  registry.setDefaultLabels({ worker: options.worker });
  if (options.processFigures !== false) {
    collectDefaultMetrics({ register: registry });
    for (const name of COSTLY_DEFAULTS) registry.removeSingleMetric(name);
  }
  return {
    meter: {
      counter: (head) => makeCounter(registry, head),
      histogram: (head) => makeHistogram(registry, head),
      observed: (head, read) => makeObserved(registry, head, read),
      observedEach: (head, read) => makeObservedEach(registry, head, read),
    },
    snapshot: async () => {
      const metrics = await registry.getMetricsAsJSON();
      // The worker label keeps samples of different processes apart, so that "sum" only collects
      // them; prom-client's own rules for some figures of Node would average them or leave them out.
      return metrics.map((metric) => ({ ...metric, type: nameOfType(metric), aggregator: 'sum' }));
    },
  };
}

/** Prometheus' text of the figures of several processes. */
export function renderSnapshots(snapshots: readonly MetricsSnapshot[]): Promise<string> {
  return AggregatorRegistry.aggregate(snapshots as unknown as object[]).metrics();
}

// The declarations of prom-client say that `type` is a number; it is the word that Prometheus prints.
function nameOfType(metric: MetricObject): string {
  return String(metric.type);
}

function makeCounter(registry: Registry, head: MetricHead): ReturnType<Meter['counter']> {
  const guard = new LabelGuard<{ labels: Labels; total: number }>(head, (labels) => ({ labels, total: 0 }));
  let unlabelled = 0;
  new Counter({
    ...promHead(registry, head),
    collect() {
      this.reset();
      if (guard.names.length === 0) this.inc(unlabelled);
      for (const { labels, total } of guard.made()) this.inc(labels, total);
    },
  });
  return {
    add: (amount, labels) => {
      if (labels === undefined) unlabelled += amount;
      else guard.get(labels).total += amount;
    },
  };
}

function makeHistogram(
  registry: Registry,
  head: MetricHead & { readonly buckets: readonly number[] },
): ReturnType<Meter['histogram']> {
  const histogram = new Histogram({ ...promHead(registry, head), buckets: [...head.buckets] });
  const guard = new LabelGuard(head, (labels) => histogram.labels(labels));
  return {
    observe: (value, labels) => {
      if (labels === undefined) histogram.observe(value);
      else guard.get(labels).observe(value);
    },
  };
}

function makeObserved(
  registry: Registry,
  head: MetricHead & { readonly type: 'counter' | 'gauge' },
  read: () => number,
): void {
  assert((head.labels ?? []).length === 0, 'an observed metric has no labels');
  if (head.type === 'gauge') {
    new Gauge({
      ...promHead(registry, head),
      collect() {
        this.set(read());
      },
    });
    return;
  }
  new Counter({
    ...promHead(registry, head),
    collect() {
      this.reset();
      this.inc(read());
    },
  });
}

function makeObservedEach(
  registry: Registry,
  head: MetricHead,
  read: () => readonly (readonly [Labels, number])[],
): void {
  new Gauge({
    ...promHead(registry, head),
    collect() {
      this.reset();
      for (const [labels, value] of read().slice(0, LABEL_COMBINATIONS_MAX)) this.set(labels, value);
    },
  });
}

function promHead(registry: Registry, head: MetricHead) {
  return { name: head.name, help: head.help, labelNames: [...(head.labels ?? [])], registers: [registry] };
}

/** Makes one thing for each combination of label values, and a single one for all beyond the bound. */
class LabelGuard<Thing> {
  readonly names: readonly string[];
  readonly #make: (labels: Labels) => Thing;
  readonly #things = new Map<string, Thing>();
  #other: Thing | undefined;

  constructor(head: MetricHead, make: (labels: Labels) => Thing) {
    this.names = head.labels ?? [];
    this.#make = make;
  }

  get(labels: Labels): Thing {
    let key = '';
    for (const name of this.names) key += `${labels[name] ?? ''}\u0000`;
    const known = this.#things.get(key);
    if (known !== undefined) return known;
    if (this.#things.size >= LABEL_COMBINATIONS_MAX) {
      this.#other ??= this.#make(this.#allNamed(() => 'other'));
      return this.#other;
    }
    const made = this.#make(this.#allNamed((name) => labels[name] ?? ''));
    this.#things.set(key, made);
    return made;
  }

  *made(): Iterable<Thing> {
    yield* this.#things.values();
    if (this.#other !== undefined) yield this.#other;
  }

  #allNamed(pick: (name: string) => string): Labels {
    return Object.fromEntries(this.names.map((name) => [name, pick(name)]));
  }
}
