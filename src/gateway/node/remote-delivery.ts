/**
 * One delivery to sessions that this worker does not hold: find the holders, go there, look again.
 *
 * A holder that does not know the key any more proves nothing as long as the key's home does not
 * agree: a newer connection may have taken the key between the two questions. So each denial is
 * followed by another look, until the home names the same connection again, or nobody. Where no
 * home can tell, every worker is asked, and what stays silent is never "not found".
 */
import { type Clock, LIMITS, type Result, type Seat, type SessionKey } from '../../base/index.ts';
import type { Bus, BusAnswer, BusFailure, Json } from '../../bus/index.ts';
import type { KeyAction, KeyOutcome } from './key-action.ts';
import { type KeyDirectory, type Place, pushTo } from './key-directory.ts';

/** Where holders are looked for, and how they are reached. */
export interface RemoteDeliveryDoors {
  readonly bus: Bus;
  readonly clock: Clock;
  readonly directory: KeyDirectory;
}

/** What is to happen to the sessions, and how long other workers may take. */
export interface RemoteMessage {
  readonly action: KeyAction;
  readonly bytes: Uint8Array;
  readonly timeoutMs: number;
}

/** Connections of one key that replace each other faster than this are not followed any further. */
const LOOKS_MAX = 5;

/** One key on its way. */
interface Search {
  readonly position: number;
  readonly key: SessionKey;
  looks: number;
  /** Who denied to hold it, after the last look: a place, or every worker. */
  deniedBy: Place | 'everyone' | null;
}

const UNCERTAIN: readonly KeyOutcome[] = ['timeout', 'unreachable', 'overloaded', 'not_found'];

type Settle = (search: Search, outcome: KeyOutcome) => void;

/** Carries one message to keys of other workers. */
export class RemoteDelivery {
  readonly #doors: RemoteDeliveryDoors;
  readonly #message: RemoteMessage;
  readonly #deadlineMs: number;

  constructor(doors: RemoteDeliveryDoors, message: RemoteMessage) {
    this.#doors = doors;
    this.#message = message;
    const boundMs = message.timeoutMs > 0 ? message.timeoutMs : LIMITS.sisterWaitMs;
    this.#deadlineMs = doors.clock.monotonicMs() + boundMs;
  }

  /** Calls `done` once, with outcomes in the order of `keys`. */
  run(keys: readonly SessionKey[], done: (outcomes: KeyOutcome[]) => void): void {
    const outcomes: KeyOutcome[] = new Array(keys.length).fill('not_found');
    let outstanding = keys.length;
    const settle: Settle = ({ position }, outcome) => {
      outcomes[position] = outcome;
      outstanding--;
      if (outstanding === 0) done(outcomes);
    };
    const searches = keys.map((key, position): Search => ({ position, key, looks: 0, deniedBy: null }));
    this.#look(searches, settle);
  }

  #look(searches: readonly Search[], settle: Settle): void {
    // A home that is being replaced may take all the time there is; half of it is for the holders.
    const homeMs = Math.max(1, this.#leftMs / 2);
    const keys = searches.map(({ key }) => key);
    const thorough = searches.some(({ looks }) => looks > 0);
    this.#doors.directory.find(keys, { timeoutMs: homeMs, thorough }, (found) => {
      const bySeat = new Map<Seat, Search[]>();
      const everywhere: Search[] = [];
      found.forEach((place, index) => {
        const search = searches[index] as Search;
        search.looks++;
        if (place === 'nowhere' || isSameDenial(place, search.deniedBy)) settle(search, 'not_found');
        else if (search.looks > LOOKS_MAX) settle(search, 'unreachable');
        else if (place === 'unknown') everywhere.push(search);
        else {
          search.deniedBy = place;
          pushTo(bySeat, place.seat, search);
        }
      });
      for (const [seat, portion] of bySeat) {
        this.#deliver(seat, portion, this.#settleOrLookAgain(portion, settle));
      }
      if (everywhere.length > 0) {
        this.#deliverEverywhere(everywhere, this.#settleOrLookAgain(everywhere, settle));
      }
    });
  }

  /** The homes do not know: every worker is asked once, and who has a key knows best. */
  #deliverEverywhere(searches: readonly Search[], settle: Settle): void {
    const seats = this.#doors.directory.seats();
    const best = new Map<Search, KeyOutcome>();
    const undecided = new Set(searches);
    let outstanding = seats.length * searches.length;
    for (const search of searches) search.deniedBy = 'everyone';
    for (const seat of seats) {
      this.#deliver(seat, searches, (search, outcome) => {
        outstanding--;
        const known = moreCertain(best.get(search) ?? 'not_found', outcome);
        best.set(search, known);
        // Nobody waits for a worker that is being replaced once the holder has spoken.
        if (isCertain(known) && undecided.delete(search)) settle(search, known);
        if (outstanding > 0) return;
        for (const left of undecided) settle(left, best.get(left) as KeyOutcome);
      });
    }
  }

  /** Settles what is certain and looks again for the rest, once all of `searches` have come back. */
  #settleOrLookAgain(searches: readonly Search[], settle: Settle): Settle {
    const again: Search[] = [];
    let outstanding = searches.length;
    return (search, outcome) => {
      outstanding--;
      if (outcome === 'not_found') again.push(search);
      else settle(search, outcome);
      if (outstanding === 0 && again.length > 0) this.#look(again, settle);
    };
  }

  #deliver(seat: Seat, searches: readonly Search[], settle: Settle): void {
    const { bus } = this.#doors;
    const { action, bytes } = this.#message;
    const facts = [action, searches.map(({ key }) => key)] as unknown as Json;
    bus.ask(seat, { kind: 'deliver', facts, bytes }, Math.max(1, this.#leftMs), (answer) => {
      for (const [index, search] of searches.entries()) settle(search, outcomeOf(answer, index));
    });
  }

  get #leftMs(): number {
    return this.#deadlineMs - this.#doors.clock.monotonicMs();
  }
}

/** Whether the home names again, or fails to name again, what has just been denied. */
function isSameDenial(found: Place | 'unknown', deniedBy: Search['deniedBy']): boolean {
  if (found === 'unknown') return deniedBy === 'everyone';
  if (deniedBy === null || deniedBy === 'everyone') return false;
  // The connection that was meant has ended, and its holder is telling the home right now.
  return found.seat === deniedBy.seat && found.generation === deniedBy.generation;
}

function outcomeOf(answer: Result<BusAnswer, BusFailure>, index: number): KeyOutcome {
  if (answer.ok) return (answer.value.facts as KeyOutcome[])[index] as KeyOutcome;
  return answer.error === 'gone' ? 'unreachable' : answer.error;
}

/** Of two workers' words about one key: who has it knows best, and silence beats a denial. */
function moreCertain(left: KeyOutcome, right: KeyOutcome): KeyOutcome {
  if (right === 'not_found') return left;
  if (left === 'not_found') return right;
  return isCertain(left) ? left : right;
}

function isCertain(outcome: KeyOutcome): boolean {
  return !UNCERTAIN.includes(outcome);
}
