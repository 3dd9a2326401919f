/**
 * Reaches sessions by their keys, wherever on the node they are.
 *
 * Keys held by this worker are served at once. For the others the directory names the worker, the
 * message travels there once for all its keys, and what became of each comes back
 * (`remote-delivery.ts`). "Not found" is said only when it is certain, because applications forget
 * sessions on that answer.
 */
import type { Clock, SessionKey } from '../../base/index.ts';
import type { Bus } from '../../bus/index.ts';
import type { KeyAction, KeyOutcome, KeyTarget, LocalPerform } from './key-action.ts';
import type { KeyDirectory } from './key-directory.ts';
import { RemoteDelivery } from './remote-delivery.ts';

export type { KeyAction, KeyOutcome, LocalPerform } from './key-action.ts';

/** Where a key is looked up, here and at the sisters. */
export interface KeyDeliveryDoors {
  readonly bus: Bus;
  readonly clock: Clock;
  readonly directory: KeyDirectory;
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
      const targets = keys.map((key) => ({ key: key as SessionKey, sentByHome: true }));
      performAll(doors.perform, targets, { action, bytes }, (outcomes) => {
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
    const { perform, directory } = this.#doors;
    if (keys.length === 1) return this.#performOne(keys[0] as SessionKey, { action, bytes, timeoutMs }, done);
    const targets = keys.map((key) => ({ key, sentByHome: false }));
    performAll(perform, targets, { action, bytes }, (local) => {
      const missing: number[] = [];
      local.forEach((outcome, position) => {
        if (outcome === undefined) missing.push(position);
      });
      const outcomes = local.map((outcome) => outcome ?? 'not_found');
      if (missing.length === 0 || directory.alone) return done(outcomes);
      const missingKeys = missing.map((position) => keys[position] as SessionKey);
      new RemoteDelivery(this.#doors, { action, bytes, timeoutMs }).run(missingKeys, (found) => {
        missing.forEach((position, index) => {
          outcomes[position] = found[index] as KeyOutcome;
        });
        done(outcomes);
      });
    });
  }

  /** What nearly every call comes to, without the lists of the others. */
  #performOne(
    key: SessionKey,
    order: Message & { readonly timeoutMs: number },
    done: (outcomes: KeyOutcome[]) => void,
  ): void {
    const { perform, directory } = this.#doors;
    perform({ key, sentByHome: false }, order.action, order.bytes, (outcome) => {
      if (outcome !== undefined) done([outcome]);
      else if (directory.alone) done(['not_found']);
      else new RemoteDelivery(this.#doors, order).run([key], done);
    });
  }
}

interface Message {
  readonly action: KeyAction;
  readonly bytes: Uint8Array;
}

function performAll(
  perform: LocalPerform,
  targets: readonly KeyTarget[],
  { action, bytes }: Message,
  done: (outcomes: (KeyOutcome | undefined)[]) => void,
): void {
  const outcomes: (KeyOutcome | undefined)[] = new Array(targets.length).fill(undefined);
  let outstanding = targets.length;
  if (outstanding === 0) return done(outcomes);
  targets.forEach((target, position) => {
    perform(target, action, bytes, (outcome) => {
      outcomes[position] = outcome;
      outstanding--;
      if (outstanding === 0) done(outcomes);
    });
  });
}
