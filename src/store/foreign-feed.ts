/**
 * Feeds the members that speak the original's protocol, from the master: they are told what is
 * committed, and never counted.
 *
 * A thin hand for `ForeignCursor`, which decides: it makes the calls, waits, and writes what an
 * operator has to know. The driver says when this node is master, who the members are, and what it
 * has applied.
 */
import type { Cancellable, Logger, Timers } from '../base/index.ts';
import type { Ballot, Configuration, Entry, MemberName } from '../consensus/index.ts';
import type { ForeignOutcome, PeerTransport } from '../peer/index.ts';
import { type AppliedSnapshot, type FeedStatus, ForeignCursor } from './foreign-cursor.ts';

/** What feeding needs of the world. */
export interface ForeignFeedDoors {
  readonly transport: Pick<PeerTransport, 'callForeign'>;
  readonly timers: Pick<Timers, 'after'>;
  /** In [0, 1), for jitter. */
  readonly random: () => number;
  readonly logger: Logger;
  /** A member could not be started: it refused the snapshot, or did not get it in time. */
  readonly startFailed: () => void;
  /** The state as it is now, in the application's own bytes, with the index it stands at. */
  readonly snapshot: () => AppliedSnapshot;
}

/** Whom and as whom. */
export interface ForeignFeedOptions {
  readonly cluster: string;
  /** The address of this node. */
  readonly self: MemberName;
}

/** All foreign members of one cluster; idle unless this node is its master. */
export class ForeignFeeds {
  readonly #options: ForeignFeedOptions;
  readonly #doors: ForeignFeedDoors;
  #ballot: Ballot | null = null;
  #configuration: Configuration = { members: [] };
  /** The first entry of the own ballot is applied, and with it everything that was ever committed before. */
  #isCurrent = false;
  #feeds: Map<MemberName, ForeignFeed> = new Map();

  constructor(options: ForeignFeedOptions, doors: ForeignFeedDoors) {
    this.#options = options;
    this.#doors = doors;
  }

  /**
   * This node became master of `ballot`. Calls begin when it has applied an entry of that ballot: from
   * then on it is behind no earlier master, so that no member is ever taken back.
   */
  begin(ballot: Ballot, configuration: Configuration): void {
    this.end();
    this.#ballot = ballot;
    this.#configuration = configuration;
  }

  /** The latest configuration: who is fed, and whom those know. Harmless when this node is no master. */
  configure(configuration: Configuration): void {
    this.#configuration = configuration;
    if (this.#ballot === null || !this.#isCurrent) return;
    const { members } = configuration;
    const participants = members.map((member) => member.name);
    const foreign = members.filter((member) => member.role === 'foreign').map((member) => member.name);
    for (const [name, feed] of this.#feeds) {
      if (foreign.includes(name)) continue;
      feed.close();
      this.#feeds.delete(name);
    }
    for (const member of foreign) {
      const known = this.#feeds.get(member);
      if (known !== undefined) known.configure(participants);
      else this.#feeds.set(member, this.#feed(member, this.#ballot, participants));
    }
  }

  /** This node applied a committed entry, of whatever type; not called for a repeat that changed nothing. */
  applied(entry: Entry): void {
    // A later master has committed something: whatever this node still believes, it is none.
    if (this.#ballot !== null && entry.ballot > this.#ballot) this.end();
    if (entry.ballot === this.#ballot && !this.#isCurrent) {
      this.#isCurrent = true;
      this.configure(this.#configuration);
    }
    for (const feed of this.#feeds.values()) feed.applied(entry);
  }

  /** This node is master no longer, or stops. Calls under way are not taken back; nothing follows them. */
  end(): void {
    this.#ballot = null;
    this.#isCurrent = false;
    for (const feed of this.#feeds.values()) feed.close();
    this.#feeds.clear();
  }

  /** How far each member is; empty when this node is no master. */
  status(): FeedStatus[] {
    return [...this.#feeds.values()].map((feed) => feed.status);
  }

  #feed(member: MemberName, ballot: Ballot, participants: readonly MemberName[]): ForeignFeed {
    const cursor = new ForeignCursor({
      ...this.#options,
      member,
      ballot,
      participants,
      random: this.#doors.random,
      snapshot: this.#doors.snapshot,
    });
    return new ForeignFeed(member, cursor, this.#doors);
  }
}

/** One foreign member: one call or one rest at a time. */
class ForeignFeed {
  readonly #member: MemberName;
  readonly #cursor: ForeignCursor;
  readonly #doors: ForeignFeedDoors;
  readonly #logger: Logger;
  #rest: { readonly timer: Cancellable; readonly early: boolean } | null = null;
  #isCalling = false;
  #isClosed = false;

  constructor(member: MemberName, cursor: ForeignCursor, doors: ForeignFeedDoors) {
    this.#member = member;
    this.#cursor = cursor;
    this.#doors = doors;
    this.#logger = doors.logger.child({ member });
    // Not at once: the caller is in the middle of telling what changed.
    this.#restFor(0, false);
  }

  get status(): FeedStatus {
    return this.#cursor.status;
  }

  applied(entry: Entry): void {
    this.#cursor.offer(entry);
    this.#wake();
  }

  configure(participants: readonly MemberName[]): void {
    this.#cursor.configure(participants);
    this.#wake();
  }

  close(): void {
    this.#isClosed = true;
    this.#rest?.timer.cancel();
  }

  /** Ends a rest that waits for nothing but work. */
  #wake(): void {
    if (this.#rest === null || !this.#rest.early) return;
    this.#rest.timer.cancel();
    this.#restFor(0, false);
  }

  #restFor(restMs: number, early: boolean): void {
    const timer = this.#doors.timers.after(restMs, () => {
      this.#rest = null;
      this.#step();
    });
    this.#rest = { timer, early };
  }

  #step(): void {
    if (this.#isClosed || this.#isCalling) return;
    const step = this.#cursor.next();
    if (step.type === 'rest') {
      this.#restFor(step.restMs, step.early);
      return;
    }
    this.#isCalling = true;
    this.#doors.transport.callForeign(this.#member, step.call, (outcome) => {
      this.#isCalling = false;
      if (this.#isClosed) return;
      const before = this.status;
      this.#cursor.settle(outcome);
      this.#tell(before, outcome);
      this.#step();
    });
  }

  /** The way in and out, and every doubling of failures; not each retry. */
  #tell(before: FeedStatus, outcome: ForeignOutcome): void {
    const { phase, failures, instance, snapshotBytes, startsFailed } = this.status;
    if (startsFailed > before.startsFailed) this.#doors.startFailed();
    const starts = startsFailed === 0 ? {} : { snapshotBytes, startsFailed };
    const fields = { instance: String(instance), failures, ...starts };
    if (phase === 'following' && before.phase !== 'following') {
      this.#logger.info(fields, 'feeding a member that speaks the original protocol; it is never counted');
    } else if (failures > before.failures && (failures & (failures - 1)) === 0) {
      this.#logger.warn({ ...fields, detail: detailOf(outcome) }, 'member has to be started anew');
    }
  }
}

function detailOf(outcome: ForeignOutcome): string {
  if (outcome.type === 'failed') return outcome.detail;
  const { status, accepted, error } = outcome.answer;
  if (typeof accepted === 'bigint')
    return `it is in instance ${accepted}; if that is no master's, restart it`;
  return error === null ? `status ${status}` : `${error.code}: ${error.text}`;
}
