/**
 * What can be done to a session by its key, and what can come of it.
 *
 * Types only: `SessionActions` performs actions on this worker, `KeyDelivery` and `RemoteDelivery`
 * carry them to where the session is.
 */
import type { ChannelName, SessionKey } from '../../base/index.ts';

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
  /** Too much waits for its worker already. */
  | 'overloaded'
  /** Whether it is there cannot be told at present. */
  | 'unreachable'
  /** A channel session would begin, and the mode of its node does not allow that. */
  | 'blocked'
  /** More channels than a connection may have. */
  | 'too_many_channels';

/** A key that is looked up on this worker. */
export interface KeyTarget {
  readonly key: SessionKey;
  /** The key's home named this worker, or did not know and everybody is asked. */
  readonly sentByHome: boolean;
}

/** Called once; `undefined` for a key that this worker does not hold. */
export type PerformDone = (outcome: KeyOutcome | undefined) => void;

/** Performs an action on sessions of this worker. */
export type LocalPerform = (
  target: KeyTarget,
  action: KeyAction,
  bytes: Uint8Array,
  done: PerformDone,
) => void;
