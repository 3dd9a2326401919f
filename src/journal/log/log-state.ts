/**
 * What the log is, without its entries: a value that each fact turns into the next one.
 *
 * The same function follows the facts while they are written and when they are read again, so that
 * a start cannot come to another state than the run before it. Pure.
 */
import { assert } from '../../base/index.ts';
import type { Index, VotePromise } from '../../consensus/index.ts';
import type { LogItem, SnapshotPlace } from './item-codec.ts';

/** Repeated at the head of each segment, because the segments before it may be gone. */
export interface LogState {
  readonly promise: VotePromise;
  readonly incarnation: string | null;
  readonly muted: boolean;
  readonly snapshot: SnapshotPlace | null;
  readonly lastIndex: Index;
}

/** A log that nothing was ever written to. */
export const EMPTY_LOG: LogState = {
  promise: { ballot: 0, votedFor: null },
  incarnation: null,
  muted: false,
  snapshot: null,
  lastIndex: 0,
};

/** Why a fact cannot follow a state; null: it can. It would be a bug of whoever says it. */
export function objectionTo(state: LogState, item: LogItem): string | null {
  if (item.type === 'entries') return objectionToEntries(state, item.entries);
  if (item.type === 'state') return null;
  const { index } = item.place;
  if (index < (state.snapshot?.index ?? 0)) return `a snapshot at ${index} follows a newer one`;
  if (item.installed || index <= state.lastIndex) return null;
  return `a snapshot at ${index} was made of a log that ends at ${state.lastIndex}`;
}

/** The state that a fact leads to. */
export function nextState(state: LogState, item: LogItem): LogState {
  if (item.type === 'entries') {
    const last = item.entries.at(-1);
    return last === undefined ? state : { ...state, lastIndex: last.index };
  }
  if (item.type === 'snapshot') {
    const lastIndex = item.installed ? item.place.index : state.lastIndex;
    return { ...state, snapshot: item.place, lastIndex };
  }
  return {
    ...state,
    promise: item.promise ?? state.promise,
    incarnation: item.incarnation ?? state.incarnation,
    muted: item.muted ?? state.muted,
  };
}

function objectionToEntries(state: LogState, entries: readonly { readonly index: Index }[]): string | null {
  const first = entries[0];
  if (first === undefined) return null;
  entries.forEach((entry, place) => {
    assert(entry.index === first.index + place, 'entries are contiguous');
  });
  if (first.index > state.lastIndex + 1) return `entry ${first.index} follows ${state.lastIndex}`;
  const covered = state.snapshot?.index ?? 0;
  if (first.index <= covered) return `entry ${first.index} is covered by the snapshot at ${covered}`;
  return null;
}
