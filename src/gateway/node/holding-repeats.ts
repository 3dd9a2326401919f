/**
 * Tells homes again what this worker holds of their keys, and then that this was all.
 *
 * In portions, each answered before the next, so that neither a frame nor an outbox grows without
 * bound and nothing is called told that was not taken. A home that does not answer is told again
 * until it is, or until a newer list takes this one's place.
 */
import { LIMITS, type Seat, type Timers } from '../../base/index.ts';
import { type Bus, type Json, NO_BYTES } from '../../bus/index.ts';

/** What is claimed of one session. */
export type HeldClaim = [key: string, connection: string, generation: number];

/** All claims for one home, by one view. */
export interface HeldClaims {
  /** Of the view. */
  readonly number: number;
  readonly claims: readonly HeldClaim[];
}

const PORTION = 500;
const AGAIN_MS = 500;

/** The repetitions of one worker. */
export class HoldingRepeats {
  readonly #bus: Bus;
  readonly #timers: Timers;
  /** The newest list for each home that has not taken all of it. */
  readonly #underWay = new Map<Seat, HeldClaims>();

  constructor(doors: { readonly bus: Bus; readonly timers: Timers }) {
    this.#bus = doors.bus;
    this.#timers = doors.timers;
  }

  /** That home has not taken all yet; what comes next has to name everything. */
  isUnderWay(home: Seat): boolean {
    return this.#underWay.has(home);
  }

  /** Begins to tell `home`, instead of what was under way to it; `taken` is called when it has all. */
  begin(home: Seat, held: HeldClaims, taken: () => void): void {
    this.#underWay.set(home, held);
    this.#tell(home, held, 0, taken);
  }

  #tell(home: Seat, held: HeldClaims, from: number, taken: () => void): void {
    const { number, claims } = held;
    if (from >= claims.length) {
      this.#underWay.delete(home);
      taken();
      this.#bus.tell(home, { kind: 'key_rebuilt', facts: number, bytes: NO_BYTES });
      return;
    }
    const facts = claims.slice(from, from + PORTION) as unknown as Json;
    const message = { kind: 'key_copies', facts, bytes: NO_BYTES };
    this.#bus.ask(home, message, LIMITS.sisterWaitMs, (answer) => {
      if (this.#underWay.get(home) !== held) return;
      if (answer.ok) this.#tell(home, held, from + PORTION, taken);
      else if (answer.error === 'gone') this.#underWay.delete(home);
      else this.#timers.after(AGAIN_MS, () => this.#tellAgain(home, held, from, taken));
    });
  }

  #tellAgain(home: Seat, held: HeldClaims, from: number, taken: () => void): void {
    if (this.#underWay.get(home) === held) this.#tell(home, held, from, taken);
  }
}
