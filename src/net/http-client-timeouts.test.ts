import type { Socket } from 'node:net';
import { describe, expect, test } from 'vitest';
import { FakeTime } from '../../test/fakes/fake-time.ts';
import { AwaitedList } from '../../test/support/index.ts';
import type { Result } from '../base/index.ts';
import {
  clientLeft,
  failureOf,
  makeClient,
  serve,
  serveBytes,
  textOf,
} from './testdata/called-application.ts';
import type { HttpAnswer, HttpFailure } from './types.ts';

describe('timeouts', () => {
  test('bound everything up to the last byte of the body', async () => {
    const time = new FakeTime();
    const begun = new AwaitedList<Socket>('requests');
    const url = await serveBytes((socket) =>
      socket.once('data', () => {
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf', () => begun.push(socket));
      }),
    );
    const failure = failureOf(makeClient({ time }), { url, timeoutMs: 1_000 });
    time.endTurn();
    const socket = await begun.first(() => true);
    const cut = clientLeft(socket);
    time.advance(999);
    time.advance(1);
    expect(await failure).toBe('timeout');
    await cut;
    expect(time.pending).toBe(0);
  });

  test('a late answer is still told, and its place was free meanwhile', async () => {
    const time = new FakeTime();
    const held = new AwaitedList<() => void>('requests');
    const url = await serve((_request, response) => held.push(() => response.end('late')));
    const client = makeClient({ time, maxInFlight: 1, maxQueued: 0 });
    const late = new AwaitedList<HttpAnswer>('late answers');
    const lateAnswer = (outcome: Result<HttpAnswer, HttpFailure>): void => {
      if (outcome.ok) late.push(outcome.value);
    };
    const patch = { url, timeoutMs: 1_000, lateAnswer };
    const failure = failureOf(client, patch);
    time.endTurn();
    const answer = await held.first(() => true);
    time.advance(1_000);
    expect(await failure).toBe('timeout');
    expect(client.inFlight).toBe(0);
    // The second one finds the place for late answers taken and is given up at its timeout.
    const second = failureOf(client, patch);
    time.endTurn();
    await held.atLeast(2);
    time.advance(1_000);
    expect(await second).toBe('timeout');
    answer();
    expect(textOf(await late.first(() => true))).toBe('late');
    expect(late.items).toHaveLength(1);
    // Nothing of the calls: the one that is left looks at idle sockets.
    expect(time.pending).toBe(1);
  });

  test('a late answer is listened for up to its own bound', async () => {
    const time = new FakeTime();
    const begun = new AwaitedList<Socket>('requests');
    const url = await serveBytes((socket) => socket.once('data', () => begun.push(socket)));
    const late: Result<HttpAnswer, HttpFailure>[] = [];
    const lateAnswer = (outcome: Result<HttpAnswer, HttpFailure>) => late.push(outcome);
    const failure = failureOf(makeClient({ time }), { url, timeoutMs: 1_000, lateAnswer });
    time.endTurn();
    const socket = await begun.first(() => true);
    time.advance(1_000);
    expect(await failure).toBe('timeout');
    expect(socket.destroyed).toBe(false);
    const cut = clientLeft(socket);
    time.advance(30_000);
    await cut;
    expect(late).toMatchObject([{ ok: false, error: { kind: 'timeout' } }]);
  });

  test('the head of an answer is told when its body never ends', async () => {
    const time = new FakeTime();
    const halves = new AwaitedList<Socket>('requests');
    const url = await serveBytes((socket) =>
      socket.once('data', () => {
        socket.write('HTTP/1.1 200 OK\r\nX-Key: alice\r\nContent-Length: 9\r\n\r\nhalf');
        halves.push(socket);
      }),
    );
    const late: Result<HttpAnswer, HttpFailure>[] = [];
    const told = new Promise<void>((resolve) => {
      const lateAnswer = (outcome: Result<HttpAnswer, HttpFailure>): void => {
        late.push(outcome);
        resolve();
      };
      void failureOf(makeClient({ time }), { url, timeoutMs: 1_000, lateAnswer });
    });
    time.endTurn();
    const socket = await halves.first(() => true);
    time.advance(1_000);
    socket.end();
    await told;
    const [outcome] = late;
    expect(outcome).toMatchObject({ ok: false, error: { kind: 'malformed', head: { status: 200 } } });
    expect(outcome?.ok === false && outcome.error.head?.header('x-key')).toBe('alice');
  });
});
