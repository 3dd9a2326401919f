/**
 * Keeps a worker from promising more than it can do: looks at its figures, refuses, sheds.
 *
 * The rule is in `relay/overload.ts`; this file looks every now and then, says what connects are
 * told, and ends the connections that most bytes wait for. What the application has asked for
 * already is left alone.
 */
import { type Cancellable, ERRORS, LIMITS, type Logger, type Meter, type Timers } from '../base/index.ts';
import type { LiveConfig, OverloadConfig } from '../config/index.ts';
import {
  bytesToShed,
  longestQueues,
  type OverloadMarks,
  OverloadRule,
  type OverloadSample,
  type OverloadState,
  overloadSample,
  type Vitals,
} from '../relay/index.ts';
import type { Session } from './sessions/session.ts';
import type { Sessions } from './sessions/sessions.ts';
import type { Tracing } from './sessions/tracing.ts';

/** What the guard stands on. */
export interface OverloadGuardDoors {
  readonly live: LiveConfig;
  readonly timers: Timers;
  readonly logger: Logger;
  readonly meter: Meter;
  readonly tracing: Tracing;
  readonly sessions: Sessions;
  /** The figures of this process now. */
  readonly vitals: () => Vitals;
}

/** One that waits for bytes, as the rule sees it. */
interface WaitingSession {
  readonly session: Session;
  readonly queuedBytes: number;
}

const SHED_CODE = ERRORS.SHED.closeCode as number;
const STATE_NUMBERS: Readonly<Record<OverloadState, number>> = { normal: 0, stop_admitting: 1, shedding: 2 };

/** The guard of one worker. */
export class OverloadGuard {
  readonly #doors: OverloadGuardDoors;
  #marks: OverloadMarks;
  readonly #rule: OverloadRule;
  readonly #looks: Cancellable;
  #vitals: Vitals;
  /** Looks until connections may be shed again: garbage takes time to be collected. */
  #pauseLooks = 0;
  #refusals = 0;
  #shed = 0;
  #changed: (state: OverloadState) => void = () => {};

  constructor(doors: OverloadGuardDoors) {
    this.#doors = doors;
    this.#marks = marksOf(doors.live.current.overload);
    this.#rule = new OverloadRule(this.#marks);
    doors.live.onChange(({ overload }) => {
      this.#marks = marksOf(overload);
      this.#rule.replace(this.#marks);
    });
    this.#vitals = doors.vitals();
    this.#looks = doors.timers.every(LIMITS.overloadLookMs, () => this.#look());
    this.#makeFigures();
  }

  /** Why nobody is admitted at present, or null. */
  refusal(): string | null {
    // What it is short of is the operator's affair; the log says it.
    return this.#rule.state === 'normal' ? null : 'the worker has too much to do';
  }

  /** Somebody was refused for it. */
  refused(): void {
    this.#refusals++;
  }

  /** `listener` is called at each change of the state. */
  onChange(listener: (state: OverloadState) => void): void {
    this.#changed = listener;
  }

  /** Looks no more; the last state stays. */
  stop(): void {
    this.#looks.cancel();
  }

  #look(): void {
    this.#vitals = this.#doors.vitals();
    const sample = overloadSample(this.#vitals);
    const verdict = this.#rule.look(sample);
    if (verdict.changed) {
      const { state, cause } = verdict;
      const facts = { state, cause, ...rounded(sample), connections: this.#doors.sessions.size };
      if (state === 'normal') this.#doors.logger.info(facts, 'the worker admits again');
      else this.#doors.logger.warn({ ...facts, code: 'OVERLOADED' }, 'the worker is overloaded');
      this.#changed(state);
    }
    if (this.#pauseLooks > 0) this.#pauseLooks--;
    else if (verdict.shed) this.#shedLongest(bytesToShed(verdict, this.#vitals, this.#marks));
  }

  #shedLongest(bytesEnough: number): void {
    const { sessions, logger, tracing } = this.#doors;
    this.#pauseLooks = LIMITS.overloadShedPauseLooks - 1;
    const bounds = {
      max: LIMITS.overloadShedMax,
      bytesMin: LIMITS.overloadShedQueueBytesMin,
      bytesEnough,
    };
    for (const { session, queuedBytes } of longestQueues(this.#waiting(), bounds)) {
      if (!sessions.end(session, { reason: 'overload', code: SHED_CODE })) continue;
      this.#shed++;
      if (logger.debugEnabled) {
        logger.debug({ ...tracing.facts(session), queuedBytes, code: 'SHED' }, 'shed');
      }
      session.shed(SHED_CODE, 'overload');
    }
  }

  *#waiting(): Iterable<WaitingSession> {
    for (const session of this.#doors.sessions.all()) {
      const { connection } = session;
      if (connection?.open) yield { session, queuedBytes: connection.queuedBytes };
    }
  }

  #makeFigures(): void {
    const { meter } = this.#doors;
    const observed = (name: string, help: string, type: 'counter' | 'gauge', read: () => number): void =>
      meter.observed({ name: `arrokoth_${name}`, help, type }, read);
    const stateHelp = 'Whether the worker admits (0), admits nobody (1), or sheds connections, too (2).';
    observed('overload_state', stateHelp, 'gauge', () => STATE_NUMBERS[this.#rule.state]);
    const refusals = 'Attempts to connect that were answered 503 because the worker has too much to do.';
    observed('overload_refusals_total', refusals, 'counter', () => this.#refusals);
    const shed = 'Connections ended because the worker has too much to do and many bytes waited for them.';
    observed('overload_shed_total', shed, 'counter', () => this.#shed);
    const lag = 'Lag of the event loop in the middle of the turns of the last half second.';
    observed('event_loop_lag_seconds', lag, 'gauge', () => this.#vitals.lagMs / 1_000);
    const heap = 'What JavaScript and its buffers take of the heap limit, of 1.';
    observed('heap_ratio', heap, 'gauge', () => (overloadSample(this.#vitals).heap ?? 0) / 100);
    if (this.#vitals.descriptorsMax === null) return;
    const descriptors = 'Open files and sockets, those of callbacks excepted.';
    observed('descriptors', descriptors, 'gauge', () => this.#vitals.descriptors ?? 0);
    const max = 'How many of them may be open before clients are refused.';
    observed('descriptors_max', max, 'gauge', () => this.#vitals.descriptorsMax ?? 0);
  }
}

function marksOf(overload: OverloadConfig): OverloadMarks {
  return {
    lag: { stop: overload.lagMs, shed: overload.lagShedMs },
    heap: { stop: overload.heapPercent, shed: overload.heapShedPercent },
    descriptors: { stop: overload.descriptorsPercent, shed: 0 },
  };
}

/** The figures as a log line shows them. */
function rounded({ lag, heap, descriptors }: OverloadSample): Record<string, number | null> {
  const round = (value: number | null): number | null => (value === null ? null : Math.round(value));
  return { lagMs: round(lag), heapPercent: round(heap), descriptorsPercent: round(descriptors) };
}
