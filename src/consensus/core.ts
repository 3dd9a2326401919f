/**
 * What all roles of one replica share: its name, its log, its promise, its clock, its outbox.
 *
 * State with the few steps that must not be taken half: a promise is remembered and noted for the
 * disk, a log that changes is noted as changed. No rules about messages; those are the roles'.
 */
import { assert } from '../base/index.ts';
import { isVoter } from './configuration.ts';
import { ContactBound } from './contact.ts';
import { Log } from './log.ts';
import { Outbox } from './outbox.ts';
import { Proposals } from './proposals.ts';
import { RequestWindow } from './requests.ts';
import { Saving } from './saving.ts';
import type { ReplicaSettings } from './settings.ts';
import type {
  Ballot,
  Entry,
  Index,
  KnownKinds,
  MemberName,
  Restored,
  Sender,
  Snapshot,
  VotePromise,
} from './types.ts';

/** What a replica is made of. */
export interface ReplicaOptions {
  readonly name: MemberName;
  /** Of the data directory: drawn when it was made. */
  readonly storage: string;
  readonly knows: KnownKinds;
  readonly settings: ReplicaSettings;
  /** In [0, 1). All randomness of a replica comes from here. */
  readonly random: () => number;
  readonly restored: Restored;
  readonly startMs: number;
}

/** So many numbers to draw from that two lives of a node do not draw the same. */
const DRAWS = 2 ** 50;

/** The shared state of one replica. */
export class Core {
  readonly name: MemberName;
  readonly storage: string;
  readonly knows: KnownKinds;
  readonly settings: ReplicaSettings;
  readonly random: () => number;
  readonly log: Log;
  readonly requests = new RequestWindow();
  readonly outbox = new Outbox();
  readonly proposals: Proposals;
  readonly saving: Saving;
  readonly contact = new ContactBound();

  /** The time of this turn. */
  nowMs: number;
  /** Entries up to here are committed, as far as this replica knows. */
  commitIndex: Index = 0;
  /** Entries up to here were handed out. */
  appliedIndex: Index = 0;
  /** The master of the promised ballot; null: not heard of yet. */
  master: MemberName | null = null;
  /** When it was last heard of. */
  heardMs = Number.NEGATIVE_INFINITY;
  /** When a follower that hears nothing campaigns. */
  electionMs = 0;

  readonly #startMs: number;
  readonly #run: number;
  #call: number;
  #promise: VotePromise;
  #incarnation: string | null;
  #muted: boolean;
  /** Its master contradicted what is committed here: one of both is wrong, and nobody here knows which. */
  #doubtedBallot: Ballot | null = null;
  #sender: Sender;

  constructor(options: ReplicaOptions) {
    const { name, storage, knows, settings, random, restored, startMs } = options;
    this.name = name;
    this.storage = storage;
    this.knows = knows;
    this.settings = settings;
    this.random = random;
    this.nowMs = startMs;
    this.log = new Log(restored.snapshot, restored.entries);
    this.log.precede(restored.earlier ?? [], settings.keptBytesMax);
    this.proposals = new Proposals(this.outbox);
    this.saving = new Saving(this.log.lastIndex);
    this.#startMs = startMs;
    this.#run = Math.floor(random() * DRAWS);
    this.#call = Math.floor(random() * DRAWS);
    this.#promise = restored.promise;
    this.#incarnation = restored.incarnation;
    this.#muted = restored.muted;
    this.#sender = this.#describe();
    if (restored.snapshot !== null) this.install(restored.snapshot);
    for (const entry of restored.entries) this.requests.appended(entry);
    this.restTillElection();
  }

  get promise(): VotePromise {
    return this.#promise;
  }

  get incarnation(): string | null {
    return this.#incarnation;
  }

  /** True while this replica's word does not count, because it lost something that it had promised. */
  get muted(): boolean {
    return this.#muted;
  }

  /** What each message says about this replica; one object as long as nothing of it changes. */
  get sender(): Sender {
    return this.#sender;
  }

  /** The own clock as others see it: it begins at a number that no other life of this node begins at. */
  get clockMs(): number {
    return this.#run + Math.floor(this.nowMs - this.#startMs);
  }

  /** What `clockMs` showed at the start of this life. */
  get clockStartMs(): number {
    return this.#run;
  }

  /** True when this replica votes, by the latest configuration that it has. */
  get isVoter(): boolean {
    return isVoter(this.log.configuration, this.name, this.storage);
  }

  /** The number that the next question will carry. */
  get nextCall(): number {
    return this.#call + 1;
  }

  /** A number for a question. */
  takeCall(): number {
    this.#call++;
    return this.#call;
  }

  /** What a question begins with. */
  question(ballot: Ballot): { readonly call: number; readonly ballot: Ballot; readonly sender: Sender } {
    return { call: this.takeCall(), ballot, sender: this.#sender };
  }

  /** What the answer to `call` begins with. */
  answer(call: number): { readonly call: number; readonly ballot: Ballot; readonly sender: Sender } {
    return { call, ballot: this.#promise.ballot, sender: this.#sender };
  }

  /** Promises `ballot`, and the vote in it. */
  promiseBallot(ballot: Ballot, votedFor: MemberName | null): void {
    const before = this.#promise;
    assert(ballot >= before.ballot, 'a promise is never taken back');
    assert(
      ballot > before.ballot || before.votedFor === null || before.votedFor === votedFor,
      'one vote a ballot',
    );
    if (ballot > before.ballot) this.master = null;
    this.#promise = { ballot, votedFor };
    this.saving.notePromise(this.#promise);
  }

  /** Joins the cluster that is called so. */
  join(incarnation: string): void {
    assert(this.#incarnation === null, 'a replica belongs to one cluster for ever');
    this.#incarnation = incarnation;
    this.#sender = this.#describe();
    this.saving.noteIncarnation(incarnation);
  }

  /** Counts again. */
  unmute(): void {
    this.#muted = false;
    this.#sender = this.#describe();
    this.saving.noteMuted(false);
    this.outbox.notice({ type: 'readmitted' });
  }

  /** `from` called itself master with a message that cannot be true. */
  contradicted(from: MemberName, detail: string): void {
    const { ballot } = this.#promise;
    this.outbox.notice({ type: 'contradicted', from, ballot, detail });
    if (this.master === null || this.master === from) this.#doubtedBallot = ballot;
  }

  /** Whom to ask for confirmed reads: not a master whose log is another one than this. */
  get trustedMaster(): MemberName | null {
    return this.#doubtedBallot === this.#promise.ballot ? null : this.master;
  }

  /** Adds `entry` to the log. */
  append(entry: Entry): void {
    this.log.append(entry);
    this.requests.appended(entry);
    this.saving.noteEntries(entry.index);
  }

  /** Removes `from` and what follows it, because a later master has something else there. */
  truncate(from: Index): void {
    assert(from > this.commitIndex, 'what is committed stays');
    this.log.truncate(from);
    this.requests.truncated(from);
    this.saving.noteEntries(from);
  }

  /** Replaces log and state by `snapshot`, which came from a master. */
  replaceBy(snapshot: Snapshot): void {
    this.log.reset(snapshot);
    this.saving.noteSnapshot(snapshot);
    this.install(snapshot);
    this.proposals.installed(snapshot);
  }

  /** The state is to become that of `snapshot`. */
  install(snapshot: Snapshot): void {
    const { index, configuration, requests } = snapshot;
    this.requests.reset(requests);
    this.commitIndex = Math.max(this.commitIndex, index);
    this.appliedIndex = index;
    this.outbox.install(snapshot);
    this.outbox.notice({ type: 'configuration', configuration, index });
  }

  /** Draws the time of the next campaign, in case nobody is heard of until then. */
  restTillElection(): void {
    const { electionMinMs, electionMaxMs } = this.settings;
    this.electionMs = this.nowMs + electionMinMs + this.random() * (electionMaxMs - electionMinMs);
  }

  #describe(): Sender {
    return {
      incarnation: this.#incarnation,
      storage: this.storage,
      run: this.#run,
      knows: this.knows,
      muted: this.#muted,
    };
  }
}
