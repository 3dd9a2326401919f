/**
 * Whether one backend is worth asking, judged by how its last calls went and by its health checks.
 *
 * Closed: it is asked. Open: it failed too often, and rests. Half open: the rest is over, and one
 * call may try it; its outcome closes the circuit or opens it for twice as long. Without a clock and
 * chance of its own; `backends.ts` drives it and chooses between several.
 */
import { OutcomeWindow } from './outcome-window.ts';

/** When a circuit opens, and for how long; and how many checks change the word about health. */
export interface CircuitRules {
  /** Failures in a row that open it; 0: none do. */
  readonly failuresInRow: number;
  /** The share of failed calls that opens it, above 0 to 1; 0: none does. */
  readonly failureRate: number;
  /** Over how long the share is taken, and how many calls it takes to speak of a share. */
  readonly windowMs: number;
  readonly windowCallsMin: number;
  /** The first rest; it doubles with each trial that fails, up to the longest. */
  readonly openMs: number;
  readonly openMaxMs: number;
  /** Good checks in a row that bring it back, bad ones that take it out. */
  readonly healthyAfter: number;
  readonly unhealthyAfter: number;
}

/** What a circuit says at a moment. `trying`: half open, and the one call that may is on its way. */
export type CircuitState = 'closed' | 'open' | 'half_open' | 'trying';

/** `answered`: the backend answered, but badly; it can be reached. */
export type CircuitFailure = 'answered' | 'unanswered';

/** The circuit of one backend. */
export class Circuit {
  readonly #rules: CircuitRules;
  /** Chance, in [0, 1): half of a rest depends on it, so that not all workers try at once. */
  readonly #fraction: () => number;
  readonly #window: OutcomeWindow;
  #failuresInRow = 0;
  #open = false;
  #openedBy: CircuitFailure = 'unanswered';
  #opened = 0;
  #retryAtMs = 0;
  #earliestAtMs = 0;
  #trying = false;
  /** Grows whenever the circuit opens, closes or is tried: outcomes of earlier calls say nothing new. */
  #era = 0;
  #healthy = true;
  #checksInRow = 0;

  constructor(rules: CircuitRules, fraction: () => number) {
    this.#rules = rules;
    this.#fraction = fraction;
    this.#window = new OutcomeWindow(rules.windowMs);
  }

  /** Calls that start now belong to this era. */
  get era(): number {
    return this.#era;
  }

  /** The word of the health checks; true while there was none. */
  get healthy(): boolean {
    return this.#healthy;
  }

  /** Whether it failed too often and was not found well since. */
  get isOpen(): boolean {
    return this.#open;
  }

  /** Whether it rests only because of what it answered. */
  get openedByAnswers(): boolean {
    return this.#open && this.#openedBy === 'answered';
  }

  /** When an open circuit may be tried if there is nobody else: after a first rest, however long it is. */
  get earliestAtMs(): number {
    return this.#earliestAtMs;
  }

  state(nowMs: number): CircuitState {
    if (!this.#open) return 'closed';
    if (this.#trying) return 'trying';
    return nowMs >= this.#retryAtMs ? 'half_open' : 'open';
  }

  /** The call that starts now is the trial. */
  try(): void {
    this.#trying = true;
    this.#era++;
  }

  /** A call was answered well. True: the circuit closed. */
  succeeded(era: number, nowMs: number): boolean {
    if (era !== this.#era) return false;
    if (this.#open) return this.#trying && this.#close();
    this.#failuresInRow = 0;
    this.#window.add(false, nowMs);
    return false;
  }

  /** A call was not. True: the circuit opened, or opened again. */
  failed(era: number, failure: CircuitFailure, nowMs: number): boolean {
    if (era !== this.#era) return false;
    if (this.#open) return this.#trying && this.#rest(failure, nowMs);
    this.#failuresInRow++;
    this.#window.add(true, nowMs);
    return this.#isTooMuch(nowMs) && this.#rest(failure, nowMs);
  }

  /** A call ended without a word about the backend: another one may be the trial. */
  abandoned(era: number): void {
    if (era === this.#era) this.#trying = false;
  }

  /** A health check. True: the word about its health changed; whoever comes back starts afresh. */
  checked(healthy: boolean): boolean {
    if (healthy === this.#healthy) {
      this.#checksInRow = 0;
      return false;
    }
    this.#checksInRow++;
    const { healthyAfter, unhealthyAfter } = this.#rules;
    if (this.#checksInRow < (healthy ? healthyAfter : unhealthyAfter)) return false;
    this.#checksInRow = 0;
    this.#healthy = healthy;
    if (healthy) this.#close();
    return true;
  }

  #isTooMuch(nowMs: number): boolean {
    const { failuresInRow, failureRate, windowCallsMin } = this.#rules;
    if (failuresInRow > 0 && this.#failuresInRow >= failuresInRow) return true;
    if (failureRate === 0) return false;
    const calls = this.#window.calls(nowMs);
    return calls >= windowCallsMin && this.#window.failures(nowMs) >= failureRate * calls;
  }

  #close(): true {
    this.#open = false;
    this.#opened = 0;
    this.#renew();
    return true;
  }

  #rest(failure: CircuitFailure, nowMs: number): true {
    const { openMs, openMaxMs } = this.#rules;
    const restMs = Math.min(openMaxMs, openMs * 2 ** this.#opened);
    this.#opened = Math.min(this.#opened + 1, OPENED_MAX);
    this.#open = true;
    this.#openedBy = failure;
    const share = 0.5 + this.#fraction() / 2;
    this.#retryAtMs = nowMs + restMs * share;
    this.#earliestAtMs = nowMs + Math.min(restMs, openMs) * share;
    this.#renew();
    return true;
  }

  #renew(): void {
    this.#trying = false;
    this.#failuresInRow = 0;
    this.#window.clear();
    this.#era++;
  }
}

/** Doublings that are counted; no bound of a rest is that many times its beginning. */
const OPENED_MAX = 40;
