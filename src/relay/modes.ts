/**
 * What each mode of a node lets in: one table of mode and situation, and what follows from it.
 *
 * A channel session is the time in which a channel has at least one connection. Connections that
 * are open stay in every mode, and what is passed on to the application's own servers is no matter
 * of modes; so neither has a row here. Who finds out whether a channel has a session is the gateway.
 */

import type { Mode } from '../base/index.ts';

/** What a mode is asked about. */
export type ModeSituation =
  /** A client asks for a connection; the application has not been asked. */
  | 'connect'
  /** The application admitted it to channels that all have a session. */
  | 'admitted_live'
  /** The application admitted it to channels of which one has no session. */
  | 'admitted_new'
  /** The application admitted it and named no channel. */
  | 'admitted_without'
  /** Everybody has noted it, and the 101 is about to go. */
  | 'open'
  /** `/subscribe` names channels that all have a session, for a connection of this node. */
  | 'subscribe_live'
  /** `/subscribe` names a channel without a session. */
  | 'subscribe_new';

/** Whether it may go on. */
export type ModeVerdict = 'pass' | 'refuse';

type Row = Readonly<Record<ModeSituation, ModeVerdict>>;

/** Nobody comes in, and nobody who is here begins anything that would have to be moved away later. */
const CLOSED: Row = {
  connect: 'refuse',
  admitted_live: 'refuse',
  admitted_new: 'refuse',
  admitted_without: 'refuse',
  open: 'refuse',
  subscribe_live: 'pass',
  subscribe_new: 'refuse',
};

const TABLE: Readonly<Record<Mode, Row>> = {
  normal: {
    connect: 'pass',
    admitted_live: 'pass',
    admitted_new: 'pass',
    admitted_without: 'pass',
    open: 'pass',
    subscribe_live: 'pass',
    subscribe_new: 'pass',
  },
  block_new_session: {
    // The channels are in the application's answer, so it has to be asked first.
    connect: 'pass',
    admitted_live: 'pass',
    admitted_new: 'refuse',
    // A connection without a channel belongs to no session that is there.
    admitted_without: 'refuse',
    // Its channels have been joined: what they would have begun has begun, or was refused.
    open: 'pass',
    subscribe_live: 'pass',
    subscribe_new: 'refuse',
  },
  block_new_connection: CLOSED,
  initial: CLOSED,
};

/** The verdict of a mode on a situation. */
export function modeVerdict(mode: Mode, situation: ModeSituation): ModeVerdict {
  return TABLE[mode][situation];
}

/** Which channels somebody may be put into: any, only those with a session, or none. */
export type ChannelAccess = 'any' | 'live' | 'none';

/** How the channels of a connection that the application admitted are joined. */
export function admittedAccess(mode: Mode, channels: number): ChannelAccess {
  if (channels === 0) return modeVerdict(mode, 'admitted_without') === 'pass' ? 'any' : 'none';
  return accessOf(modeVerdict(mode, 'admitted_live'), modeVerdict(mode, 'admitted_new'));
}

/** How the channels of a `/subscribe` are joined. */
export function subscribeAccess(mode: Mode): ChannelAccess {
  return accessOf(modeVerdict(mode, 'subscribe_live'), modeVerdict(mode, 'subscribe_new'));
}

/** What a client is told whom a mode keeps out; stable, because clients may look for it. */
export function modeReason(mode: Mode): string {
  return `the node is in mode ${mode}`;
}

function accessOf(live: ModeVerdict, fresh: ModeVerdict): ChannelAccess {
  if (fresh === 'pass') return 'any';
  return live === 'pass' ? 'live' : 'none';
}
