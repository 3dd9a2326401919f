/**
 * The fan-out writer: what a connection is to receive in one turn goes out as one write.
 *
 * Connections that are to receive the same frames in one turn share one buffer: a sequence of
 * frames is a chain of nodes that all of them walk together, and the bytes of a node are joined
 * once, whoever asks first. A lone frame is written as it is. Connections that agreed to compression
 * receive other frames, so they walk along a chain of their own. What a single connection holds
 * back is the business of `outbox.ts`; nothing here knows about slow clients.
 */
import type { Clock, Timers } from '../../base/index.ts';
import type { EncodedFrame } from './frame.ts';

/** One or more frames that go out together, shared by all connections with the same history in this turn. */
export class FrameSequence {
  readonly byteLength: number;
  readonly messages: number;
  readonly #previous: FrameSequence | null;
  readonly #frame: EncodedFrame;
  #joined: Buffer | null = null;
  // Broadcasts run one after the other, so the successor asked for last is nearly always the one
  // that is asked for next; a map would cost more than the rare miss.
  #next: FrameSequence | null = null;

  constructor(previous: FrameSequence | null, frame: EncodedFrame) {
    this.#previous = previous;
    this.#frame = frame;
    this.byteLength = (previous === null ? 0 : previous.byteLength) + frame.byteLength;
    this.messages = (previous === null ? 0 : previous.messages) + frame.messages;
  }

  /** The frame that was appended last. */
  get frame(): EncodedFrame {
    return this.#frame;
  }

  /** This sequence with one more frame behind it. */
  followedBy(frame: EncodedFrame): FrameSequence {
    const next = this.#next;
    if (next !== null && next.#frame === frame) return next;
    const made = new FrameSequence(this, frame);
    this.#next = made;
    return made;
  }

  /** The bytes of all frames, joined at the first call. */
  bytes(): Buffer {
    if (this.#previous === null) return this.#frame.bytes;
    if (this.#joined === null) this.#joined = this.#join();
    return this.#joined;
  }

  #join(): Buffer {
    const joined = Buffer.allocUnsafe(this.byteLength);
    let end = this.byteLength;
    let node: FrameSequence | null = this;
    while (node !== null) {
      end -= node.#frame.byteLength;
      joined.set(node.#frame.bytes, end);
      node = node.#previous;
    }
    return joined;
  }
}

/** Something with frames or an answer to write at the end of the turn. */
export interface TurnWriter {
  writeTurn(nowMs: number): void;
}

/**
 * Collects who has something to write in this turn and lets them write at its end, one right behind
 * the other: a peer that the first write wakes finds the rest without falling asleep in between,
 * which costs a quarter less than the same writes between the reading of requests.
 */
export class FanOutWriter {
  readonly #clock: Clock;
  readonly #timers: Timers;
  #answers: TurnWriter[] = [];
  #waiting: TurnWriter[] = [];
  #endAwaited = false;
  /** Where sequences begin: of frames as they are, and of frames for clients that inflate. */
  #first: FrameSequence | null = null;
  #firstForInflating: FrameSequence | null = null;

  constructor(doors: { readonly clock: Clock; readonly timers: Timers }) {
    this.#clock = doors.clock;
    this.#timers = doors.timers;
  }

  /** Whole milliseconds of the monotonic clock: small integers keep connections small. */
  nowMs(): number {
    return Math.floor(this.#clock.monotonicMs());
  }

  /** The sequence that begins with `frame`, the same for everyone who asks in a row. */
  begin(frame: EncodedFrame): FrameSequence {
    const first = this.#first;
    if (first !== null && first.frame === frame) return first;
    const made = new FrameSequence(null, frame);
    this.#first = made;
    return made;
  }

  /** As `begin`, for clients that inflate: a message that is sent to all as it is may begin both. */
  beginForInflating(frame: EncodedFrame): FrameSequence {
    const first = this.#firstForInflating;
    if (first !== null && first.frame === frame) return first;
    const made = new FrameSequence(null, frame);
    this.#firstForInflating = made;
    return made;
  }

  /** `writer` is called once at the end of this turn; callers enlist once a turn. */
  enlist(writer: TurnWriter): void {
    this.#waiting.push(writer);
    this.#awaitEnd();
  }

  /** As `enlist`, before all of those: nobody waits for an answer until a long fan-out is written. */
  enlistAnswer(answer: TurnWriter): void {
    this.#answers.push(answer);
    this.#awaitEnd();
  }

  #awaitEnd(): void {
    if (this.#endAwaited) return;
    this.#endAwaited = true;
    this.#timers.endOfTurn(this.#endTurn);
  }

  readonly #endTurn = (): void => {
    const answers = this.#answers;
    const waiting = this.#waiting;
    this.#answers = [];
    this.#waiting = [];
    this.#endAwaited = false;
    const nowMs = this.nowMs();
    for (const answer of answers) answer.writeTurn(nowMs);
    for (const writer of waiting) writer.writeTurn(nowMs);
    // Sequences live for one turn, so that a frame that somebody keeps does not keep them.
    this.#first = null;
    this.#firstForInflating = null;
  };
}
