/**
 * Joining by itself: a node that is no member yet asks the nodes of its contact list, one by one.
 *
 * It rests longer after each round, with a jitter, and never founds a cluster by itself. Ends for good
 * when the node is a member; one that was removed waits for its operator.
 */
import { type Cancellable, type Logger, MEMBER_LIMITS, type Random, type Timers } from '../../base/index.ts';
import type { NodeName } from '../../cluster/index.ts';
import type { Membership } from './membership.ts';

/** What joining by itself takes. */
export interface AutoJoinDoors {
  readonly timers: Timers;
  readonly random: Random;
  readonly logger: Logger;
  readonly contacts: readonly NodeName[];
  readonly membership: Membership;
}

/** The rounds of one node. */
export class AutoJoin {
  readonly #doors: AutoJoinDoors;
  #pause: Cancellable | null = null;
  #rounds = 0;
  #isStopped = false;

  constructor(doors: AutoJoinDoors) {
    this.#doors = doors;
  }

  start(): void {
    if (this.#doors.contacts.length > 0) void this.#round();
  }

  stop(): void {
    this.#isStopped = true;
    this.#pause?.cancel();
  }

  async #round(): Promise<void> {
    const { contacts, membership, logger, timers, random } = this.#doors;
    for (const contact of contacts) {
      if (this.#isStopped || membership.isInitialised) return;
      const joined = await membership.join(contact);
      if (joined.ok) return logger.info({ contact, nodes: joined.value }, 'this node joined its cluster');
      // An operator's own attempt may be under way; the next round will see what came of it.
      logger.info({ contact, error: joined.error.error }, 'this node could not join through a contact');
    }
    if (this.#isStopped) return;
    const { joinRetryMs, joinRetryMaxMs } = MEMBER_LIMITS;
    const restMs = Math.min(joinRetryMs * 2 ** Math.min(this.#rounds++, 16), joinRetryMaxMs);
    this.#pause = timers.after(restMs * (0.5 + random.fraction() / 2), () => void this.#round());
  }
}
