/**
 * What the master knows of one member: how far its log agrees, and what is on its way there.
 *
 * Three modes. `probe`: where do our logs part? One append at a time. `stream`: they agree up to
 * `nextIndex - 1`, and several appends are under way. `snapshot`: what it needs is gone from the log.
 * Facts only; what to send is decided in `catch-up.ts`.
 */
import type { SnapshotImage } from './snapshot-image.ts';
import type { Index, KnownKinds, Member, Sender } from './types.ts';

interface Flight {
  readonly lastIndex: Index;
  readonly bytes: number;
  readonly sentMs: number;
}

/** A snapshot on its way. */
export interface SnapshotFlight {
  readonly image: SnapshotImage;
  offset: number;
  /** A piece is out and was not answered. */
  isWaiting: boolean;
  sentMs: number;
}

/** How a member is told that it was removed. */
export interface Farewell {
  /** The configuration without it. */
  readonly index: Index;
  /** Then it is given up. */
  readonly untilMs: number;
  /** The first question that also said that the configuration is committed. */
  fromCall: number | null;
}

/** The master's knowledge of one member. */
export class Progress {
  readonly name: string;
  mode: 'probe' | 'stream' | 'snapshot' = 'probe';
  /** Up to here the member's log is the master's, on its disk. */
  matchIndex: Index = 0;
  /** The next entry to send. */
  nextIndex: Index;
  /** Appends with entries that were not answered yet, oldest first. */
  flights: Flight[] = [];
  flightBytes = 0;
  snapshot: SnapshotFlight | null = null;
  /** Answers to earlier questions are of another time and are ignored. */
  answersFrom: number;
  /** Refusals of earlier appends were acted upon already. */
  refusalsFrom = 0;

  /** Of its latest answer; null: it has not answered this master. */
  storage: string | null = null;
  knows: KnownKinds | null = null;
  muted = false;
  run: number | null = null;
  clockMs: number | null = null;
  /** The newest round that it answered. */
  round = 0;
  /** When it answered last, or when the master began to listen. */
  heardMs: number;
  hasAnswered = false;
  /** It lost something, and counts again at this index, which was free when the master heard of the loss. */
  readmitAt: Index | null = null;
  /** The commit index of the latest append to it. */
  toldCommit: Index = 0;
  /** No longer a member; it still hears of the master until it knows. */
  farewell: Farewell | null = null;

  constructor(name: string, nextIndex: Index, nowMs: number, nextCall: number) {
    this.name = name;
    this.nextIndex = nextIndex;
    this.heardMs = nowMs;
    this.answersFrom = nextCall;
  }

  /** Takes what every answer says. `nextCall`: of the first question that this life has not been asked. */
  heard(sender: Sender, nowMs: number, nextCall: number): void {
    if (this.run !== null && (sender.run !== this.run || sender.storage !== this.storage)) {
      this.#forget(nextCall);
    } else if (sender.muted && !this.muted) {
      this.#forget(nextCall);
    }
    // What was sent while nobody was there is lost; waiting for its answer would only take time.
    if (!this.hasAnswered) this.#ground();
    this.storage = sender.storage;
    this.run = sender.run;
    this.knows = sender.knows;
    this.muted = sender.muted;
    if (!sender.muted) this.readmitAt = null;
    this.heardMs = nowMs;
    this.hasAnswered = true;
  }

  /** True when its word counts for `member`; `isVouched`: even if it is muted. */
  counts(member: Member, isVouched: boolean): boolean {
    return this.storage !== null && this.storage === member.storage && (!this.muted || isVouched);
  }

  /** Its log is the master's up to `index`. */
  matched(index: Index): void {
    this.matchIndex = Math.max(this.matchIndex, index);
    this.nextIndex = Math.max(this.nextIndex, this.matchIndex + 1);
    let done = 0;
    while (done < this.flights.length && (this.flights[done] as Flight).lastIndex <= this.matchIndex) {
      this.flightBytes -= (this.flights[done] as Flight).bytes;
      done++;
    }
    if (done > 0) this.flights.splice(0, done);
  }

  /** An append with entries went out. */
  sent(lastIndex: Index, bytes: number, sentMs: number): void {
    this.flights.push({ lastIndex, bytes, sentMs });
    this.flightBytes += bytes;
  }

  /** Looks for the place where the logs part, beginning before `nextIndex`. */
  probeFrom(nextIndex: Index, nextCall: number): void {
    this.mode = 'probe';
    this.snapshot = null;
    this.nextIndex = Math.max(nextIndex, this.matchIndex + 1);
    this.#ground();
    this.refusalsFrom = nextCall;
  }

  #ground(): void {
    this.flights = [];
    this.flightBytes = 0;
  }

  /** Another data directory, another life or a loss: what its answers said before may no longer hold. */
  #forget(nextCall: number): void {
    this.matchIndex = 0;
    this.readmitAt = null;
    this.clockMs = null;
    this.answersFrom = nextCall;
    this.probeFrom(this.nextIndex, nextCall);
  }
}
