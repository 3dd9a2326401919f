/**
 * What is measured of the log, and what it has to reach against etcd in the same round.
 */
import type { Bar } from '../statistics.ts';

/** A load with so many writes in flight, read as commits/s or as the median latency, or kills. */
export type LogMethod =
  | { readonly type: 'commits'; readonly inFlight: number; readonly figure: 'per_second' | 'p50' }
  | { readonly type: 'fail_over' };

/** One line of the report. */
export interface LogScenario {
  readonly name: string;
  readonly what: string;
  readonly unit: string;
  readonly method: LogMethod;
  /** Null: reported without a verdict. */
  readonly bar: Bar | null;
}

const NO_WORSE: Bar = { ratio: 1, direction: 'at_most' };
const NO_LESS: Bar = { ratio: 1, direction: 'at_least' };

/** What both clusters are measured by, in this order: the crowd leaves the servers warm for the rest. */
export const LOG_SCENARIOS: readonly LogScenario[] = [
  {
    name: 'log-64',
    what: '64 writes in flight',
    unit: 'commits/s',
    method: { type: 'commits', inFlight: 64, figure: 'per_second' },
    bar: NO_LESS,
  },
  {
    name: 'log-1',
    what: 'writes one after the other',
    unit: 'commits/s',
    method: { type: 'commits', inFlight: 1, figure: 'per_second' },
    bar: null,
  },
  {
    name: 'log-1-p50',
    what: 'median of writes one after the other',
    unit: 'ms',
    method: { type: 'commits', inFlight: 1, figure: 'p50' },
    bar: NO_WORSE,
  },
  {
    name: 'log-fail-over',
    what: 'from kill -9 of the master to the next acknowledged write',
    unit: 'ms',
    method: { type: 'fail_over' },
    bar: NO_WORSE,
  },
];
