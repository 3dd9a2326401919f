/**
 * Reads a client's frames: the parser of `ws` with the words of kuiperbelt for what is wrong.
 *
 * Bytes go in by `write`; messages, pings, pongs and close frames come out on the `FrameListener`,
 * within that call. A compressed message comes out later, and everything behind it with it. A
 * violation comes out at the end of the turn, and nothing after it. UTF-8 is checked here and not
 * by the parser, because a bad close reason is called something else.
 */
import { isUtf8 } from 'node:buffer';
import type { Writable } from 'node:stream';
import * as ws from 'ws';
import { INVALID_DEFLATE, type MessageInflater } from './message-inflater.ts';

/** What a connection does with what its client said. */
export interface FrameListener {
  messageFrame(payload: Buffer, binary: boolean): void;
  pingFrame(payload: Buffer): void;
  pongFrame(payload: Buffer): void;
  /** `code` is 1005 when the frame had none. */
  closeFrame(code: number, reason: string): void;
  violation(violation: FrameViolation): void;
}

/** A broken rule, and how the connection ends for it. */
export interface FrameViolation {
  readonly cause: 'protocol_error' | 'invalid_utf8' | 'message_too_large';
  readonly code: number;
  readonly text: string;
}

/** A fragment costs a list entry beyond its bytes; honest clients send messages in far fewer. */
const FRAGMENTS_MAX = 16_384;
/** A chunk that waits for the rest of its frame costs some hundred bytes, however short it is. */
const CHUNKS_MIN = 4_096;
const CHUNK_BYTES_MEAN_MIN = 256;

interface ReceiverOptions {
  readonly isServer: boolean;
  readonly maxPayload: number;
  readonly maxFragments: number;
  readonly maxBufferedChunks: number;
  readonly skipUTF8Validation: boolean;
  /** What takes compressed messages, where the client agreed to send them. */
  readonly extensions: { readonly 'permessage-deflate'?: MessageInflater };
}

/** The part of the parser's class that its type declarations leave out. */
interface Receiver extends Writable {
  consume(byteCount: number): Buffer;
}
const Receiver = (ws as unknown as { readonly Receiver: new (options: ReceiverOptions) => Receiver })
  .Receiver;

/** The parser of one connection; made at the first bytes, because most connections never speak. */
export class FrameReceiver extends Receiver {
  readonly listener: FrameListener;
  /** Null: the client did not agree to compress anything. */
  readonly inflater: MessageInflater | null;
  // The first two bytes of the newest frame: the parser's errors do not say what they were.
  firstByte = 0;
  secondByte = 0;

  constructor(listener: FrameListener, messageBytesMax: number, inflater: MessageInflater | null = null) {
    super({
      isServer: true,
      maxPayload: messageBytesMax,
      maxFragments: FRAGMENTS_MAX,
      maxBufferedChunks: Math.max(CHUNKS_MIN, Math.ceil(messageBytesMax / CHUNK_BYTES_MEAN_MIN)),
      skipUTF8Validation: true,
      extensions: inflater === null ? {} : { 'permessage-deflate': inflater },
    });
    this.listener = listener;
    this.inflater = inflater;
    this.on('message', onMessage);
    this.on('ping', onPing);
    this.on('pong', onPong);
    this.on('conclude', onClose);
    this.on('error', onError);
  }

  // A frame's head is the only thing that the parser takes in a piece of two bytes, lengths of 16
  // bits excepted; none of the errors that need the head can follow one of those.
  override consume(byteCount: number): Buffer {
    const bytes = super.consume(byteCount);
    if (byteCount === 2) {
      this.firstByte = bytes[0] as number;
      this.secondByte = bytes[1] as number;
    }
    return bytes;
  }
}

function onMessage(this: FrameReceiver, payload: Buffer, binary: boolean): void {
  if (binary || isUtf8(payload)) this.listener.messageFrame(payload, binary);
  else
    this.listener.violation({ cause: 'invalid_utf8', code: 1007, text: 'invalid utf8 payload in message' });
}

function onPing(this: FrameReceiver, payload: Buffer): void {
  this.listener.pingFrame(payload);
}

function onPong(this: FrameReceiver, payload: Buffer): void {
  this.listener.pongFrame(payload);
}

function onClose(this: FrameReceiver, code: number, reason: Buffer): void {
  if (isUtf8(reason)) this.listener.closeFrame(code, reason.toString());
  else this.listener.violation(protocolError('invalid utf8 payload in close frame'));
}

function onError(this: FrameReceiver, error: Error & { readonly code?: string }): void {
  this.listener.violation(describeViolation(error.code ?? '', this.firstByte, this.secondByte));
}

/** Translates an error code of the parser; the two bytes are the head of the offending frame. */
export function describeViolation(errorCode: string, firstByte: number, secondByte: number): FrameViolation {
  const opcode = firstByte & 0x0f;
  const length = secondByte & 0x7f;
  switch (errorCode) {
    case 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH':
    case 'WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH':
      return { cause: 'message_too_large', code: 1009, text: 'message too large' };
    case 'WS_ERR_TOO_MANY_BUFFERED_PARTS':
      return { cause: 'message_too_large', code: 1009, text: 'message in too many pieces' };
    case INVALID_DEFLATE:
      return { cause: 'protocol_error', code: 1007, text: 'invalid compressed data' };
    case 'WS_ERR_UNEXPECTED_RSV_1':
    case 'WS_ERR_UNEXPECTED_RSV_2_3':
      return protocolError(`unexpected reserved bits 0x${(firstByte & 0x70).toString(16)}`);
    case 'WS_ERR_EXPECTED_FIN':
      return protocolError(length > 125 ? 'control frame length > 125' : 'control frame not final');
    case 'WS_ERR_INVALID_CONTROL_PAYLOAD_LENGTH':
      return protocolError(length > 125 ? 'control frame length > 125' : 'invalid close code');
    case 'WS_ERR_INVALID_OPCODE':
      return protocolError(describeOpcode(opcode));
    case 'WS_ERR_EXPECTED_MASK':
      return protocolError('incorrect mask flag');
    case 'WS_ERR_INVALID_CLOSE_CODE':
      return protocolError('invalid close code');
    default:
      return protocolError('invalid frame');
  }
}

function protocolError(text: string): FrameViolation {
  return { cause: 'protocol_error', code: 1002, text };
}

function describeOpcode(opcode: number): string {
  if (opcode === 0) return 'continuation after final message frame';
  if (opcode <= 2) return 'message start before final message frame';
  return `unknown opcode ${opcode}`;
}
