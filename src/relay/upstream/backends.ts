/**
 * Which of several backends a call goes to: one that works and has the least to do.
 *
 * Backends are numbers from 0; what they are called and how they are reached is the caller's. Each
 * has a circuit (`circuit.ts`), which rests it after failures and tries it again with one call. Three
 * rules keep a safeguard from doing the harm it should prevent: who has no sister is always asked;
 * health checks choose between backends, but cannot shut out the last ones; nor can bad answers,
 * which are still answers. Only backends that gave no answer are spared for a while together.
 */
import { assert } from '../../base/index.ts';
import { Circuit, type CircuitFailure, type CircuitRules } from './circuit.ts';

/** Backends to choose from, and when they are spared. */
export interface BackendRules extends CircuitRules {
  /** How many there are, from 1 on. */
  readonly count: number;
  /** Calls that one backend may have at once; 0: any number. */
  readonly inFlightMax: number;
}

/** What a backend is at a moment, for figures and logs. `half_open`: rested, and tried by one call. */
export type BackendState = 'closed' | 'open' | 'half_open' | 'unhealthy';

/** One backend at a moment. */
export interface BackendView {
  readonly state: BackendState;
  readonly inFlight: number;
}

/** A call at a backend, from `take` until exactly one of succeeded, failed, abandoned. */
export interface BackendVisit {
  /** The number of the backend. */
  readonly backend: number;
  /** For `Backends` alone. */
  readonly era: number;
}

/** What happens beside the choice. */
export interface BackendDoors {
  /** Chance, in [0, 1), for the length of rests. */
  readonly fraction: () => number;
  /** Called within the call that changed the state: a line for the log. */
  readonly changed?: (backend: number, state: BackendState) => void;
}

const NONE: readonly number[] = [];

/** The backends of one worker, and what it knows of them. */
export class Backends {
  readonly #rules: BackendRules;
  readonly #circuits: readonly Circuit[];
  readonly #inFlight: number[];
  readonly #all: readonly number[];
  readonly #changed: (backend: number, state: BackendState) => void;
  /** Where the next search begins, so that equals take turns. */
  #turn = 0;

  constructor(rules: BackendRules, doors: BackendDoors) {
    assert(rules.count >= 1, 'there is a backend to choose');
    this.#rules = rules;
    this.#changed = doors.changed ?? (() => {});
    this.#all = Array.from({ length: rules.count }, (_, backend) => backend);
    this.#circuits = this.#all.map(() => new Circuit(rules, doors.fraction));
    this.#inFlight = this.#all.map(() => 0);
  }

  /**
   * A place at the best backend of `among` (all when left out) that is not in `tried`; it counts as
   * in flight from here on. Null: none is to be asked now; `retryAtMs` says when one may be.
   *
   * In this order: one whose rest is over, for its one trial; the closed one with the least in flight;
   * one that answers badly; all that health checks took out, in the same order; and at last, for a
   * trial, one that rests longer than the first time: a long rest spares calls only while others work.
   */
  take(
    nowMs: number,
    tried: readonly number[] = NONE,
    among: readonly number[] = this.#all,
  ): BackendVisit | null {
    const backend = among.length === 1 ? this.#only(among, tried) : this.#best(nowMs, { tried, among });
    if (backend === null) return null;
    const circuit = this.#circuits[backend] as Circuit;
    if (this.#rank(backend, nowMs) === RANK_LAST || circuit.state(nowMs) === 'half_open') {
      circuit.try();
      this.#changed(backend, 'half_open');
    }
    this.#inFlight[backend] = (this.#inFlight[backend] as number) + 1;
    this.#turn++;
    return { backend, era: circuit.era };
  }

  /** The backend gave an answer that is no sign of trouble. */
  succeeded(visit: BackendVisit, nowMs: number): void {
    const circuit = this.#leave(visit);
    if (circuit.succeeded(visit.era, nowMs)) this.#changed(visit.backend, this.#viewed(visit.backend, nowMs));
  }

  /** It gave none, or one that is (`answered`): a status of 500 or more. */
  failed(visit: BackendVisit, failure: CircuitFailure, nowMs: number): void {
    const circuit = this.#leave(visit);
    // Nobody else could be asked in its place.
    if (this.#rules.count === 1) return;
    if (circuit.failed(visit.era, failure, nowMs)) this.#changed(visit.backend, 'open');
  }

  /** The call ended for reasons that are not the backend's: whoever wanted it is gone. */
  abandoned(visit: BackendVisit): void {
    this.#leave(visit).abandoned(visit.era);
  }

  /** What a health check of `backend` found. */
  health(backend: number, healthy: boolean, nowMs: number): void {
    const circuit = this.#circuits[backend] as Circuit;
    if (circuit.checked(healthy)) this.#changed(backend, this.#viewed(backend, nowMs));
  }

  /** When the first of `among` may be tried if all rest; null when none of them does. */
  retryAtMs(among: readonly number[] = this.#all): number | null {
    let earliest: number | null = null;
    for (const backend of among) {
      const circuit = this.#circuits[backend] as Circuit;
      if (circuit.isOpen) earliest = Math.min(earliest ?? circuit.earliestAtMs, circuit.earliestAtMs);
    }
    return earliest;
  }

  /** All backends in the order of their numbers. */
  states(nowMs: number): BackendView[] {
    return this.#all.map((backend) => ({
      state: this.#viewed(backend, nowMs),
      inFlight: this.#inFlight[backend] as number,
    }));
  }

  #leave({ backend }: BackendVisit): Circuit {
    const inFlight = this.#inFlight[backend] as number;
    assert(inFlight > 0, 'a backend is left as often as it was taken');
    this.#inFlight[backend] = inFlight - 1;
    return this.#circuits[backend] as Circuit;
  }

  #viewed(backend: number, nowMs: number): BackendState {
    const circuit = this.#circuits[backend] as Circuit;
    if (!circuit.healthy) return 'unhealthy';
    const state = circuit.state(nowMs);
    return state === 'trying' ? 'half_open' : state;
  }

  #only(among: readonly number[], tried: readonly number[]): number | null {
    const backend = among[0] as number;
    return tried.includes(backend) || this.#isFull(backend) ? null : backend;
  }

  #best(nowMs: number, from: { tried: readonly number[]; among: readonly number[] }): number | null {
    const { among, tried } = from;
    let best: number | null = null;
    let bestRank = RANKS_MAX;
    for (let step = 0; step < among.length; step++) {
      const backend = among[(this.#turn + step) % among.length] as number;
      if (tried.includes(backend) || this.#isFull(backend)) continue;
      const rank = this.#rank(backend, nowMs);
      const isBetter =
        rank < bestRank || (rank === bestRank && best !== null && this.#load(backend) < this.#load(best));
      if (!isBetter) continue;
      best = backend;
      bestRank = rank;
    }
    return best;
  }

  /** The lower the better; `RANKS_MAX`: not to be asked. */
  #rank(backend: number, nowMs: number): number {
    const circuit = this.#circuits[backend] as Circuit;
    const first = circuit.healthy ? 0 : RANKS_OF_HEALTHY;
    const state = circuit.state(nowMs);
    if (state === 'half_open') return first;
    if (state === 'closed') return first + 1;
    if (circuit.openedByAnswers) return first + 2;
    return state === 'open' && nowMs >= circuit.earliestAtMs ? RANK_LAST : RANKS_MAX;
  }

  #load(backend: number): number {
    return this.#inFlight[backend] as number;
  }

  #isFull(backend: number): boolean {
    const { inFlightMax } = this.#rules;
    return inFlightMax > 0 && this.#load(backend) >= inFlightMax;
  }
}

const RANKS_OF_HEALTHY = 3;
const RANK_LAST = 2 * RANKS_OF_HEALTHY;
const RANKS_MAX = RANK_LAST + 1;
