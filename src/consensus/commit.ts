/**
 * The commit point: up to where the log can no longer change.
 *
 * An entry is committed when a majority of the voters has it on disk, and when it is of the master's
 * own ballot: one of an earlier ballot may be on a majority and still be replaced (Raft 5.4.2), so it
 * is committed only along with one of the own ballot behind it. That is what the no-op at the
 * beginning of each ballot is for.
 */
import type { Log } from './log.ts';
import { majorityValue } from './quorum.ts';
import type { Ballot, Index } from './types.ts';

/**
 * The highest index that is committed in `ballot`, or 0 if no entry of that ballot is. `durable`: for
 * each voter of the latest configuration, up to where its disk holds the master's log.
 */
export function commitPoint(log: Log, ballot: Ballot, durable: readonly Index[]): Index {
  const index = majorityValue(durable);
  return index > log.baseIndex && log.ballotAt(index) === ballot ? index : 0;
}
