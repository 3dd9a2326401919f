/**
 * How the master brings a member's log to its own: probe, stream, or a snapshot in pieces.
 *
 * A member that is silent gets heartbeats only; its first answer starts the rest. An append that was
 * refused or lost makes the master look again where the logs part: it steps back over whole ballots
 * (Raft 5.3), one question for each of them at most. Driven by `master.ts`, which knows who is a member.
 */
import { assert } from '../base/index.ts';
import type { Rounds } from './contact.ts';
import type { Core } from './core.ts';
import type { Progress } from './progress.ts';
import { SnapshotImage } from './snapshot-image.ts';
import type { Answer, Ballot, Index, Request } from './types.ts';

type Answered<Type extends Answer['type']> = Extract<Answer, { readonly type: Type }>;
type Append = Extract<Request, { readonly type: 'append' }>;

/** Sends one master's log. */
export class CatchUp {
  readonly #core: Core;
  readonly #ballot: Ballot;
  readonly #firstIndex: Index;
  readonly #rounds: Rounds;
  /** Made once for all members that need it. */
  #image: SnapshotImage | null = null;

  constructor(core: Core, ballot: Ballot, firstIndex: Index, rounds: Rounds) {
    this.#core = core;
    this.#ballot = ballot;
    this.#firstIndex = firstIndex;
    this.#rounds = rounds;
  }

  /** True when it answered lately, or has not had the time to. */
  isAwake({ heardMs }: Progress): boolean {
    return this.#core.nowMs - heardMs < this.#core.settings.electionMinMs;
  }

  /** Sends as much as the member may be sent now. */
  feed(progress: Progress): void {
    const { log, settings } = this.#core;
    if (progress.mode !== 'stream' && !this.isAwake(progress)) return;
    if (progress.mode !== 'snapshot' && progress.nextIndex <= log.baseIndex) this.#beginSnapshot(progress);
    if (progress.mode === 'snapshot') {
      this.#sendPiece(progress);
      return;
    }
    const flightsMax = progress.mode === 'probe' ? 1 : settings.appendsInFlightMax;
    while (
      progress.flights.length < flightsMax &&
      progress.flightBytes < settings.appendBytesInFlightMax &&
      (progress.nextIndex <= log.lastIndex || progress.mode === 'probe')
    ) {
      this.#sendEntries(progress);
    }
  }

  /** Tells the member that the master lives, and what is committed. */
  heartbeat(progress: Progress): void {
    const { log } = this.#core;
    // What is known to match: such an append is never refused, whatever is still on its way.
    const prevIndex = progress.matchIndex >= log.baseIndex ? progress.matchIndex : 0;
    this.#send(progress, prevIndex, []);
  }

  /** Takes what was not answered for too long for lost. */
  expire(progress: Progress): void {
    const { nowMs, settings, nextCall } = this.#core;
    const { snapshot, flights } = progress;
    if (snapshot?.isWaiting && nowMs - snapshot.sentMs >= settings.resendMs) snapshot.isWaiting = false;
    const oldest = flights[0];
    if (oldest === undefined || nowMs - oldest.sentMs < settings.resendMs) return;
    progress.probeFrom(progress.mode === 'probe' ? progress.nextIndex : progress.matchIndex + 1, nextCall);
  }

  /** The member answered an append of this master. */
  appendAnswered(progress: Progress, answer: Answered<'append_answer'>): void {
    if (!answer.granted) {
      this.#refused(progress, answer);
      return;
    }
    if (answer.matchIndex > this.#core.log.lastIndex) return;
    const isFound = answer.matchIndex >= progress.nextIndex - 1;
    progress.matched(answer.matchIndex);
    if (progress.mode === 'probe' && isFound) progress.mode = 'stream';
  }

  /** The member answered a piece of a snapshot. */
  snapshotAnswered(progress: Progress, answer: Answered<'snapshot_answer'>): void {
    const { snapshot } = progress;
    if (answer.installed && answer.index <= this.#core.log.lastIndex) progress.matched(answer.index);
    if (snapshot === null || snapshot.image.index !== answer.index) return;
    // Without progress it is not asked again at once: somebody who never takes it would be asked for ever.
    const offset = Math.min(answer.offset, snapshot.image.totalBytes);
    snapshot.isWaiting = offset <= snapshot.offset;
    snapshot.offset = offset;
    if (answer.installed) progress.probeFrom(answer.index + 1, this.#core.nextCall);
  }

  #refused(progress: Progress, { call, matchIndex, matchBallot }: Answered<'append_answer'>): void {
    if (call < progress.refusalsFrom || progress.mode === 'snapshot') return;
    const { log, nextCall } = this.#core;
    const agreed = log.lastUpTo(Math.min(matchIndex, progress.nextIndex - 1), matchBallot);
    // Behind the base the log cannot tell where they part; then the snapshot says it all.
    progress.probeFrom(matchIndex < log.baseIndex ? 0 : agreed + 1, nextCall);
  }

  #sendEntries(progress: Progress): void {
    const { log, settings, nowMs } = this.#core;
    const { nextIndex } = progress;
    const { entries, bytes } = log.batch(nextIndex, settings.appendBytesMax);
    this.#send(progress, nextIndex - 1, entries);
    progress.sent(nextIndex + entries.length - 1, bytes, nowMs);
    if (progress.mode === 'stream') progress.nextIndex += entries.length;
  }

  #send(progress: Progress, prevIndex: Index, entries: Append['entries']): void {
    const core = this.#core;
    progress.toldCommit = core.commitIndex;
    if (progress.farewell !== null && core.commitIndex >= progress.farewell.index) {
      progress.farewell.fromCall ??= core.nextCall;
    }
    core.outbox.send(progress.name, {
      type: 'append',
      call: core.takeCall(),
      ballot: this.#ballot,
      sender: core.sender,
      prevIndex,
      prevBallot: prevIndex === 0 ? 0 : core.log.ballotAt(prevIndex),
      entries,
      commitIndex: core.commitIndex,
      firstIndex: this.#firstIndex,
      round: this.#rounds.round,
      contact: this.#contactFor(progress),
      readmitAt: this.#readmission(progress),
    });
  }

  #beginSnapshot(progress: Progress): void {
    const { snapshot } = this.#core.log;
    assert(snapshot !== null, 'what is gone from a log is in its snapshot');
    if (this.#image?.index !== snapshot.index) this.#image = new SnapshotImage(snapshot);
    progress.mode = 'snapshot';
    progress.snapshot = { image: this.#image, offset: 0, isWaiting: false, sentMs: 0 };
  }

  #sendPiece(progress: Progress): void {
    const core = this.#core;
    const { snapshot } = progress;
    if (snapshot === null || snapshot.isWaiting) return;
    const { image, offset } = snapshot;
    snapshot.isWaiting = true;
    snapshot.sentMs = core.nowMs;
    core.outbox.send(progress.name, {
      type: 'snapshot',
      ...core.question(this.#ballot),
      index: image.index,
      lastBallot: image.ballot,
      totalBytes: image.totalBytes,
      checksum: image.checksum,
      offset,
      piece: image.piece(offset, core.settings.pieceBytesMax),
      round: this.#rounds.round,
      contact: this.#contactFor(progress),
    });
  }

  #contactFor({ clockMs }: Progress): Append['contact'] {
    return { ageMs: Math.ceil(this.#core.nowMs - this.#rounds.confirmedMs), echoMs: clockMs };
  }

  /** Only once it is committed, without the member's own help as long as that did not count. */
  #readmission({ readmitAt }: Progress): Index | null {
    return readmitAt !== null && readmitAt <= this.#core.commitIndex ? readmitAt : null;
  }
}
