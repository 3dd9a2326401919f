/**
 * Reaches sessions by their keys, wherever on the node they are.
 *
 * Keys held by this worker are served at once. For the others the directory names the worker, the
 * message travels there once for all its keys, and what became of each comes back. "Not found" is
 * said only when it is certain, because applications forget sessions on that answer.
 */
import {
  type ChannelName,
  type Clock,
  LIMITS,
  type Result,
  type SessionKey,
  type WorkerSlot,
} from '../base/index.ts';
import type { Bus, BusAnswer, BusFailure, Json } from '../bus/index.ts';
import { type NodeDirectory, pushTo, type Whereabouts } from './node-directory.ts';

/** What is to happen to each session. */
export type KeyAction =
  /** Nothing; tells only whether it is there. */
  | { readonly type: 'probe' }
  | { readonly type: 'send'; readonly binary: boolean }
  | { readonly type: 'close'; readonly binary: boolean }
  | { readonly type: 'subscribe'; readonly channels: readonly ChannelName[] }
  | { readonly type: 'unsubscribe'; readonly channels: readonly ChannelName[] };

/** What became of one key. */
export type KeyOutcome =
  | 'done'
  | 'not_found'
  /** It was there, and has ended or is ending. */
  | 'closed'
  /** Its queue is full and the policy refuses new messages. */
  | 'full'
  /** Its worker did not answer in time. */
  | 'timeout'
  /** Whether it is there cannot be told at present. */
  | 'unreachable'
  /** More channels than a connection may have. */
  | 'too_many_channels';

/** Performs an action on sessions of this worker; `undefined` for a key that it does not hold. */
export type LocalPerform = (
  key: SessionKey,
  action: KeyAction,
  bytes: Uint8Array,
  done: (outcome: KeyOutcome | undefined) => void,
) => void;

/** Where a key is looked up, here and at the sisters. */
export interface KeyDeliveryDoors {
  readonly bus: Bus;
  readonly clock: Clock;
  readonly workers: number;
  readonly directory: NodeDirectory;
  readonly perform: LocalPerform;
}

type DeliverFacts = [action: KeyAction, keys: string[]];

/** Performs actions on sessions of the whole node. */
export class KeyDelivery {
  readonly #doors: KeyDeliveryDoors;

  constructor(doors: KeyDeliveryDoors) {
    this.#doors = doors;
    doors.bus.handle('deliver', (_from, { facts, bytes }, reply) => {
      const [action, keys] = facts as unknown as DeliverFacts;
      this.#performAll(keys as SessionKey[], action, bytes, (outcomes) => {
        reply(outcomes.map((outcome) => outcome ?? 'not_found'));
      });
    });
  }

  /** `timeoutMs`: how long other workers may take. Outcomes come in the order of `keys`. */
  perform(
    keys: readonly SessionKey[],
    action: KeyAction,
    bytes: Uint8Array,
    timeoutMs: number,
    done: (outcomes: KeyOutcome[]) => void,
  ): void {
    this.#performAll(keys, action, bytes, (local) => {
      const missing: number[] = [];
      local.forEach((outcome, position) => {
        if (outcome === undefined) missing.push(position);
      });
      const outcomes = local.map((outcome) => outcome ?? 'not_found');
      if (missing.length === 0 || this.#doors.workers === 1) return done(outcomes);
      const remote = new RemoteDelivery(this.#doors, { action, bytes, timeoutMs });
      const missingKeys = missing.map((position) => keys[position] as SessionKey);
      remote.run(missingKeys, (found) => {
        missing.forEach((position, index) => {
          outcomes[position] = found[index] as KeyOutcome;
        });
        done(outcomes);
      });
    });
  }

  #performAll(
    keys: readonly SessionKey[],
    action: KeyAction,
    bytes: Uint8Array,
    done: (outcomes: (KeyOutcome | undefined)[]) => void,
  ): void {
    const outcomes: (KeyOutcome | undefined)[] = new Array(keys.length).fill(undefined);
    let outstanding = keys.length;
    if (outstanding === 0) return done(outcomes);
    for (let position = 0; position < keys.length; position++) {
      this.#doors.perform(keys[position] as SessionKey, action, bytes, (outcome) => {
        outcomes[position] = outcome;
        outstanding--;
        if (outstanding === 0) done(outcomes);
      });
    }
  }
}

/** One delivery to other workers: find the holders, go there, and look again where that failed. */
class RemoteDelivery {
  readonly #doors: KeyDeliveryDoors;
  readonly #action: KeyAction;
  readonly #bytes: Uint8Array;
  readonly #deadlineMs: number;

  constructor(doors: KeyDeliveryDoors, message: { action: KeyAction; bytes: Uint8Array; timeoutMs: number }) {
    this.#doors = doors;
    this.#action = message.action;
    this.#bytes = message.bytes;
    const boundMs = message.timeoutMs > 0 ? message.timeoutMs : LIMITS.sisterWaitMs;
    this.#deadlineMs = doors.clock.monotonicMs() + boundMs;
  }

  run(keys: readonly SessionKey[], done: (outcomes: KeyOutcome[]) => void): void {
    this.#doors.directory.find(keys, (found) => {
      const outcomes: KeyOutcome[] = new Array(keys.length).fill('not_found');
      const bySlot = new Map<WorkerSlot, number[]>();
      const everywhere: number[] = [];
      found.forEach((place: Whereabouts, position) => {
        if (place === 'unknown') everywhere.push(position);
        // A key that the directory places here has just ended here: it is not found.
        else if (place !== 'nowhere' && place !== this.#doors.bus.self.slot) pushTo(bySlot, place, position);
      });
      const portions = [...bySlot].map(([slot, positions]) => ({ slot, positions }));
      let outstanding = portions.length + 1;
      const settle = (): void => {
        outstanding--;
        if (outstanding === 0) done(outcomes);
      };
      for (const { slot, positions } of portions) this.#ask(slot, keys, positions, outcomes, settle);
      this.#askEveryone(keys, everywhere, outcomes, settle);
    });
  }

  #ask(
    slot: WorkerSlot,
    keys: readonly SessionKey[],
    positions: readonly number[],
    outcomes: KeyOutcome[],
    settle: () => void,
  ): void {
    this.#deliver(slot, keys, positions, (answer) => {
      positions.forEach((position, index) => {
        outcomes[position] = answer.ok
          ? ((answer.value.facts as KeyOutcome[])[index] as KeyOutcome)
          : failure(answer.error);
      });
      settle();
    });
  }

  /** The homes do not know: every sister is asked once, and silence is not "not found". */
  #askEveryone(
    keys: readonly SessionKey[],
    positions: readonly number[],
    outcomes: KeyOutcome[],
    settle: () => void,
  ): void {
    const { bus, workers } = this.#doors;
    let outstanding = positions.length === 0 ? 0 : workers - 1;
    if (outstanding === 0) return settle();
    for (let slot = 0; slot < workers; slot++) {
      if (slot === bus.self.slot) continue;
      this.#deliver(slot, keys, positions, (answer) => {
        positions.forEach((position, index) => {
          const outcome = answer.ok
            ? ((answer.value.facts as KeyOutcome[])[index] as KeyOutcome)
            : failure(answer.error);
          outcomes[position] = moreCertain(outcomes[position] as KeyOutcome, outcome);
        });
        outstanding--;
        if (outstanding === 0) settle();
      });
    }
  }

  #deliver(
    slot: WorkerSlot,
    keys: readonly SessionKey[],
    positions: readonly number[],
    done: (answer: Result<BusAnswer, BusFailure>) => void,
  ): void {
    const facts = [this.#action, positions.map((position) => keys[position])] as unknown as Json;
    const leftMs = Math.max(1, this.#deadlineMs - this.#doors.clock.monotonicMs());
    this.#doors.bus.ask(slot, { kind: 'deliver', facts, bytes: this.#bytes }, leftMs, done);
  }
}

function failure(error: BusFailure): KeyOutcome {
  return error === 'timeout' ? 'timeout' : 'unreachable';
}

/** Of two workers' words about one key: who has it knows best, and silence beats a denial. */
function moreCertain(left: KeyOutcome, right: KeyOutcome): KeyOutcome {
  if (right === 'not_found') return left;
  if (left === 'not_found') return right;
  return failureLike(left) ? right : left;
}

function failureLike(outcome: KeyOutcome): boolean {
  return outcome === 'timeout' || outcome === 'unreachable';
}
