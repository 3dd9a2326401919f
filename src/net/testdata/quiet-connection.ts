/**
 * A connection without a network, in time that stands still.
 *
 * For tests of what a connection does and when; what a kernel does is not among them.
 */
import { FakeTime } from '../../../test/fakes/fake-time.ts';
import { encodeClientFrame, FrameReader, type FrameToSend } from '../../../test/support/index.ts';
import { ConnectionKeeper, type ConnectionRules } from '../connection-keeper.ts';
import { FanOutWriter } from '../fan-out-writer.ts';
import type { Connection, ConnectionEnd } from '../index.ts';
import { FakeSocket } from './fake-socket.ts';

const RULES: ConnectionRules = {
  messageBytesMax: 65_536,
  slowClient: { policy: 'close', queueBytesMax: 1_000, queueMessagesMax: 3 },
  idleTimeoutMs: 0,
  ping: { intervalMs: 0, timeoutMs: 0 },
};

/** The connection, its socket, and all that its role and its client have seen. */
export function setUpConnection(rules: Partial<ConnectionRules> = {}) {
  const time = new FakeTime();
  const writer = new FanOutWriter({ clock: time, timers: time });
  const keeper = new ConnectionKeeper({ ...RULES, ...rules }, { writer, timers: time });
  const socket = new FakeSocket();
  const messages: string[] = [];
  const ends: ConnectionEnd[] = [];
  const connection: Connection<string> = keeper.admit(socket.socket, 'context', {
    message: (_connection, payload) => messages.push(Buffer.from(payload).toString()),
    ended: (_connection, end) => ends.push(end),
  });
  const say = (frame: FrameToSend) => socket.say(encodeClientFrame(frame));
  const heard = () => {
    time.endTurn();
    return new FrameReader()
      .read(socket.bytes)
      .map(({ opcode, payload }) => [opcode, payload.toString('latin1')]);
  };
  return { time, keeper, socket, connection, messages, ends, say, heard };
}
