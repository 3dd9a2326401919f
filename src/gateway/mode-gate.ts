/**
 * The node's mode as one worker acts on it: what is let in now, and how much was kept out.
 *
 * Holds the newest grant of the supervisor; the rules are in `relay/modes.ts`. Counting what a mode
 * refused is done here, so that all of it is in one figure; answering is up to whoever asked.
 */
import type { Clock, Meter, Mode } from '../base/index.ts';
import type { LiveConfig } from '../config/index.ts';
import {
  admittedAccess,
  type ChannelAccess,
  Grant,
  type Granted,
  type ModeSituation,
  modeReason,
  modeVerdict,
  subscribeAccess,
} from '../relay/index.ts';

/** What the gate stands on. */
export interface ModeGateDoors {
  readonly live: LiveConfig;
  readonly clock: Clock;
  readonly meter: Meter;
}

/** What was refused: a connection, a change of channels, or a message to a channel. */
export type RefusedByMode = 'connect' | 'subscribe' | 'publish';

/** The mode that holds for one worker. */
export class ModeGate {
  readonly #doors: ModeGateDoors;
  readonly #grant = new Grant();
  readonly #refusals: ReturnType<Meter['counter']>;

  constructor(doors: ModeGateDoors) {
    this.#doors = doors;
    this.#refusals = doors.meter.counter({
      name: 'arrokoth_mode_refusals_total',
      help: "What the node's mode refused, by mode and by what was asked for.",
      labels: ['mode', 'what'],
    });
  }

  /** The supervisor's permission to admit, until it is too old. */
  grant(granted: Granted): void {
    this.#grant.renew(granted, this.#doors.clock.monotonicMs());
  }

  /** The mode that holds now. */
  get mode(): Mode {
    return this.#standing().mode;
  }

  /** Whether a channel message may be ordered: on a node cut off, another may own the channel by now. */
  mayOrder(): boolean {
    const { mode, isolated } = this.#standing();
    if (isolated) this.refused('publish', mode);
    return !isolated;
  }

  /** Why somebody is kept out now, or null. */
  reason(situation: Extract<ModeSituation, 'connect' | 'open'>): string | null {
    const { mode } = this.#standing();
    return modeVerdict(mode, situation) === 'pass' ? null : modeReason(mode);
  }

  /** How a connection that the application admitted is put into its channels. */
  admitted(channels: number): ChannelAccess {
    return admittedAccess(this.#standing().mode, channels);
  }

  /** How a connection that is open is put into further channels. */
  subscribing(): ChannelAccess {
    return subscribeAccess(this.#standing().mode);
  }

  /** Counts one refusal; `mode`: the one that decided, which may have changed since. */
  refused(what: RefusedByMode, mode: Mode): void {
    this.#refusals.add(1, { mode, what });
  }

  #standing() {
    const { clock, live } = this.#doors;
    return this.#grant.at(clock.monotonicMs(), live.current.isolationTimeoutMs);
  }
}
