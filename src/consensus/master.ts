/**
 * The master of one ballot: takes proposals, sends the log, finds what is committed.
 *
 * Begins with a no-op, because only entries of the own ballot are committed by counting. Sends
 * before its own disk has an entry, and counts itself only when it has (Raft thesis 10.2.1). Resigns
 * when it has not heard of a majority for an election time. Driven by `replica.ts`, which also
 * decides when it is deposed; it never becomes master again, the next ballot has another object.
 */
import type { Victory } from './candidate.ts';
import { CatchUp } from './catch-up.ts';
import { commitPoint } from './commit.ts';
import { allKnow, isVoter } from './configuration.ts';
import { Rounds } from './contact.ts';
import type { Core } from './core.ts';
import { askToCampaign, Handover } from './handover.ts';
import { payloadBytes } from './log.ts';
import { MemberChanges } from './member-changes.ts';
import type { Progress } from './progress.ts';
import type { RefusalReason } from './proposals.ts';
import { type PendingRead, ReadQueue } from './reads.ts';
import { Roster } from './roster.ts';
import type { Answer, Ballot, Entry, Index, MemberChange, MemberName, Payload } from './types.ts';

type Answered<Type extends Answer['type']> = Extract<Answer, { readonly type: Type }>;
/** One submission. */
export type Changes = Extract<Payload, { readonly type: 'changes' }>;

/** The master in a replica. */
export class Master {
  readonly ballot: Ballot;
  /** Its no-op. */
  readonly firstIndex: Index;
  readonly #core: Core;
  readonly #roster: Roster;
  readonly #rounds: Rounds;
  readonly #catchUp: CatchUp;
  readonly #reads = new ReadQueue();
  readonly #changes: MemberChanges;
  #handover: Handover | null = null;
  #heartbeatMs: number;
  /** When followers are to hear of the commit, if no entries tell them before. */
  #newsMs = Number.POSITIVE_INFINITY;
  /** There may be something to send to everybody. */
  #isDirty = true;
  /** The membership policy is to be asked. */
  #isPolicyDue = true;
  #isAnnounced = false;
  #isResigning = false;

  constructor(core: Core, { ballot, askedMs, vouched }: Victory) {
    this.#core = core;
    this.ballot = ballot;
    this.firstIndex = core.log.lastIndex + 1;
    core.master = core.name;
    core.outbox.notice({ type: 'master_known', master: core.name, ballot });
    core.proposals.reinstated(core.log);
    this.#roster = new Roster(core, vouched);
    this.#rounds = new Rounds(askedMs);
    this.#catchUp = new CatchUp(core, ballot, this.firstIndex, this.#rounds);
    this.#changes = new MemberChanges(core);
    this.#heartbeatMs = core.nowMs + core.settings.heartbeatMs;
    this.#rounds.begin(core.nowMs);
    this.#append({ type: 'noop' });
  }

  /** Everybody who is sent to, and what is known of each. */
  get members(): Iterable<Progress> {
    return this.#roster.all();
  }

  /** Time since the beginning of the newest round that a majority acknowledged. */
  get contactAgeMs(): number {
    return this.#core.nowMs - this.#rounds.confirmedMs;
  }

  /** True when the no-op is applied: the state holds all that was ever acknowledged. */
  get isAnnounced(): boolean {
    return this.#isAnnounced;
  }

  /** True when the no-op is applied, and a majority was heard of so lately that no other can be elected. */
  get isConfirmed(): boolean {
    return this.#isAnnounced && this.contactAgeMs < this.#core.settings.electionMinMs;
  }

  /** True when it should stop being the master, although nobody else is known to be. */
  get isResigning(): boolean {
    return this.#isResigning;
  }

  /** When there is something to do at the latest. */
  get wakeAtMs(): number {
    return Math.min(this.#heartbeatMs, this.#newsMs);
  }

  /** Takes a submission, or settles it at once. */
  propose(id: number, payload: Changes): void {
    const { requests, log, appliedIndex, proposals, settings } = this.#core;
    const repeated = payload.requestId === null ? undefined : requests.find(payload.requestId);
    if (repeated !== undefined) {
      if (repeated > appliedIndex) proposals.add(id, log.entryAt(repeated), 0);
      else this.#core.outbox.settle({ id, type: 'committed', index: repeated });
      return;
    }
    const bytes = payloadBytes(payload);
    const { kind, version } = payload;
    if (bytes > settings.entryBytesMax) {
      this.#refuse(id, 'too_large', `${bytes} bytes are more than ${settings.entryBytesMax}`);
    } else if (!allKnow(log.configuration, kind, version)) {
      this.#refuse(id, 'unknown_kind', `not every member knows ${kind} in version ${version}`);
    } else if (this.#handover !== null) {
      this.#refuse(id, 'busy', `${this.#handover.to} is about to be the master`);
    } else if (this.contactAgeMs >= settings.electionMinMs) {
      this.#refuse(id, 'not_confirmed', 'a majority of the voters was not heard of lately');
    } else if (
      proposals.count >= settings.proposalsMax ||
      proposals.bytes + bytes > settings.proposalBytesMax
    ) {
      this.#refuse(id, 'busy', 'too many proposals wait for their commit');
    } else {
      proposals.add(id, this.#append(payload), bytes);
    }
  }

  /** Notes a change of the membership; its turn comes when the one before is committed. */
  changeMember(id: number, change: MemberChange): void {
    this.#changes.add({ id, change });
  }

  /** Hands the mastership to `to`, or to the voter that is best prepared. */
  transfer(id: number, to: MemberName | null): void {
    const name = to ?? this.#roster.successor()?.name ?? null;
    const progress = name === null ? undefined : this.#roster.of(name);
    if (this.#handover !== null) {
      this.#refuse(id, 'busy', `${this.#handover.to} is about to be the master`);
    } else if (
      progress?.storage == null ||
      !isVoter(this.#core.log.configuration, progress.name, progress.storage)
    ) {
      this.#refuse(id, 'members', 'no other voter can be the master now');
    } else {
      this.#handover = new Handover(this.#core, id, progress.name);
    }
  }

  /** Notes a read; it is answered when a round that begins from now on is acknowledged. */
  read(read: PendingRead): void {
    if (this.#reads.count < this.#core.settings.readsMax) this.#reads.add(read);
    else this.#refuseRead(read);
  }

  /** Somebody asked for votes; who is no member is told so. */
  askedForVotes(from: MemberName): void {
    if (this.#core.log.configurationIndex <= this.#core.commitIndex) this.#roster.tell(from);
  }

  /** A member answered. */
  answered(from: MemberName, answer: Answered<'append_answer'> | Answered<'snapshot_answer'>): void {
    const { nowMs, nextCall, log } = this.#core;
    const progress = this.#roster.of(from);
    if (progress === undefined || answer.ballot !== this.ballot) return;
    if (answer.call < progress.answersFrom || answer.call >= nextCall) return;
    progress.heard(answer.sender, nowMs, nextCall);
    progress.clockMs = Math.max(progress.clockMs ?? 0, answer.clockMs);
    progress.round = Math.max(progress.round, Math.min(answer.round, this.#rounds.round));
    if (progress.muted) {
      progress.readmitAt ??= this.#roster.isVouched(progress) ? this.firstIndex : log.lastIndex + 1;
    }
    if (answer.type === 'append_answer') this.#catchUp.appendAnswered(progress, answer);
    else this.#catchUp.snapshotAnswered(progress, answer);
    this.#roster.acknowledged(progress, answer.call);
    this.#isDirty = true;
  }

  /** Sends the heartbeat when it is due, and judges what has taken too long. */
  tick(): void {
    const { nowMs, settings } = this.#core;
    if (nowMs < this.#heartbeatMs) return;
    this.#heartbeatMs = nowMs + settings.heartbeatMs;
    this.#roster.prune();
    for (const progress of this.#roster.all()) this.#catchUp.expire(progress);
    this.#beginRound();
    this.#isDirty = true;
    this.#isPolicyDue = true;
    if (this.#handover?.isOver === true) {
      this.#handover.failed();
      this.#handover = null;
    }
    if (this.contactAgeMs > settings.electionMaxMs) this.#isResigning = true;
  }

  /** Finds what is committed by now; to be called before anything is handed out. */
  advance(): void {
    const core = this.#core;
    const durable = this.#roster.reached(({ matchIndex }) => matchIndex, core.saving.durableIndex);
    const index = commitPoint(core.log, this.ballot, durable);
    if (index > core.commitIndex) {
      if (core.log.configurationIndex > core.commitIndex) this.#isPolicyDue = true;
      core.commitIndex = index;
      this.#newsMs = Math.min(this.#newsMs, core.nowMs + core.settings.commitNewsMs);
    }
    this.#confirmRounds();
  }

  /** Does what became possible by what was handed out, and sends all there is to send. */
  flush(): void {
    this.#announce();
    this.#changeMembers();
    this.#readmit();
    this.#confirmReads();
    this.#hurryHandover();
    if (this.#isDirty) this.#feed();
    if (this.#core.nowMs >= this.#newsMs) this.#tellCommit();
  }

  /** Somebody else is the master, or nobody: whoever waits is told. */
  depose(): void {
    const { outbox, proposals, nowMs, settings, master, promise, contact, clockMs } = this.#core;
    for (const read of this.#reads.drain()) this.#refuseRead(read);
    this.#changes.drop(master);
    proposals.deposed(nowMs + settings.electionMaxMs);
    if (promise.ballot > this.ballot) this.#handover?.succeeded();
    else this.#handover?.failed();
    if (!this.#isAnnounced) return;
    outbox.notice({ type: 'lost_master', ballot: this.ballot });
    contact.at(clockMs - this.contactAgeMs);
  }

  #append(payload: Payload): Entry {
    const entry: Entry = { index: this.#core.log.lastIndex + 1, ballot: this.ballot, payload };
    this.#core.append(entry);
    this.#isDirty = true;
    if (payload.type === 'members') this.#roster.adopt(payload.configuration);
    return entry;
  }

  #refuse(id: number, reason: RefusalReason, detail: string): void {
    this.#core.outbox.settle({ id, type: 'refused', reason, master: this.#core.name, detail });
  }

  #announce(): void {
    const core = this.#core;
    if (core.appliedIndex < this.firstIndex) return;
    if (!this.#isAnnounced) core.outbox.notice({ type: 'became_master', ballot: this.ballot });
    this.#isAnnounced = true;
    // Elected by all members, and committed by them: what this node lost, nobody else has either.
    if (core.muted) core.unmute();
    if (core.isVoter || core.log.configurationIndex > core.appliedIndex || this.#isResigning) return;
    this.#tellCommit();
    const successor = this.#roster.successor();
    if (successor !== null) askToCampaign(core, successor.name, this.ballot);
    this.#isResigning = true;
  }

  #changeMembers(): void {
    const { log, commitIndex, proposals } = this.#core;
    if (!this.#isAnnounced || log.configurationIndex > commitIndex || this.#isResigning) return;
    if (this.#handover !== null) return;
    if (!this.#isPolicyDue && !this.#changes.isAsked) return;
    this.#isPolicyDue = false;
    const chosen = this.#changes.next(() => this.#roster.facts());
    if (chosen === null) return;
    const entry = this.#append({ type: 'members', configuration: chosen.configuration });
    if (chosen.id !== null) proposals.add(chosen.id, entry, 0);
  }

  /** Who lost something counts again at an index of its own time; if nobody proposes one, a no-op is it. */
  #readmit(): void {
    for (const { readmitAt } of this.#roster.all()) {
      if (readmitAt !== null && readmitAt > this.#core.log.lastIndex) this.#append({ type: 'noop' });
    }
  }

  #confirmReads(): void {
    const { nowMs, settings } = this.#core;
    const { newestRound } = this.#reads;
    const isUnderWay = newestRound > this.#rounds.confirmed;
    // One round at a time, so that a flood of reads is not a flood of messages; a lost one is repeated.
    const isYoung = isUnderWay && nowMs - this.#rounds.begunMs(newestRound) < settings.heartbeatMs;
    if (this.#reads.needsRound && !isYoung) this.#beginRound();
    if (!this.#isAnnounced) return;
    for (const read of this.#reads.confirmed(this.#rounds.confirmed)) this.#answerRead(read);
  }

  #beginRound(): void {
    this.#rounds.begin(this.#core.nowMs);
    this.#reads.begun(this.#rounds.round);
    for (const progress of this.#roster.all()) this.#catchUp.heartbeat(progress);
    this.#confirmRounds();
  }

  #confirmRounds(): void {
    this.#rounds.confirm(this.#roster.majority(({ round }) => round, this.#rounds.round));
  }

  #answerRead({ id, asker }: PendingRead): void {
    const { outbox, commitIndex: index, name } = this.#core;
    if (asker === null) {
      outbox.read({ id, type: 'ready', index });
      return;
    }
    outbox.send(asker, { type: 'read_answer', ...this.#core.answer(id), index, master: name });
    // The asker waits until it may apply this index.
    const progress = this.#roster.of(asker);
    if (progress !== undefined && progress.toldCommit < index) this.#catchUp.heartbeat(progress);
  }

  #refuseRead({ id, asker }: PendingRead): void {
    const { outbox, master } = this.#core;
    if (asker === null) outbox.read({ id, type: 'refused', master });
    else outbox.send(asker, { type: 'read_answer', ...this.#core.answer(id), index: null, master });
  }

  #hurryHandover(): void {
    if (this.#handover === null) return;
    const matchIndex = this.#roster.of(this.#handover.to)?.matchIndex;
    if (matchIndex === this.#core.log.lastIndex) this.#handover.ask(this.ballot);
  }

  #feed(): void {
    this.#isDirty = false;
    let isNews = false;
    for (const progress of this.#roster.all()) {
      this.#catchUp.feed(progress);
      isNews ||= this.#isNewsTo(progress);
    }
    // The entries have told of the commit: under a steady load, a message for it alone would be one in five.
    if (!isNews) this.#newsMs = Number.POSITIVE_INFINITY;
  }

  #tellCommit(): void {
    this.#newsMs = Number.POSITIVE_INFINITY;
    for (const progress of this.#roster.all())
      if (this.#isNewsTo(progress)) this.#catchUp.heartbeat(progress);
  }

  #isNewsTo(progress: Progress): boolean {
    return progress.toldCommit < this.#core.commitIndex && this.#catchUp.isAwake(progress);
  }
}
