/**
 * Members that turn out to speak the original protocol only, and what the master does about them.
 *
 * In `interop` they become foreign: fed with what is committed, never counted. In `strict` they are
 * not wanted and leave again. A member that has spoken the safe protocol before is left alone: an
 * answer without it comes from something else at its address, and is no reason to change the log.
 */
import { LOG_LIMITS, type Logger, type Timers } from '../base/index.ts';
import type { Configuration, MemberChange, MemberName } from '../consensus/index.ts';
import type { Settled } from './doors.ts';
import type { LogMode } from './log-options.ts';

/** What deciding about a member needs. */
export interface DiscoveryDoors {
  readonly mode: LogMode;
  readonly timers: Timers;
  readonly logger: Logger;
  readonly isMaster: () => boolean;
  readonly configuration: () => Configuration;
  readonly change: (change: MemberChange, done: Settled) => void;
}

/** Acts on each discovery once, until the log has taken it. */
export class Discoveries {
  readonly #doors: DiscoveryDoors;
  /** At most as many as there are members. */
  readonly #busy = new Set<MemberName>();

  constructor(doors: DiscoveryDoors) {
    this.#doors = doors;
  }

  /** `name` answered a message of ours without the safe protocol. */
  spokeForeign(name: MemberName): void {
    const { mode, logger, isMaster, configuration, change } = this.#doors;
    const member = configuration().members.find((each) => each.name === name);
    if (!isMaster() || member === undefined || member.role === 'foreign' || this.#busy.has(name)) return;
    this.#busy.add(name);
    if (member.storage !== null) {
      logger.warn({ member: name }, 'a member answered without the safe protocol, which it spoke before');
      this.#rest(name);
      return;
    }
    if (mode === 'strict') {
      logger.error({ member: name }, 'a peer without the safe protocol is refused; `interop` would feed it');
      change({ type: 'remove', name }, () => this.#rest(name));
    } else {
      logger.warn({ member: name }, 'a member speaks the original protocol: it is fed, and never counted');
      change({ type: 'foreign', name }, () => this.#rest(name));
    }
  }

  #rest(name: MemberName): void {
    this.#doors.timers.after(LOG_LIMITS.discoveryRetryMs, () => this.#busy.delete(name));
  }
}
