/**
 * What one connection is yet to receive, between the roles and its socket.
 *
 * A healthy socket takes each write at once, and only this turn's frames wait here. When the kernel
 * takes no more, the socket is stalled: one write is in its hands, and further frames wait in a
 * backlog that exists only that long and has the operator's bounds. Like kuiperbelt's queue it does
 * not count what is being written, so a single burst or large message never makes a client slow.
 * A frame is counted in the form in which this connection receives it.
 */
import type { Socket } from 'node:net';
import { BoundedQueue, LIMITS } from '../../base/index.ts';
import { type SlowClientPolicy, slowClientVerdict } from '../../relay/index.ts';
import { isTakenBelow } from '../tls/tls-layers.ts';
import type { FanOutWriter, FrameSequence, TurnWriter } from './fan-out-writer.ts';
import type { EncodedFrame } from './frame.ts';
import type { MessageCompression } from './message-compression.ts';

const NOTHING = Buffer.alloc(0);
/** A farewell and a close frame are not subject to the bounds. */
const UNJUDGED_FRAMES_MAX = 2;

/** The operator's bounds for what waits for one connection. */
export interface SlowClientBounds {
  readonly policy: SlowClientPolicy;
  readonly queueBytesMax: number;
  readonly queueMessagesMax: number;
}

/** What became of an offered frame; `slow`: its queue is full and the policy is to close. */
export type OfferOutcome = 'queued' | 'dropped' | 'slow';

/** What waits while the socket takes nothing. */
class Backlog {
  readonly frames: BoundedQueue<EncodedFrame>;
  readonly wake: () => void;
  bytes = 0;
  /** Messages inside the write that the kernel has not taken yet. */
  writingMessages = 0;
  // Only the newest ping need be answered (RFC 6455 section 5.5.3), so a flood of pings that
  // nobody reads the answers of costs one frame.
  pong: EncodedFrame | null = null;
  ping: EncodedFrame | null = null;

  constructor(capacity: number, wake: () => void) {
    this.frames = new BoundedQueue(capacity);
    this.wake = wake;
  }

  push(frame: EncodedFrame): void {
    if (this.frames.push(frame)) this.bytes += frame.byteLength;
  }

  shift(): EncodedFrame | undefined {
    const frame = this.frames.shift();
    if (frame !== undefined) this.bytes -= frame.byteLength;
    return frame;
  }
}

/** The outgoing side of one connection. */
export class Outbox implements TurnWriter {
  /** When a message was last written, and when a stalled socket last took what it was given. */
  wroteAtMs: number;
  drainedAtMs: number;
  readonly #socket: Socket;
  readonly #writer: FanOutWriter;
  readonly #bounds: SlowClientBounds;
  /** Null: the client takes messages as they are. */
  readonly #compression: MessageCompression | null;
  #turn: FrameSequence | null = null;
  #enlisted = false;
  #finishing = false;
  #backlog: Backlog | null = null;

  constructor(
    socket: Socket,
    doors: { readonly writer: FanOutWriter; readonly slowClient: SlowClientBounds },
    compression: MessageCompression | null = null,
  ) {
    const nowMs = doors.writer.nowMs();
    this.#socket = socket;
    this.#writer = doors.writer;
    this.#bounds = doors.slowClient;
    this.#compression = compression;
    this.wroteAtMs = nowMs;
    this.drainedAtMs = nowMs;
  }

  /** What messages of this connection are compressed with, both ways. */
  get compression(): MessageCompression | null {
    return this.#compression;
  }

  get queuedBytes(): number {
    const turn = this.#turn === null ? 0 : this.#turn.byteLength;
    const backlog = this.#backlog === null ? 0 : this.#backlog.bytes;
    return turn + backlog + this.#socket.writableLength;
  }

  get queuedMessages(): number {
    const turn = this.#turn === null ? 0 : this.#turn.messages;
    const backlog = this.#backlog;
    return backlog === null ? turn : turn + backlog.frames.size + backlog.writingMessages;
  }

  /** Takes a frame if the bounds allow it. */
  offer(message: EncodedFrame): OfferOutcome {
    const frame = this.#compression === null ? message : this.#compression.formOf(message);
    const turn = this.#turn;
    if (turn !== null && this.#turnIsFull(turn, frame)) this.#write(turn);
    if (this.#backlog !== null) return this.#judge(this.#backlog, frame);
    this.#append(frame);
    return 'queued';
  }

  /** Takes a farewell or a close frame whatever is queued before it. */
  push(message: EncodedFrame): void {
    const frame = this.#compression === null ? message : this.#compression.formOf(message);
    if (this.#backlog === null) this.#append(frame);
    else this.#backlog.push(frame);
  }

  /** Queues the answer to a ping. */
  pong(frame: EncodedFrame): void {
    const turn = this.#turn;
    if (turn !== null && this.#turnIsFull(turn, frame)) this.#write(turn);
    if (this.#backlog === null) this.#append(frame);
    else this.#backlog.pong = frame;
  }

  /** Queues a ping of ours. */
  ping(frame: EncodedFrame): void {
    if (this.#backlog === null) this.#append(frame);
    else this.#backlog.ping = frame;
  }

  /** Ends the socket's writing side once everything queued is written. */
  finish(): void {
    this.#finishing = true;
    if (this.#turn === null && this.#backlog === null) this.#socket.end();
  }

  /** Forgets everything that the socket was not yet given. */
  discard(): void {
    this.#turn = null;
    const backlog = this.#backlog;
    if (backlog === null) return;
    backlog.frames.drain();
    backlog.bytes = 0;
    backlog.ping = null;
    backlog.pong = null;
  }

  /** Writes what this turn has brought. Called by the writer at the end of the turn. */
  writeTurn(nowMs: number): void {
    this.#enlisted = false;
    const turn = this.#turn;
    if (turn === null) return;
    if (turn.messages > 0) this.wroteAtMs = nowMs;
    this.#write(turn);
  }

  #append(frame: EncodedFrame): void {
    const turn = this.#turn;
    if (turn !== null) {
      this.#turn = turn.followedBy(frame);
      return;
    }
    const writer = this.#writer;
    this.#turn = this.#compression === null ? writer.begin(frame) : writer.beginForInflating(frame);
    if (this.#enlisted) return;
    this.#enlisted = true;
    writer.enlist(this);
  }

  /** What a healthy client receives in one turn has no bound but that of one write. */
  #turnIsFull(turn: FrameSequence, frame: EncodedFrame): boolean {
    const bytes = turn.byteLength + frame.byteLength;
    return (
      bytes > LIMITS.writeBatchBytesMax ||
      bytes > this.#bounds.queueBytesMax ||
      turn.messages >= this.#bounds.queueMessagesMax
    );
  }

  #write(turn: FrameSequence): void {
    this.#turn = null;
    if (this.#socket.destroyed) return;
    this.#socket.write(turn.bytes());
    const waitingBytes = this.#socket.writableLength;
    // More than was just written: TLS is still at the write before, so that this one has not begun.
    const begun = waitingBytes === turn.byteLength;
    if (waitingBytes > 0 && !(begun && isTakenBelow(this.#socket))) this.#stall(turn.messages);
    else if (this.#finishing) this.#socket.end();
  }

  /** From here on frames wait in a backlog until the kernel has taken the write it was given. */
  #stall(writingMessages: number): void {
    const capacity = this.#bounds.queueMessagesMax + UNJUDGED_FRAMES_MAX;
    const backlog = new Backlog(capacity, () => this.#drained(backlog));
    backlog.writingMessages = writingMessages;
    this.#backlog = backlog;
    this.#awaitDrain(backlog);
  }

  #awaitDrain(backlog: Backlog): void {
    // `drain` is not emitted for writes below the stream's high-water mark. An empty write behind
    // the unfinished one has a callback in every case, and no idle connection needs a listener.
    this.#socket.write(NOTHING, backlog.wake);
  }

  #drained(backlog: Backlog): void {
    if (this.#socket.destroyed || this.#backlog !== backlog) return;
    const nowMs = this.#writer.nowMs();
    this.drainedAtMs = nowMs;
    for (;;) {
      const frames = this.#nextBatch(backlog);
      if (frames.length === 0) break;
      const messages = countMessages(frames);
      if (messages > 0) this.wroteAtMs = nowMs;
      this.#socket.write(frames.length === 1 ? (frames[0] as EncodedFrame).bytes : joinFrames(frames));
      if (this.#socket.writableLength > 0) {
        backlog.writingMessages = messages;
        this.#awaitDrain(backlog);
        return;
      }
    }
    this.#backlog = null;
    if (this.#finishing) this.#socket.end();
  }

  /** Frames for one write: control frames first, then in order up to the bound of a write. */
  #nextBatch(backlog: Backlog): EncodedFrame[] {
    const frames: EncodedFrame[] = [];
    if (backlog.pong !== null) frames.push(backlog.pong);
    if (backlog.ping !== null) frames.push(backlog.ping);
    backlog.pong = null;
    backlog.ping = null;
    let bytes = 0;
    for (;;) {
      const frame = backlog.frames.peek();
      if (frame === undefined) return frames;
      bytes += frame.byteLength;
      if (bytes > LIMITS.writeBatchBytesMax && frames.length > 0) return frames;
      backlog.shift();
      frames.push(frame);
    }
  }

  #judge(backlog: Backlog, frame: EncodedFrame): OfferOutcome {
    for (;;) {
      const verdict = slowClientVerdict({
        queuedBytes: backlog.bytes,
        queuedMessages: backlog.frames.size,
        frameBytes: frame.byteLength,
        ...this.#bounds,
      });
      if (verdict === 'refuse') return 'dropped';
      if (verdict === 'close') return 'slow';
      if (verdict === 'accept') {
        backlog.push(frame);
        return 'queued';
      }
      backlog.shift();
    }
  }
}

function joinFrames(frames: readonly EncodedFrame[]): Buffer {
  return Buffer.concat(frames.map((frame) => frame.bytes));
}

function countMessages(frames: readonly EncodedFrame[]): number {
  let messages = 0;
  for (const frame of frames) messages += frame.messages;
  return messages;
}
