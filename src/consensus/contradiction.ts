/**
 * Whether a master's message can be true beside what is committed here.
 *
 * In a cluster whose members keep the rules it always can: a ballot has one master, and every master
 * holds all that was committed before it. A message that cannot be true comes from a member that
 * lies, is broken, or was brought back from an old copy of its disk. One message must not end a node,
 * and obeying it would take back what was promised, so it is refused whole (`follower.ts`).
 */
import { LOG_LIMITS } from '../base/index.ts';
import { isWhole } from './configuration.ts';
import type { Log } from './log.ts';
import type { Entry, Index, Request, Snapshot } from './types.ts';

type Asked<Type extends Request['type']> = Extract<Request, { readonly type: Type }>;

/** What speaks against an append; null: nothing. */
export function appendContradiction(
  log: Log,
  commitIndex: Index,
  { ballot, prevIndex, prevBallot, entries }: Asked<'append'>,
): string | null {
  if (prevIndex + entries.length > LOG_LIMITS.indexMax) return 'no log is that long';
  // Before the base nothing is known here but that all of it is committed.
  if (prevIndex >= log.baseIndex && prevIndex <= commitIndex && log.ballotAt(prevIndex) !== prevBallot) {
    return `at ${prevIndex} ballot ${log.ballotAt(prevIndex)} is committed, and it names ${prevBallot}`;
  }
  let before = prevBallot;
  for (let at = 0; at < entries.length; at++) {
    const { index, ballot: own, payload } = entries[at] as Entry;
    if (index !== prevIndex + 1 + at || own < before || own > ballot) return 'its entries are in no order';
    before = own;
    if (payload.type === 'members' && !isWhole(payload.configuration)) return NOT_WHOLE;
    if (index < log.baseIndex || index > commitIndex || log.ballotAt(index) === own) continue;
    return `at ${index} ballot ${log.ballotAt(index)} is committed, and it has ${own} there`;
  }
  return null;
}

/** What speaks against a piece of a snapshot; null: nothing. */
export function pieceContradiction(
  log: Log,
  commitIndex: Index,
  { ballot, index, lastBallot }: Asked<'snapshot'>,
): string | null {
  if (index > LOG_LIMITS.indexMax) return 'no log is that long';
  if (lastBallot > ballot) return 'its snapshot is of a later ballot than its own';
  if (index > commitIndex || index < log.baseIndex) return null;
  const own = log.ballotAt(index);
  return own === lastBallot
    ? null
    : `at ${index} ballot ${own} is committed, and its snapshot ends there with ${lastBallot}`;
}

/** What speaks against a snapshot that is complete; null: nothing. */
export function snapshotContradiction({ configuration }: Snapshot): string | null {
  return isWhole(configuration) ? null : NOT_WHOLE;
}

const NOT_WHOLE = 'its members have no names of their own, or a voter without a data directory';
