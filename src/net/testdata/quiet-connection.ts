/**
 * A connection without a network, in time that stands still.
 *
 * For tests of what a connection does and when; what a kernel does is not among them.
 */
import { FakeTime } from '../../../test/fakes/fake-time.ts';
import { encodeClientFrame, FrameReader, type FrameToSend } from '../../../test/support/index.ts';
import type { Connection, ConnectionEnd } from '../index.ts';
import { ConnectionKeeper, type ConnectionRules } from '../websocket/connection-keeper.ts';
import { FanOutWriter } from '../websocket/fan-out-writer.ts';
import type { MessageCompression } from '../websocket/message-compression.ts';
import { FakeSocket } from './fake-socket.ts';

const RULES: ConnectionRules = {
  messageBytesMax: 65_536,
  slowClient: { policy: 'close', queueBytesMax: 1_000, queueMessagesMax: 3 },
  idleTimeoutMs: 0,
  ping: { intervalMs: 0, timeoutMs: 0 },
};

/** The connection, its socket, and all that its role and its client have seen. */
export function setUpConnection(
  rules: Partial<ConnectionRules> = {},
  shared: { readonly time?: FakeTime; readonly compression?: MessageCompression } = {},
) {
  const { time = new FakeTime(), compression = null } = shared;
  const writer = new FanOutWriter({ clock: time, timers: time });
  const keeper = new ConnectionKeeper({ ...RULES, ...rules }, { writer, timers: time });
  const socket = new FakeSocket();
  const messages: string[] = [];
  const ends: ConnectionEnd[] = [];
  const events = {
    message: (_connection: Connection<string>, payload: Uint8Array) => {
      messages.push(Buffer.from(payload).toString());
    },
    ended: (_connection: Connection<string>, end: ConnectionEnd) => ends.push(end),
  };
  const connection: Connection<string> = keeper.admit(socket.socket, 'context', events, compression);
  const say = (frame: FrameToSend) => socket.say(encodeClientFrame(frame));
  const heard = () => {
    time.endTurn();
    return new FrameReader()
      .read(socket.bytes)
      .map(({ opcode, payload }) => [opcode, payload.toString('latin1')]);
  };
  return { time, keeper, socket, connection, messages, ends, say, heard };
}
