/**
 * Which calls of other nodes were taken already: a window of numbers for each caller.
 *
 * A nonce is the caller's run (drawn when its process starts) and a number that grows with each of
 * its calls, so that a bit a call is enough to remember it, and numbers below the window are simply
 * too old. What cannot be remembered is refused; nothing is forgotten while it could be replayed.
 */
import { type Clock, PEER_LIMITS } from '../base/index.ts';

/** What became of a nonce. */
export type NonceUse = 'fresh' | 'replayed' | 'nonces_full';

/**
 * A captured call is worthless once its time is out of the window on both sides. Twice as long is
 * kept, by the clock that nobody sets.
 */
const FORGET_AFTER_MS = 4 * PEER_LIMITS.signatureSkewMs;
const BITS = 32;

interface Run {
  highest: number;
  /** Bit `number mod nonceWindow` of the newest numbers. */
  readonly seen: Int32Array;
  lastUseMs: number;
}

/** The runs of all callers. */
export class NonceRuns {
  readonly #clock: Clock;
  readonly #runs = new Map<string, Run>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get size(): number {
    return this.#runs.size;
  }

  /** Takes a nonce whose call is genuine. */
  use(name: string, number: number): NonceUse {
    const nowMs = this.#clock.monotonicMs();
    let run = this.#runs.get(name);
    if (run === undefined) {
      this.#forget(nowMs);
      if (this.#runs.size >= PEER_LIMITS.nonceRunsMax) return 'nonces_full';
      run = { highest: 0, seen: new Int32Array(PEER_LIMITS.nonceWindow / BITS), lastUseMs: nowMs };
      this.#runs.set(name, run);
    }
    if (!markFresh(run, number)) return 'replayed';
    run.lastUseMs = nowMs;
    return 'fresh';
  }

  #forget(nowMs: number): void {
    for (const [name, { lastUseMs }] of this.#runs) {
      if (nowMs - lastUseMs > FORGET_AFTER_MS) this.#runs.delete(name);
    }
  }
}

/** False: the number was used, or is too far behind to know. */
function markFresh(run: Run, number: number): boolean {
  const { nonceWindow } = PEER_LIMITS;
  if (number <= run.highest - nonceWindow) return false;
  if (number > run.highest) {
    if (number - run.highest >= nonceWindow) run.seen.fill(0);
    else for (let passed = run.highest + 1; passed < number; passed++) clear(run, passed);
    clear(run, number);
    run.highest = number;
  }
  const [word, bit] = placeOf(number);
  const bits = run.seen[word] as number;
  if ((bits & bit) !== 0) return false;
  run.seen[word] = bits | bit;
  return true;
}

function clear(run: Run, number: number): void {
  const [word, bit] = placeOf(number);
  run.seen[word] = (run.seen[word] as number) & ~bit;
}

function placeOf(number: number): readonly [word: number, bit: number] {
  const place = number % PEER_LIMITS.nonceWindow;
  return [Math.floor(place / BITS), 1 << (place % BITS)];
}
