/**
 * The doors through which time, randomness, log lines and figures reach the rest of the house.
 *
 * Interfaces only. `system/` and `telemetry/` implement them for real, tests and simulations
 * implement them with lies; `main/` decides who gets which.
 */

/** Two clocks: one that people read, one that intervals are measured with. */
export interface Clock {
  /** Milliseconds since 1970; may jump when the host's clock is set. */
  wallMs(): number;
  /** Milliseconds since some fixed moment; never goes back. */
  monotonicMs(): number;
}

/** A timer or an interval that can be called off; calling it twice is harmless. */
export interface Cancellable {
  cancel(): void;
}

/** Delayed calls. None of them keeps a process alive that has nothing else to do. */
export interface Timers {
  /** Calls `run` once, not before `delayMs` milliseconds. */
  after(delayMs: number, run: () => void): Cancellable;
  /** Calls `run` every `periodMs` milliseconds until cancelled. */
  every(periodMs: number, run: () => void): Cancellable;
  /** Calls `run` once, at the end of this turn of the event loop. */
  endOfTurn(run: () => void): void;
}

/** Unpredictable bytes and numbers. */
export interface Random {
  /** `count` random bytes. */
  bytes(count: number): Uint8Array;
  /** A number in [0, 1), for jitter; not for secrets. */
  fraction(): number;
}

/** Digests, as lower-case hexadecimal text. */
export interface Digest {
  sha256(bytes: Uint8Array): string;
  /** Keyed with SHA-256 (RFC 2104); both are byte strings (`utf8.ts`). */
  hmacSha256(key: string, text: string): string;
}

/** Facts that accompany a log line. Never message bodies, tokens or cookies. */
export type LogFields = Readonly<Record<string, unknown>>;

/** Structured log lines, lowest severity first. */
export interface Logger {
  debug(fields: LogFields, message: string): void;
  info(fields: LogFields, message: string): void;
  warn(fields: LogFields, message: string): void;
  error(fields: LogFields, message: string): void;
  /** A logger that adds `fields` to each of its lines. */
  child(fields: LogFields): Logger;
  /** True when `debug` lines are kept, so that costly fields are computed only then. */
  readonly debugEnabled: boolean;
}

/** Label values of one sample; names are fixed when the metric is made and values are bounded in number. */
export type Labels = Readonly<Record<string, string>>;

/** What a metric is called and means, in Prometheus' terms. */
export interface MetricHead {
  /** `arrokoth_…`, with the unit last. */
  readonly name: string;
  readonly help: string;
  readonly labels?: readonly string[];
}

/** Figures for operators. Metrics are made once, at start. */
export interface Meter {
  counter(head: MetricHead): { add(amount: number, labels?: Labels): void };
  histogram(head: MetricHead & { readonly buckets: readonly number[] }): {
    observe(value: number, labels?: Labels): void;
  };
  /** A counter or gauge that is read when somebody asks; costs nothing on the hot path. */
  observed(head: MetricHead & { readonly type: 'counter' | 'gauge' }, read: () => number): void;
  /** A gauge with labels that is read when somebody asks: all of its samples at once. */
  observedEach(head: MetricHead, read: () => readonly (readonly [Labels, number])[]): void;
}
