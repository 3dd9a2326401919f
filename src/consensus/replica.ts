/**
 * One node's part in the replicated log: the door of this room.
 *
 * A plain object. Inputs only note; `take` hands over what is to be done, and the driver does it in
 * the order of the fields of `Output`. It reads no clock, draws only from the `random` that it is
 * given, calls nobody and never waits: equal inputs give equal outputs, so that any run can be
 * repeated. It throws for its own bugs only. The driver is `store/`, or the simulator.
 */
import { assert } from '../base/index.ts';
import { Candidate, mayCampaign } from './candidate.ts';
import { memberOf, votersOf } from './configuration.ts';
import { Core, type ReplicaOptions } from './core.ts';
import { Follower } from './follower.ts';
import { HandOut } from './hand-out.ts';
import { type Changes, Master } from './master.ts';
import type { Progress } from './progress.ts';
import { AskedReads } from './reads.ts';
import type {
  Ballot,
  Configuration,
  Index,
  KnownKinds,
  MemberChange,
  MemberName,
  Message,
  Output,
  Restored,
  Snapshot,
} from './types.ts';
import { Voter } from './voter.ts';

/** Ballots beyond are refused: whoever sends one could end all elections for ever. */
const BALLOT_MAX = 2 ** 48;
/** Messages whose ballot is obeyed at once. A voter decides about `vote` by itself. */
const OBEYED: ReadonlySet<Message['type']> = new Set([
  'append',
  'snapshot',
  'append_answer',
  'snapshot_answer',
  'vote_answer',
]);
/** How many ballots a muted candidate leaves out. */
const MUTED_GAP = 1_000;

/** What the founder of a cluster says. */
export interface Founding {
  readonly name: MemberName;
  readonly storage: string;
  readonly incarnation: string;
  readonly knows: KnownKinds;
}

/** How a replica stands to the cluster, by the latest configuration that it has. */
export type Standing = 'voter' | 'learner' | 'removed' | 'unjoined';

/** One node's part in the log. */
export class Replica {
  readonly #core: Core;
  readonly #handOut: HandOut;
  readonly #voter: Voter;
  readonly #follower: Follower;
  readonly #askedReads: AskedReads;
  #candidate: Candidate | null = null;
  #master: Master | null = null;
  /** Voters that refuse a pre-vote say how high they have promised; the next one is beyond. */
  #ballotSeen: Ballot = 0;

  constructor(options: ReplicaOptions) {
    this.#core = new Core(options);
    this.#handOut = new HandOut(this.#core);
    this.#voter = new Voter(this.#core);
    this.#follower = new Follower(this.#core);
    this.#askedReads = new AskedReads(this.#core);
    // Nobody else could have been elected, so there is nobody to wait for.
    const isAlone = votersOf(this.#core.log.configuration).length === 1;
    if (isAlone && mayCampaign(this.#core)) this.#core.electionMs = options.startMs;
  }

  /** What the disk of a new cluster's only member holds; to be written before a replica starts from it. */
  static found({ name, storage, incarnation, knows }: Founding): Restored {
    const configuration: Configuration = { members: [{ name, storage, role: 'voter', knows }] };
    return {
      promise: { ballot: 1, votedFor: name },
      snapshot: null,
      entries: [{ index: 1, ballot: 1, payload: { type: 'members', configuration } }],
      incarnation,
      muted: false,
    };
  }

  /** It is `nowMs` of the monotonic clock. The first call of every turn. */
  tick(nowMs: number): void {
    const core = this.#core;
    assert(nowMs >= core.nowMs, 'the clock never goes back');
    core.nowMs = nowMs;
    this.#master?.tick();
    if (this.#master === null && nowMs >= core.electionMs) this.#askForPreVotes();
    core.proposals.expire(nowMs, core.master);
    this.#askedReads.expire();
  }

  /** A message came in. */
  receive(from: MemberName, message: Message): void {
    if (!this.#isForThis(from, message)) return;
    this.#obeyBallot(message);
    const core = this.#core;
    switch (message.type) {
      case 'pre_vote':
        this.#master?.askedForVotes(from);
        core.outbox.send(from, this.#voter.preVote(message, this.#hearsMaster));
        break;
      case 'vote':
        this.#master?.askedForVotes(from);
        core.outbox.sendAfter(from, this.#voter.vote(from, message, this.#hearsMaster));
        break;
      case 'append':
        this.#follower.append(from, message);
        break;
      case 'snapshot':
        if (this.#follower.snapshot(from, message)) this.#handOut.installed();
        break;
      case 'transfer':
        core.outbox.send(from, { type: 'transfer_answer', ...core.answer(message.call) });
        this.#succeed(from, message.ballot);
        break;
      case 'read':
        this.#readFor(from, message.call);
        break;
      case 'pre_vote_answer':
        this.#ballotSeen = Math.max(this.#ballotSeen, message.ballot);
        this.#candidate?.answered(from, message);
        break;
      case 'vote_answer':
        this.#candidate?.answered(from, message);
        break;
      case 'append_answer':
      case 'snapshot_answer':
        this.#master?.answered(from, message);
        break;
      case 'read_answer':
        this.#askedReads.answered(message);
        break;
      case 'transfer_answer':
        break;
    }
    this.#dropOldRoles();
  }

  /** A submission of this node; answered by a settlement with the same `id`. */
  propose(id: number, payload: Changes): void {
    if (this.#master === null) this.#refuse(id);
    else this.#master.propose(id, payload);
  }

  /** A change of the membership; answered as a submission is. */
  changeMember(id: number, change: MemberChange): void {
    if (this.#master === null) this.#refuse(id);
    else this.#master.changeMember(id, change);
  }

  /** Hands the mastership to `to`, or to whom is best prepared; answered as a submission is. */
  transfer(id: number, to: MemberName | null): void {
    if (this.#master === null) this.#refuse(id);
    else this.#master.transfer(id, to);
  }

  /** A read that is to see everything acknowledged so far; answered by a reading with the same `id`. */
  read(id: number): void {
    if (this.#master === null) this.#askedReads.add(id);
    else this.#master.read({ id, asker: null });
  }

  /** Everything up to `token` is on disk. */
  persisted(token: number): void {
    this.#core.saving.persisted(token);
  }

  /** `snapshot`, of what was handed out, is on disk: the entries that it covers may go. */
  compacted(snapshot: Snapshot): void {
    const { log, settings } = this.#core;
    // A master's snapshot may have come in while this one was being written.
    if (snapshot.index > (log.snapshot?.index ?? 0)) log.compact(snapshot, settings.keptBytesMax);
  }

  /** What a snapshot of the state as of `index`, which was handed out last, needs beside the state. */
  describe(index: Index): Omit<Snapshot, 'state'> {
    const { log, appliedIndex, requests } = this.#core;
    assert(index === appliedIndex, 'a snapshot is taken of what was handed out last');
    const configuration = log.configurationAt(index);
    return { index, ballot: log.ballotAt(index), configuration, requests: requests.list() };
  }

  /** What is to be done now. */
  take(): Output {
    const core = this.#core;
    this.#countVotes();
    this.#master?.advance();
    this.#handOut.run();
    this.#master?.flush();
    if (this.#master?.isResigning === true) this.#depose();
    this.#askedReads.ask();
    const persist = core.saving.take(core.log);
    return core.outbox.take({ persist, sendAfterToken: core.saving.token, wakeAtMs: this.#wakeAtMs });
  }

  /** The master of the ballot that this replica has promised, if it is known. */
  get master(): MemberName | null {
    return this.#core.master;
  }

  /** The highest ballot that this replica has promised. */
  get ballot(): Ballot {
    return this.#core.promise.ballot;
  }

  /** How this replica stands to the cluster; a voter's name with another directory is a learner. */
  get role(): Standing {
    const { log, name } = this.#core;
    const member = memberOf(log.configuration, name);
    if (member === undefined) return this.#handOut.removed ? 'removed' : 'unjoined';
    return this.#core.isVoter ? 'voter' : 'learner';
  }

  get isMaster(): boolean {
    return this.#master !== null;
  }

  /** A master that has applied its no-op and is in contact with a majority. */
  get isConfirmedMaster(): boolean {
    return this.#master?.isConfirmed === true;
  }

  get isMuted(): boolean {
    return this.#core.muted;
  }

  get commitIndex(): Index {
    return this.#core.commitIndex;
  }

  /** Handed out up to here. */
  get appliedIndex(): Index {
    return this.#core.appliedIndex;
  }

  get lastIndex(): Index {
    return this.#core.log.lastIndex;
  }

  get durableIndex(): Index {
    return this.#core.saving.durableIndex;
  }

  /** The latest configuration, committed or not. */
  get configuration(): Configuration {
    return this.#core.log.configuration;
  }

  /** An upper bound of the time since the state was as new as the majority's, as the master tells. */
  contactAgeMs(nowMs: number): number {
    const { contact, clockMs, nowMs: turnMs, appliedIndex } = this.#core;
    contact.reached(appliedIndex);
    // Until its no-op is applied, a master may not have applied what the one before it committed.
    if (this.#master?.isAnnounced === true) return this.#master.contactAgeMs + nowMs - turnMs;
    return contact.ageMs(clockMs + nowMs - turnMs);
  }

  /** What a master knows of those whom it sends to; nobody, when this replica is none. */
  get progress(): Iterable<Readonly<Progress>> {
    return this.#master?.members ?? [];
  }

  /**
   * True for messages of this cluster, for those that let a joiner into one, and for votes of joiners:
   * a muted candidate has to know that they hold nothing (`candidate.ts`).
   */
  #isForThis(from: MemberName, { type, ballot, sender }: Message): boolean {
    const { incarnation, name } = this.#core;
    if (from === name || !Number.isSafeInteger(ballot) || ballot < 0 || ballot > BALLOT_MAX) return false;
    const isVote = type === 'pre_vote_answer' || type === 'vote_answer';
    if (incarnation !== null) {
      return sender.incarnation === incarnation || (sender.incarnation === null && isVote);
    }
    if (sender.incarnation === null) return false;
    if (type === 'pre_vote' || type === 'vote') return true;
    if (type !== 'append' && type !== 'snapshot') return false;
    this.#core.join(sender.incarnation);
    return true;
  }

  /** Whoever hears of a higher ballot has nothing more to say in its own (Raft 5.1). */
  #obeyBallot({ type, ballot }: Message): void {
    if (ballot <= this.#core.promise.ballot || !OBEYED.has(type)) return;
    this.#core.promiseBallot(ballot, null);
    this.#dropOldRoles();
  }

  #dropOldRoles(): void {
    const { promise, master } = this.#core;
    if (this.#master !== null && this.#master.ballot < promise.ballot) this.#depose();
    const candidate = this.#candidate;
    if (candidate === null) return;
    const ballotMax = candidate.round === 'vote' ? candidate.ballot : candidate.ballot - 1;
    if (master !== null || promise.ballot > ballotMax) this.#candidate = null;
  }

  #depose(): void {
    const core = this.#core;
    const master = this.#master;
    if (core.master === core.name) core.master = null;
    this.#master = null;
    core.restTillElection();
    master?.depose();
  }

  get #hearsMaster(): boolean {
    const { master, heardMs, nowMs, settings } = this.#core;
    if (this.#master !== null) return this.#master.contactAgeMs < settings.electionMinMs;
    return master !== null && nowMs - heardMs < settings.electionMinMs;
  }

  #askForPreVotes(): void {
    const core = this.#core;
    core.restTillElection();
    if (!mayCampaign(core)) return;
    core.master = null;
    // Whoever lost something may have lost the last of its own ballots, and must not have one twice.
    const ballot = Math.max(core.promise.ballot, this.#ballotSeen) + (core.muted ? MUTED_GAP : 1);
    this.#candidate = new Candidate(core, 'pre_vote', ballot, false);
  }

  /** The master asks this replica to be the next one. */
  #succeed(from: MemberName, ballot: Ballot): void {
    const core = this.#core;
    if (from !== core.master || ballot !== core.promise.ballot) return;
    if (mayCampaign(core) && !core.muted) this.#askForVotes(ballot + 1, true);
  }

  #askForVotes(ballot: Ballot, transfer: boolean): void {
    const core = this.#core;
    core.promiseBallot(ballot, core.name);
    core.restTillElection();
    this.#candidate = new Candidate(core, 'vote', ballot, transfer);
  }

  #countVotes(): void {
    const victory = this.#candidate?.victory ?? null;
    if (victory === null) return;
    if (this.#candidate?.round === 'pre_vote') {
      this.#askForVotes(this.#candidate.ballot, false);
      return;
    }
    this.#candidate = null;
    this.#master = new Master(this.#core, victory);
  }

  #readFor(from: MemberName, call: number): void {
    const core = this.#core;
    if (this.#master !== null) this.#master.read({ id: call, asker: from });
    else {
      const { master } = core;
      core.outbox.send(from, { type: 'read_answer', ...core.answer(call), index: null, master });
    }
  }

  #refuse(id: number): void {
    const { outbox, master } = this.#core;
    const detail = 'this node is not the master';
    outbox.settle({ id, type: 'refused', reason: 'not_master', master, detail });
  }

  get #wakeAtMs(): number {
    const core = this.#core;
    if (this.#handOut.isDue) return core.nowMs;
    const roleMs = this.#master?.wakeAtMs ?? (mayCampaign(core) ? core.electionMs : Number.POSITIVE_INFINITY);
    return Math.min(roleMs, core.proposals.deadlineMs, this.#askedReads.deadlineMs);
  }
}
