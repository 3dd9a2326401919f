/**
 * What a member that speaks the original's protocol is told next; pure.
 *
 * Such a member keeps nothing on disk and agrees to nearly anything, so it is told only what the
 * cluster has committed, one entry at a time, and what it answers decides nothing but what it is told
 * next. `ForeignFeed` makes the calls; one cursor lives as long as the ballot of its master.
 */
import { assert, BoundedQueue, FOREIGN_LIMITS } from '../base/index.ts';
import type { Ballot, Entry, Index, MemberName } from '../consensus/index.ts';
import { type ForeignAnswer, type ForeignCall, type ForeignOutcome, transferMs } from '../peer/index.ts';

/** The applied state as the application writes it, and the entry up to which it is applied. */
export interface AppliedSnapshot {
  readonly index: Index;
  readonly state: Uint8Array;
}

/** What is to be done for the member now. */
export type FeedStep =
  | { readonly type: 'call'; readonly call: ForeignCall }
  /** Nothing, for this time. `early`: an entry that comes meanwhile ends it. */
  | { readonly type: 'rest'; readonly restMs: number; readonly early: boolean };

/** How far the member is, for status pages and tests. */
export interface FeedStatus {
  readonly member: MemberName;
  /** `following`: it has all up to `index` but for what is under way. */
  readonly phase: Phase;
  readonly instance: bigint;
  readonly sequence: bigint;
  /** The newest entry that it has certainly applied; 0: unknown. */
  readonly index: Index;
  /** Calls in a row that failed or were refused. */
  readonly failures: number;
  /** Size of the snapshot that it was started with last, and how many in a row did not get through. */
  readonly snapshotBytes: number;
  readonly startsFailed: number;
}

/** The way in, in this order. */
type Phase = 'announcing' | 'entering' | 'starting' | 'following';
type Asked = 'prepare' | 'enter' | 'start' | 'entry' | 'commit' | 'probe';

/** What a cursor is made from. */
export interface ForeignCursorOptions {
  readonly cluster: string;
  /** The address of this node, which is the master. */
  readonly self: MemberName;
  readonly member: MemberName;
  readonly ballot: Ballot;
  readonly participants: readonly MemberName[];
  /** In [0, 1), for jitter. */
  readonly random: () => number;
  /** Asked for while the member is being started, and not before it has let itself be. */
  readonly snapshot: () => AppliedSnapshot;
}

const INSTANCES_PER_BALLOT = 2n ** 20n;
/** Originals that elect each other take the next instance; so often they may, between two of ours. */
const INSTANCE_STRIDE = 16n;

/** Tells one member everything in order, and starts it anew whenever that is in doubt. */
export class ForeignCursor {
  readonly #options: ForeignCursorOptions;
  readonly #instancesEnd: bigint;
  #participants: readonly MemberName[];
  #phase: Phase = 'announcing';
  #asked: Asked | null = null;
  #instance: bigint;
  #sequence = 0n;
  #index: Index = 0;
  /** Staged at the member: the pure commit that follows makes it apply this. */
  #staged: Index | null = null;
  #queue: BoundedQueue<Entry> = new BoundedQueue(FOREIGN_LIMITS.queueEntriesMax);
  #queueBytes = 0;
  /** From the snapshot on, every entry is queued; before, the snapshot will contain it. */
  #collecting = false;
  /** It is to be started anew, as soon as nothing is under way. */
  #isStale = false;
  #failures = 0;
  #snapshotBytes = 0;
  #startsFailed = 0;
  #restMs = 0;
  #isProbed = true;

  constructor(options: ForeignCursorOptions) {
    this.#options = options;
    this.#participants = options.participants;
    this.#instance = BigInt(options.ballot) * INSTANCES_PER_BALLOT;
    this.#instancesEnd = this.#instance + INSTANCES_PER_BALLOT;
  }

  get status(): FeedStatus {
    return {
      member: this.#options.member,
      phase: this.#phase,
      instance: this.#instance,
      sequence: this.#sequence,
      index: this.#index,
      failures: this.#failures,
      snapshotBytes: this.#snapshotBytes,
      startsFailed: this.#startsFailed,
    };
  }

  /** An entry was committed and applied here. */
  offer(entry: Entry): void {
    if (!this.#collecting) return;
    const bytes = bytesOf(entry);
    const fits = this.#queueBytes + bytes <= FOREIGN_LIMITS.queueBytesMax;
    if (fits && this.#queue.push(entry)) {
      this.#queueBytes += bytes;
      return;
    }
    // A member so far behind gets all of it at once, as a snapshot, and costs no memory until then.
    this.#isStale = true;
    this.#collecting = false;
    this.#dropQueue();
    this.#restForSnapshot();
  }

  /** The members are others now. `start` is the one call that tells an original all of them. */
  configure(participants: readonly MemberName[]): void {
    if (sameNames(participants, this.#participants)) return;
    this.#participants = participants;
    if (this.#collecting) this.#isStale = true;
  }

  /** What to do next. A call is answered through `settle` before this is asked again. */
  next(): FeedStep {
    assert(this.#asked === null, 'a foreign member is asked one thing at a time');
    if (this.#isStale) this.#enterAnew();
    if (this.#restMs > 0) {
      const restMs = this.#restMs;
      this.#restMs = 0;
      return { type: 'rest', restMs, early: false };
    }
    switch (this.#phase) {
      case 'announcing':
        // Who is master, before anything else: an original that submits in an instance whose master it
        // does not know dies of it. So nothing follows until this is answered.
        return this.#ask('prepare', {
          method: 'prepare',
          instance: this.#instance,
          master: this.#options.self,
        });
      case 'entering':
        // Into an instance that nobody else uses: this clears what the member has staged.
        return this.#ask('enter', this.#accept(0n, []));
      case 'starting':
        return this.#ask('start', this.#start());
      case 'following':
        return this.#follow();
    }
  }

  /** What became of the call that `next` gave. */
  settle(outcome: ForeignOutcome): void {
    const asked = this.#asked;
    assert(asked !== null, 'only a call that was made is answered');
    this.#asked = null;
    if (asked === 'prepare') this.#prepared(outcome);
    else if (asked === 'enter') this.#entered(outcome);
    else if (asked === 'start') this.#started(outcome);
    else this.#followed(asked, outcome);
  }

  #prepared(outcome: ForeignOutcome): void {
    if (outcome.type === 'failed') {
      this.#backOff();
      return;
    }
    const { accepted } = outcome.answer;
    if (typeof accepted === 'bigint' && accepted > this.#instance) {
      this.#takeInstanceAfter(accepted);
      return;
    }
    // ERR_STATE: it has joined nothing, so there is nothing to clear either.
    this.#phase = codeOf(outcome) === 'ERR_STATE' ? 'starting' : 'entering';
  }

  #entered(outcome: ForeignOutcome): void {
    if (isYes(outcome) || codeOf(outcome) === 'ERR_STATE') {
      this.#phase = 'starting';
      return;
    }
    if (codeOf(outcome) === 'ERR_DENIED') this.#takeInstanceAfter(this.#instance);
    else this.#phase = 'announcing';
    this.#backOff();
  }

  #started(outcome: ForeignOutcome): void {
    if (isYes(outcome)) {
      this.#phase = 'following';
      this.#isProbed = true;
      this.#startsFailed = 0;
      return;
    }
    this.#forget();
    // It may still arrive, or arrive again, so its instance is not used for another.
    this.#takeInstanceAfter(this.#instance);
    this.#startsFailed++;
    this.#backOff();
    this.#restForSnapshot();
  }

  #followed(asked: Asked, outcome: ForeignOutcome): void {
    if (!isYes(outcome)) {
      this.#enterAnew();
      this.#backOff();
      return;
    }
    if (this.#isStale) return;
    this.#isProbed = true;
    if (asked === 'probe') {
      this.#failures = 0;
      return;
    }
    this.#sequence += 1n;
    if (asked === 'commit') {
      assert(this.#staged !== null, 'a pure commit follows an entry');
      this.#index = this.#staged;
      this.#staged = null;
      this.#failures = 0;
    }
  }

  /** The next entry, or the pure commit of the one before. */
  #follow(): FeedStep {
    if (this.#staged !== null) return this.#ask('commit', this.#accept(this.#sequence + 1n, []));
    for (let entry = this.#queue.shift(); entry !== undefined; entry = this.#queue.shift()) {
      this.#queueBytes -= bytesOf(entry);
      const { payload } = entry;
      if (payload.type === 'changes' && payload.changes.length > 0) {
        this.#staged = entry.index;
        return this.#ask('entry', this.#accept(this.#sequence + 1n, payload.changes));
      }
      this.#index = entry.index;
    }
    if (this.#isProbed) {
      this.#isProbed = false;
      return { type: 'rest', restMs: FOREIGN_LIMITS.probeMs, early: true };
    }
    // The sequence it is at, once more: finds a member that was restarted, and frees one that waits for
    // a master that another original promised it.
    return this.#ask('probe', this.#accept(this.#sequence, []));
  }

  #start(): ForeignCall {
    const { index, state } = this.#options.snapshot();
    this.#collecting = true;
    this.#index = index;
    this.#snapshotBytes = state.byteLength;
    // Above 0, so that an Accept(i, 0) that was delayed is refused instead of taken. Entries then have even
    // sequences and pure commits odd ones, in every instance: what some other master left staged, `start`
    // does not clear, but an entry of ours replaces it before it could be applied.
    this.#sequence = 1n;
    return {
      method: 'start',
      instance: this.#instance,
      sequence: this.#sequence,
      cluster: this.#options.cluster,
      self: this.#options.member,
      master: this.#options.self,
      participants: this.#participants,
      snapshot: state,
    };
  }

  #accept(sequence: bigint, changes: readonly Uint8Array[]): ForeignCall {
    return { method: 'accept', instance: this.#instance, sequence, changes };
  }

  #ask(asked: Asked, call: ForeignCall): FeedStep {
    this.#asked = asked;
    return { type: 'call', call };
  }

  /** Out of step: what it holds is unknown, so it is told everything again. */
  #enterAnew(): void {
    this.#forget();
    this.#isStale = false;
    this.#takeInstanceAfter(this.#instance);
  }

  #dropQueue(): void {
    this.#queue.drain();
    this.#queueBytes = 0;
  }

  #forget(): void {
    this.#dropQueue();
    this.#staged = null;
    this.#collecting = false;
    this.#index = 0;
  }

  /** The first instance of ours above `taken`. Those of a ballot are many, but not endless. */
  #takeInstanceAfter(taken: bigint): void {
    const strides = (taken - this.#instance) / INSTANCE_STRIDE + 1n;
    const next = this.#instance + strides * INSTANCE_STRIDE;
    this.#phase = 'announcing';
    if (next < this.#instancesEnd) {
      this.#instance = next;
      return;
    }
    // Beyond lie the instances of later masters. The member's restart helps, or their coming; what was
    // said in this instance before has arrived by then, or never will.
    this.#failures++;
    this.#restMs = FOREIGN_LIMITS.spentRestMs;
  }

  /** A snapshot of this size that is needed again is not to fill the link. */
  #restForSnapshot(): void {
    const bytesMs = Math.min(transferMs(this.#snapshotBytes), FOREIGN_LIMITS.startRestMaxMs);
    this.#restMs = Math.max(this.#restMs, bytesMs);
  }

  #backOff(): void {
    this.#failures++;
    const doublings = Math.min(this.#failures - 1, 16);
    const fullMs = Math.min(FOREIGN_LIMITS.retryMaxMs, FOREIGN_LIMITS.retryMs * 2 ** doublings);
    this.#restMs = Math.max(this.#restMs, Math.ceil(fullMs * (0.5 + this.#options.random() / 2)));
  }
}

function isYes(outcome: ForeignOutcome): boolean {
  return outcome.type === 'answered' && outcome.answer.status === 200 && outcome.answer.accepted === true;
}

function codeOf(outcome: ForeignOutcome): NonNullable<ForeignAnswer['error']>['code'] | null {
  return outcome.type === 'answered' ? (outcome.answer.error?.code ?? null) : null;
}

function bytesOf(entry: Entry): number {
  if (entry.payload.type !== 'changes') return 0;
  return entry.payload.changes.reduce((sum, change) => sum + change.byteLength, 0);
}

function sameNames(left: readonly MemberName[], right: readonly MemberName[]): boolean {
  return left.length === right.length && left.every((name, at) => name === right[at]);
}
