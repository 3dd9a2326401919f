/**
 * The one who obeys a master: takes its entries and snapshots, and says how far it got.
 *
 * Every answer here promises something, so it waits for the disk. Entries that contradict the
 * master's are removed; what matches is left alone, because the master's message may be an old one
 * (Raft 5.3). Learners and joiners are followers as well; this file does not tell them apart. What
 * contradicts what is committed is neither taken nor answered: an answer would count as a yes to rounds.
 */
import { appendContradiction, pieceContradiction, snapshotContradiction } from './contradiction.ts';
import type { Core } from './core.ts';
import { SnapshotAssembly } from './snapshot-assembly.ts';
import type { Entry, Index, MemberName, Request } from './types.ts';

type Asked<Type extends Request['type']> = Extract<Request, { readonly type: Type }>;

/** The follower in a replica. */
export class Follower {
  readonly #core: Core;
  readonly #assembly: SnapshotAssembly;

  constructor(core: Core) {
    this.#core = core;
    this.#assembly = new SnapshotAssembly(core.settings.snapshotBytesMax);
  }

  /** Takes an append of the master of the promised ballot, or refuses one of an earlier ballot. */
  append(from: MemberName, question: Asked<'append'>): void {
    if (question.ballot < this.#core.promise.ballot) {
      this.#answerAppend(from, question, false, 0);
      return;
    }
    const { log } = this.#core;
    const contradiction = this.#rival(from) ?? appendContradiction(log, this.#core.commitIndex, question);
    if (contradiction !== null) {
      this.#refuse(from, contradiction);
      return;
    }
    this.#heed(from);
    this.#noteContact(question);
    const { prevIndex, prevBallot, entries, commitIndex } = question;
    // What lies before the base is committed, and the master has it.
    const agrees = prevIndex < log.baseIndex || log.holds(prevIndex, prevBallot);
    if (!agrees) {
      this.#answerAppend(from, question, false, log.lastUpTo(prevIndex, prevBallot));
      return;
    }
    this.#take(entries);
    const matchIndex = prevIndex + entries.length;
    this.#core.commitIndex = Math.max(
      this.#core.commitIndex,
      Math.min(commitIndex, matchIndex, log.lastIndex),
    );
    this.#readmit(question, matchIndex);
    this.#answerAppend(from, question, true, matchIndex);
  }

  /** Takes a piece of a snapshot; true when the state was replaced by it. */
  snapshot(from: MemberName, question: Asked<'snapshot'>): boolean {
    const { log, promise } = this.#core;
    if (question.ballot < promise.ballot) {
      this.#answerSnapshot(from, question, 0, false);
      return false;
    }
    const { commitIndex } = this.#core;
    const contradiction = this.#rival(from) ?? pieceContradiction(log, commitIndex, question);
    if (contradiction !== null) return this.#refuse(from, contradiction);
    this.#heed(from);
    const { index, lastBallot, totalBytes } = question;
    // Whoever has the entry has all before it; to start over from here would drop what comes after.
    if (index <= commitIndex || log.holds(index, lastBallot)) {
      this.#core.commitIndex = Math.max(commitIndex, index);
      this.#assembly.drop();
      this.#answerSnapshot(from, question, totalBytes, true);
      return false;
    }
    const { offset, whole } = this.#assembly.take(question);
    const flaw = whole === null ? null : snapshotContradiction(whole);
    if (flaw !== null) return this.#refuse(from, flaw);
    if (whole !== null) this.#core.replaceBy(whole);
    this.#answerSnapshot(from, question, offset, whole !== null);
    return whole !== null;
  }

  #refuse(from: MemberName, contradiction: string): false {
    this.#core.contradicted(from, contradiction);
    return false;
  }

  /** A ballot has one master: whoever else says that it is it, is not. */
  #rival(from: MemberName): string | null {
    const { master } = this.#core;
    return master === null || master === from ? null : `${master} is the master of this ballot`;
  }

  /** The sender is the master of the promised ballot. */
  #heed(from: MemberName): void {
    const core = this.#core;
    const { promise, nowMs } = core;
    if (core.master === null) {
      core.master = from;
      core.outbox.notice({ type: 'master_known', master: from, ballot: promise.ballot });
    }
    core.heardMs = nowMs;
    core.restTillElection();
  }

  /**
   * What was committed at that time is known to a master once its no-op is: this replica's state has
   * to be there. A piece of a snapshot is no contact in this sense, as the state is behind it by nature.
   */
  #noteContact({ contact, commitIndex, firstIndex }: Asked<'append'>): void {
    const { clockMs, clockStartMs, contact: bound } = this.#core;
    bound.heard(contact, clockStartMs, clockMs, Math.max(commitIndex, firstIndex));
  }

  #take(entries: readonly Entry[]): void {
    const core = this.#core;
    for (const entry of entries) {
      if (entry.index <= core.log.baseIndex) continue;
      if (entry.index <= core.log.lastIndex) {
        if (core.log.ballotAt(entry.index) === entry.ballot) continue;
        core.truncate(entry.index);
      }
      core.append(entry);
    }
  }

  /** Counts again once everything is here that may have been lost, and it is known to be of this life. */
  #readmit({ readmitAt, contact: { echoMs } }: Asked<'append'>, matchIndex: Index): void {
    const core = this.#core;
    if (!core.muted || readmitAt === null || readmitAt > matchIndex) return;
    if (echoMs !== null && echoMs >= core.clockStartMs && echoMs <= core.clockMs) core.unmute();
  }

  #answerAppend(
    from: MemberName,
    { call, round }: Asked<'append'>,
    granted: boolean,
    matchIndex: Index,
  ): void {
    const core = this.#core;
    const matchBallot = granted || matchIndex < core.log.baseIndex ? 0 : core.log.ballotAt(matchIndex);
    // Written out, as is its question: most messages are these two, and copying fields costs more.
    core.outbox.sendAfter(from, {
      type: 'append_answer',
      call,
      ballot: core.promise.ballot,
      sender: core.sender,
      granted,
      matchIndex,
      matchBallot,
      round,
      clockMs: core.clockMs,
    });
  }

  #answerSnapshot(
    from: MemberName,
    { call, index, round }: Asked<'snapshot'>,
    offset: number,
    installed: boolean,
  ): void {
    const core = this.#core;
    const answer = { ...core.answer(call), index, offset, installed, round, clockMs: core.clockMs };
    core.outbox.sendAfter(from, { type: 'snapshot_answer', ...answer });
  }
}
