/**
 * The log of this node and the state that follows from it, exchanged for new ones where a cluster is
 * founded.
 *
 * Tells what was committed, change by change, to whoever keeps a copy. A log that fails is not the
 * end of the node: it says so, and its gateway goes on.
 */
import type { ArrokothError, Logger, Timers } from '../../base/index.ts';
import { type ClusterChange, type ClusterEvent, ClusterState } from '../../cluster/index.ts';
import type { Index, MemberName } from '../../consensus/index.ts';
import type { ReplicatedState } from '../../store/index.ts';
import type { ClusterLog, LogOrder } from './doors.ts';

/** What a seat is made of. */
export interface LogSeatDoors {
  readonly timers: Timers;
  readonly logger: Logger;
  readonly createLog: (order: LogOrder) => ClusterLog;
}

/** Told by a seat. */
export interface LogNews {
  /** One entry of the log was applied. */
  changed(index: Index, changes: readonly ClusterChange[], events: readonly ClusterEvent[]): void;
  /** The state was replaced as a whole. */
  replaced(): void;
  /** Something about the log changed: its master, its members, its end. */
  stirred(): void;
}

/** The log of a node. */
export class LogSeat {
  readonly #doors: LogSeatDoors;
  readonly #news: LogNews;
  #state = new ClusterState();
  #log: ClusterLog | null = null;
  #events: ClusterEvent[] = [];
  #failure: ArrokothError | null = null;
  #isReplaced = false;

  constructor(doors: LogSeatDoors, news: LogNews) {
    this.#doors = doors;
    this.#news = news;
  }

  /** What was agreed on, as far as this node knows. */
  get state(): ClusterState {
    return this.#state;
  }

  /** Null before the first opening, and after the last closing. */
  get log(): ClusterLog | null {
    return this.#log;
  }

  /** Why the log does nothing any more. */
  get failure(): ArrokothError | null {
    return this.#failure;
  }

  /** Up to here the state has everything. */
  get appliedIndex(): Index {
    return this.#log?.status().appliedIndex ?? 0;
  }

  /** Opens the log of the data directory; `founding`: and founds a cluster with those, where it is empty. */
  async open(founding: readonly MemberName[] | null): Promise<void> {
    this.#state = new ClusterState();
    this.#failure = null;
    const log = this.#doors.createLog({ state: this.#adapter(), founding });
    this.#log = log;
    log.on('committed', (index, changes) => this.#committed(index, changes));
    for (const event of ['becameMaster', 'lostMaster', 'removed'] as const) {
      log.on(event, () => this.#news.stirred());
    }
    log.on('stopped', (error) => this.#failed(error));
    try {
      await log.start();
    } catch (error) {
      this.#failed(error as ArrokothError);
    }
    this.#replaced();
  }

  /** Ends this log and opens it anew, as the founder of a cluster with those. */
  async found(others: readonly MemberName[]): Promise<void> {
    await this.close();
    await this.open(others);
  }

  /** Hands the mastership over where it can, and ends the log. */
  async close(): Promise<void> {
    const log = this.#log;
    this.#log = null;
    await log?.close();
  }

  #adapter(): ReplicatedState<ClusterChange> {
    const state = this.#state;
    return {
      snapshot: () => state.snapshot(),
      install: (bytes) => {
        state.install(bytes);
        this.#events = [];
        this.#replaced();
      },
      apply: (change, index) => {
        this.#events.push(...state.apply(change, index));
      },
    };
  }

  #committed(index: Index, changes: readonly ClusterChange[]): void {
    const events = this.#events;
    this.#events = [];
    // Whoever is about to be given the whole state would take these changes a second time.
    if (!this.#isReplaced) this.#news.changed(index, changes, events);
  }

  #replaced(): void {
    if (this.#isReplaced) return;
    this.#isReplaced = true;
    this.#doors.timers.endOfTurn(() => {
      this.#isReplaced = false;
      this.#news.replaced();
    });
  }

  #failed(error: ArrokothError): void {
    this.#failure = error;
    this.#doors.logger.error({ code: error.code, error: error.message }, 'the log of this node has failed');
    this.#news.stirred();
  }
}
