/**
 * The driver of one replica: the loop between its rules, its disk, its peers and its state.
 *
 * Dull on purpose, without an `if` about the protocol: a turn notes the time and what arrived, takes
 * one output, gives it to the disk, and does with the rest what the output's fields say. Callbacks
 * only, so that the simulator drives it deterministically. A stalled disk stops the loop: the node
 * then says nothing at all, as if it were paused, and others go on without it.
 */
import {
  ArrokothError,
  type Cancellable,
  type Clock,
  LOG_LIMITS,
  type Logger,
  type Timers,
} from '../base/index.ts';
import type { Index, MemberChange, MemberName, Message, Notice, Output } from '../consensus/index.ts';
import type { AppliedState, MessageSender, ReplicaDoor, Settled, Submission } from './doors.ts';
import type { LogStore } from './log-store.ts';
import { SaveQueue } from './save-queue.ts';
import { SnapshotKeeper } from './snapshot-keeper.ts';
import { type ReadDone, WaitingProposals, WaitingReads } from './waiting.ts';

/** What a driver is made of. */
export interface EmbeddedOptions {
  readonly replica: ReplicaDoor;
  readonly journal: LogStore;
  readonly transport: MessageSender;
  readonly state: AppliedState;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly logger: Logger;
  readonly events: EmbeddedEvents;
  /** Bytes of log after which a snapshot takes its place; absent: `LOG_LIMITS.snapshotLogBytes`. */
  readonly snapshotLogBytes?: number;
}

/** What a driver tells its owner, from inside a turn. */
export interface EmbeddedEvents {
  notice(notice: Notice): void;
  /** The disk made a batch durable. */
  saved(tookMs: number): void;
  /** This node does nothing any more; `close` is still to be called. */
  stopped(error: ArrokothError): void;
}

/** Drives one replica. */
export class EmbeddedLog {
  readonly #options: EmbeddedOptions;
  readonly #saves: SaveQueue;
  readonly #snapshots: SnapshotKeeper;
  readonly #proposals = new WaitingProposals();
  readonly #reads = new WaitingReads();
  #inbox: (() => void)[] = [];
  #messages: { readonly from: MemberName; readonly message: Message }[] = [];
  #dropped = 0;
  #lastId = 0;
  #persistedToken = 0;
  #appliedIndex: Index = 0;
  #turnIsDue = false;
  #timer: { readonly dueMs: number; readonly cancellable: Cancellable } | null = null;
  #stopped = false;
  readonly #takeTurn = (): void => this.#turn();

  constructor(options: EmbeddedOptions) {
    this.#options = options;
    const { journal, clock, timers, transport, events, logger, replica, state } = options;
    this.#saves = new SaveQueue({
      ...{ journal, clock, timers },
      send: ({ to, message }) => transport.send(to, message),
      saved: (tookMs) => {
        events.saved(tookMs);
        this.#wake();
      },
      stalled: (error) => logger.error({ error: error.message }, 'the disk of the log is full'),
      resumed: () => {
        logger.info({}, 'the disk of the log takes bytes again');
        this.#wake();
      },
      failed: (error) =>
        this.#stop(new ArrokothError('LOG_DISK_FAILED', `${error.message}.`, { cause: error })),
    });
    this.#snapshots = new SnapshotKeeper({
      ...{ journal, clock, logger, logBytes: options.snapshotLogBytes ?? LOG_LIMITS.snapshotLogBytes },
      take: (index) => ({ ...replica.describe(index), state: state.snapshot() }),
      saved: (snapshot) => this.#note(() => replica.compacted(snapshot)),
    });
  }

  /** Up to here the state has everything. */
  get appliedIndex(): Index {
    return this.#appliedIndex;
  }

  /** Why nothing is accepted at present; null: all is well. */
  get impaired(): 'disk_full' | 'stopped' | null {
    if (this.#stopped) return 'stopped';
    return this.#saves.stalled ? 'disk_full' : null;
  }

  /** Figures for metrics: messages dropped so far, proposals and reads that wait. */
  get figures(): { readonly dropped: number; readonly proposals: number; readonly reads: number } {
    return { dropped: this.#dropped, proposals: this.#proposals.size, reads: this.#reads.size };
  }

  /** Takes the first turn. */
  start(): void {
    this.#wake();
  }

  /** A message of another member. */
  receive(from: MemberName, message: Message): void {
    if (this.impaired !== null) return;
    if (this.#messages.length >= LOG_LIMITS.inboxMessagesMax) {
      this.#messages.shift();
      this.#dropped++;
    }
    this.#messages.push({ from, message });
    this.#wake();
  }

  /** Asks for one entry. `done` comes when it is applied here, or refused. */
  propose(submission: Submission, done: Settled): void {
    let bytes = 0;
    for (const change of submission.changes) bytes += change.byteLength;
    this.#ask(bytes, done, (id) => this.#options.replica.propose(id, submission));
  }

  /** Asks for one change of the membership. */
  changeMember(change: MemberChange, done: Settled): void {
    this.#ask(0, done, (id) => this.#options.replica.changeMember(id, change));
  }

  /** Hands the mastership to a member; null: to the one that is furthest. */
  transfer(to: MemberName | null, done: Settled): void {
    this.#ask(0, done, (id) => this.#options.replica.transfer(id, to));
  }

  /** `ready` when the state holds everything that was acknowledged before this call. */
  read(done: ReadDone): void {
    if (this.impaired !== null || !this.#reads.add(done)) return done({ type: 'refused', master: null });
    this.#wake();
  }

  /** Ends the loop, answers everybody who waits, and closes the journal. */
  close(done: () => void): void {
    this.#halt('this node is closing');
    this.#options.journal.close(done);
  }

  #ask(bytes: number, done: Settled, input: (id: number) => void): void {
    const { impaired } = this;
    if (impaired === 'stopped') return done(refusal('stopped', 'this node has stopped'));
    if (impaired === 'disk_full') return done(refusal('disk', 'the disk of the log is full'));
    const id = ++this.#lastId;
    if (!this.#proposals.add(id, bytes, done)) {
      return done({ type: 'refused', reason: 'busy', master: null, detail: 'too many proposals wait' });
    }
    this.#note(() => input(id));
  }

  /** Keeps an input for the next turn. */
  #note(input: () => void): void {
    this.#inbox.push(input);
    this.#wake();
  }

  #wake(): void {
    if (this.#turnIsDue || this.impaired !== null) return;
    this.#turnIsDue = true;
    this.#options.timers.endOfTurn(this.#takeTurn);
  }

  #turn(): void {
    this.#turnIsDue = false;
    if (this.impaired !== null) return;
    const { replica, clock } = this.#options;
    const nowMs = clock.monotonicMs();
    replica.tick(nowMs);
    if (this.#saves.durableToken > this.#persistedToken) {
      this.#persistedToken = this.#saves.durableToken;
      replica.persisted(this.#persistedToken);
    }
    const messages = this.#messages;
    this.#messages = [];
    for (const { from, message } of messages) replica.receive(from, message);
    const inbox = this.#inbox;
    this.#inbox = [];
    for (const input of inbox) input();
    const readId = ++this.#lastId;
    if (this.#reads.ask(readId, nowMs)) replica.read(readId);
    this.#act(replica.take());
  }

  #act(output: Output): void {
    // Before the own disk is asked: a commit waits for a follower, whose disk is then asked so much sooner.
    for (const { to, message } of output.send) this.#options.transport.send(to, message);
    if (output.persist !== null) this.#saves.save(output.persist);
    this.#saves.hold(output.sendAfter, output.sendAfterToken);
    if (!this.#advance(output)) return;
    for (const settlement of output.settled) this.#proposals.settle(settlement);
    for (const reading of output.reads) this.#reads.answer(reading);
    this.#reads.applied(this.#appliedIndex);
    this.#snapshots.consider(this.#appliedIndex);
    this.#setTimer(output.wakeAtMs);
    for (const notice of output.notices) this.#heed(notice);
  }

  /** Brings the state forward; false when it refused, which ends this node. */
  #advance(output: Output): boolean {
    const { state } = this.#options;
    if (output.install !== null) {
      const installed = state.install(output.install);
      if (!installed.ok) return this.#stateFailed(output.install.index, installed.error);
      this.#appliedIndex = output.install.index;
      this.#snapshots.installed(output.install.index);
    }
    for (const entry of output.commit) {
      const applied = state.apply(entry);
      if (!applied.ok) return this.#stateFailed(entry.index, applied.error);
      this.#appliedIndex = entry.index;
    }
    return true;
  }

  #stateFailed(index: Index, cause: Error): false {
    this.#stop(new ArrokothError('LOG_STATE_FAILED', `Index ${index}: ${cause.message}.`, { cause }));
    return false;
  }

  #heed(notice: Notice): void {
    this.#options.events.notice(notice);
    if (notice.type !== 'unknown_kind') return;
    const { index, kind, version } = notice;
    this.#stop(new ArrokothError('LOG_KIND_UNKNOWN', `Index ${index}: ${kind}, version ${version}.`));
  }

  #setTimer(dueMs: number): void {
    // A timer that is due earlier stays: its turn does no harm, and sets the next one.
    if (this.#stopped || !Number.isFinite(dueMs) || (this.#timer !== null && this.#timer.dueMs <= dueMs))
      return;
    this.#timer?.cancellable.cancel();
    const delayMs = Math.max(0, dueMs - this.#options.clock.monotonicMs());
    const cancellable = this.#options.timers.after(delayMs, () => {
      this.#timer = null;
      this.#wake();
    });
    this.#timer = { dueMs, cancellable };
  }

  #stop(error: ArrokothError): void {
    if (this.#stopped) return;
    this.#options.logger.error({ code: error.code }, error.message);
    this.#halt(error.message);
    this.#options.events.stopped(error);
  }

  #halt(detail: string): void {
    this.#stopped = true;
    this.#timer?.cancellable.cancel();
    this.#saves.close();
    this.#messages = [];
    this.#inbox = [];
    this.#proposals.settleAll(refusal('stopped', detail));
    this.#reads.refuseAll();
  }
}

function refusal(reason: 'disk' | 'stopped', detail: string) {
  return { type: 'refused', reason, master: null, detail } as const;
}
