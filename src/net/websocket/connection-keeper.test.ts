import { describe, expect, test } from 'vitest';
import { OPCODE, openWebSocket } from '../../../test/support/index.ts';
import { type Connection, encodeFrame } from '../index.ts';
import { setUpConnection } from '../testdata/quiet-connection.ts';
import { startServer } from '../testdata/test-server.ts';

const text = (words: string) => encodeFrame(Buffer.from(words), false);
const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('idle timeout', () => {
  test('closes with 1001 when the client does nothing', () => {
    const { time, ends, heard } = setUpConnection({ idleTimeoutMs: 1_000 });
    time.advance(999);
    expect(ends).toEqual([]);
    time.advance(101);
    expect(ends).toEqual([{ cause: 'idle', code: 1001, reason: 'idle timeout' }]);
    expect(heard()).toEqual([[OPCODE.close, '\x03\xe9idle timeout']]);
  });

  test.each([
    ['a message', { payload: 'x' }],
    ['a piece of a message', { payload: 'x', fin: false }],
    ['a ping', { opcode: OPCODE.ping }],
    ['a pong nobody asked for', { opcode: OPCODE.pong }],
  ])('%s renews it', (_name, frame) => {
    const { time, ends, say } = setUpConnection({ idleTimeoutMs: 1_000 });
    time.advance(950);
    say(frame);
    time.advance(950);
    expect(ends).toEqual([]);
    time.advance(200);
    expect(ends).toHaveLength(1);
  });

  test('a message to the client renews it', () => {
    const { time, ends, connection } = setUpConnection({ idleTimeoutMs: 1_000 });
    time.advance(950);
    connection.send(text('news'));
    time.advance(950);
    expect(ends).toEqual([]);
    time.advance(200);
    expect(ends).toHaveLength(1);
  });

  test('our pings and their pongs do not renew it', () => {
    const { time, ends, say, heard } = setUpConnection({
      idleTimeoutMs: 1_000,
      ping: { intervalMs: 200, timeoutMs: 200 },
    });
    let answered = 0;
    for (let step = 0; step < 50; step++) {
      time.advance(20);
      const pings = heard().filter(([opcode]) => opcode === OPCODE.ping).length;
      if (pings > answered) say({ opcode: OPCODE.pong });
      answered = pings;
    }
    expect(answered).toBeGreaterThan(2);
    expect(ends).toEqual([{ cause: 'idle', code: 1001, reason: 'idle timeout' }]);
  });

  test('time does not count while we do not read', () => {
    const { time, ends, connection } = setUpConnection({
      idleTimeoutMs: 1_000,
      ping: { intervalMs: 500, timeoutMs: 500 },
    });
    connection.pauseReading();
    time.advance(10_000);
    expect(ends).toEqual([]);
    connection.resumeReading();
    time.advance(2_000);
    expect(ends).toHaveLength(1);
  });
});

describe('pings', () => {
  const ping = { intervalMs: 1_000, timeoutMs: 500 };

  test('are sent when nothing was heard, and an answer keeps the connection', () => {
    const { time, ends, say, heard } = setUpConnection({ ping });
    time.advance(950);
    expect(heard()).toEqual([]);
    say({ payload: 'x' });
    time.advance(950);
    expect(heard()).toEqual([]);
    time.advance(150);
    expect(heard()).toEqual([[OPCODE.ping, '']]);
    say({ opcode: OPCODE.pong });
    time.advance(950);
    expect(heard()).toHaveLength(1);
    time.advance(150);
    expect(heard()).toHaveLength(2);
    expect(ends).toEqual([]);
  });

  test('that are not answered end the connection', () => {
    const { time, ends, heard } = setUpConnection({ ping });
    time.advance(1_050);
    expect(heard()).toHaveLength(1);
    time.advance(400);
    expect(ends).toEqual([]);
    time.advance(150);
    expect(ends).toEqual([{ cause: 'ping_timeout', code: 1001, reason: 'ping timeout' }]);
  });

  test('anything heard is as good as a pong', () => {
    const { time, ends, say } = setUpConnection({ ping });
    for (let step = 0; step < 10; step++) {
      time.advance(1_200);
      say({ payload: 'busy' });
    }
    expect(ends).toEqual([]);
  });
});

describe('slow clients', () => {
  test('close: the role hears of it within send, the client finds 1013 behind what it got', async () => {
    const { connection, socket, ends, heard, time } = setUpConnection();
    socket.stalled = true;
    connection.send(text('held'));
    time.endTurn();
    const outcomes = ['1', '2', '3', '4', '5'].map((words) => connection.send(text(words)));
    expect(outcomes).toEqual(['queued', 'queued', 'queued', 'closed', 'closed']);
    expect(ends).toEqual([{ cause: 'slow', code: 1013, reason: 'too slow' }]);
    await socket.release();
    expect(heard()).toEqual([
      [OPCODE.text, 'held'],
      [OPCODE.close, '\x03\xf5too slow'],
    ]);
    expect(socket.writableEnded).toBe(true);
  });

  test('close: one that stays stalled is cut', () => {
    const { connection, socket, time } = setUpConnection();
    socket.stalled = true;
    for (let index = 0; index < 6; index++) {
      connection.send(text('x'));
      time.endTurn();
    }
    time.advance(6_000);
    expect(socket.destroyed).toBe(true);
  });

  test('a stalled client that takes what it was given is alive', async () => {
    const { connection, socket, time, ends } = setUpConnection({
      ping: { intervalMs: 1_000, timeoutMs: 500 },
    });
    socket.stalled = true;
    connection.send(text('held'));
    time.advance(1_200);
    await socket.release();
    time.advance(450);
    expect(ends).toEqual([]);
  });

  test.each(['close', 'drop_oldest', 'drop_newest'] as const)(
    '%s: a real client that stops reading delays nobody',
    async (policy) => {
      const { port, accepted } = await startServer({
        slowClient: { policy, queueBytesMax: 1_000_000, queueMessagesMax: 20 },
      });
      const stuck = await openWebSocket({ port });
      const quick = await openWebSocket({ port });
      const [slow, other] = (await accepted.atLeast(2)) as [Connection, Connection];
      stuck.pause();
      const flood = encodeFrame(Buffer.alloc(400_000), true);
      while (slow.queuedMessages === 0) {
        expect(slow.send(flood)).toBe('queued');
        await turn();
      }
      const outcomes = Array.from({ length: 50 }, (_, index) => slow.send(text(`${index}`)));
      other.send(text('on time'));
      expect(await quick.nextText()).toBe('on time');
      stuck.resume();
      if (policy === 'close') {
        expect((await stuck.closed).closeFrame).toEqual({ code: 1013, reason: 'too slow' });
        expect(outcomes.at(-1)).toBe('closed');
        return;
      }
      const kept = await stuck.frames.atLeast(20, ({ opcode }) => opcode === OPCODE.text);
      const first = policy === 'drop_oldest' ? 30 : 0;
      expect(kept.map(({ text }) => Number(text))).toEqual(Array.from({ length: 20 }, (_, n) => n + first));
      slow.send(text('healthy again'));
      await stuck.frames.first(({ text }) => text === 'healthy again');
      expect(slow.queuedMessages).toBe(0);
    },
  );
});
